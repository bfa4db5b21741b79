"""Sizes in millimetres, up to three axes, each given to the lesion it measures; earlier ones kept apart."""

import re
from collections.abc import Iterator
from typing import NamedTuple

from spacy.language import Language
from spacy.tokens import Doc

from nlp.described import Said
from nlp.details import put
from nlp.owners import is_effect, lesions_of
from nlp.page import Mention, Page, page_of
from nlp.schema import LESION_CLASSES
from nlp.vocabulary import Vocabulary, current

_WAYS = {
    "AP": "ap anteroposterior antero-posterior anterior-posterior",
    "TR": "tr ml transverse mediolateral wide width",
    "CC": "cc si craniocaudal cranio-caudal craniocaudally superoinferior long length height",
}
_AXES = {word: axis for axis, words in _WAYS.items() for word in words.split()}
_NUMBER = r"(\d\d{0,2}(?:[.,]\d{1,2})?(?:\s?(?:[-–]|to)\s?\d{1,3}(?:[.,]\d{1,2})?)?)"
_UNIT = r"(mm|cm|millimet(?:er|re)s?|centimet(?:er|re)s?)?(?![a-z])"
_NAMED = "|".join(sorted(_AXES, key=len, reverse=True))
_AXIS = (
    rf"(?:\s*(?:in )?(?:the |its )?\(?({_NAMED})\b(?: dimensions?| diameter| plane| axis| extent)?\)?"
    r"(?! (?:loss|reduction))"
    r"(?!\s*[x×*]\s*[a-z]))?"
)
_NEXT = rf"(?:\s*(?:x|×|by|\*)\s*{_NUMBER}[\s-]*{_UNIT}{_AXIS})?"
_SIZE = re.compile(rf"{_NUMBER}[\s-]*{_UNIT}{_AXIS}{_NEXT}{_NEXT}", re.IGNORECASE)  # begins at a digit: fast
_LETTERS = re.compile(
    r"\W{0,3}(ap|tr|cc|si|ml)\s*[x×*]\s*(ap|tr|cc|si|ml)(?:\s*[x×*]\s*(ap|tr|cc|si|ml))?\)?", re.IGNORECASE
)
_AND = re.compile(r"\s*(?:,|,?\s*and|by|x|×)\s*", re.IGNORECASE)
_RANGE = re.compile(r"\s?(?:[-–]|to)\s?")
_FROM = re.compile(r"\bfrom (?:approximately |about |a )?$")
_WAS = re.compile(
    r"(?:\bprevious(?:ly)?|\bprior|\bformerly|\bcompared (?:with|to)|\bversus|\bvs|\bearlier|[(,]\s?was"
    r"|\bhad been|\blast|\bwhich was)\b"
    r"(?:(?!\bnow\b|\bcurrent|\bis\b|measures|\blesion|\bmass\b|tumou?r)[^.,;)]){0,25}$"
)
_LATER = re.compile(
    r" ?(?:previously|before\b|(?:on|at|in) (?:the )?(?:prior|previous|last|earlier)\b|prior\b"
    r"|last time|earlier\b)"
    r"(?!:? ?(?:measur\w+ )?\d)"
)
_BARE = re.compile(
    r"[ ,;(]{1,3}((?:previously|formerly|was|prior|before)(?: measured| measuring)? (\d{1,3}(?:[.,]\d)?))"
    r"(?![\d.,]*\d| ?(?:mm|cm|x\b|×))"
)
_PLACED = re.compile(
    r"\b(?:in|within|into|at|along|through|from|to|near|of|abutting|against|towards?|behind|with|on)\s"
    r"(?:(?:the|a|an|its|left|right)\s)*$"
)
_UNITS = ("mm", "cm", "millim", "centim")
_SMALL = 10.0  # millimetres; subcentimetre means less
_PUSHED = 20  # characters between retropulsion and its millimetres
_FAR, _WEAK = 120, 80  # characters a size reaches; what a following mention further off is set back by


class Measure(NamedTuple):
    """A size in the text: its axes in millimetres and their names."""

    start: int
    end: int
    axes: tuple[float, ...]
    names: tuple[str, ...]
    low: float | None = None  # the lower end of "8-10 mm" or "from 8 to 10 mm"
    bound: str = ""

    @property
    def written(self) -> str:
        """As people write it: '21 AP x 14 TR mm'."""
        axes = [f"{axis:g} {name}".rstrip() for axis, name in zip(self.axes, self.names, strict=True)]
        low = "" if self.low is None or len(self.axes) > 1 else f"{self.low:g}-"
        return f"{self.bound}{low}{' x '.join(axes)} mm"


class Sizes:
    """Gives each size to the nearest mention, unless something that is no lesion is nearer."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self.vocabulary = vocabulary

    def __call__(self, doc: Doc) -> Doc:
        """Set `size_mm` and add the details of kind size and prior_size."""
        page = page_of(doc, self.vocabulary)
        if not page.has_lesion:
            return doc
        said = page.said()
        for index in sorted({page.sentence_at(at) for at in _units(page.plain)}):
            sentence = page.sentences[index]
            if any(m.affirmed for m in lesions_of(page, index)):
                for measure, prior in _measures(page, sentence.start, sentence.end):
                    _give(page, index, said.get(index, {}), measure, "prior_size" if prior else "size")
        for index, words in said.items():
            for start, end, _ in words.get("small", ()):
                _give(page, index, words, Measure(start, end, (_SMALL,), ("",), bound="< "), "size")
        return doc


def _units(plain: str) -> Iterator[int]:
    """Where units of length stand."""
    for unit in _UNITS:
        at = plain.find(unit)
        while at > 0:
            if plain[at - 1].isdigit() or plain[at - 1].isspace():
                yield at
            at = plain.find(unit, at + 1)


def _measures(page: Page, start: int, end: int) -> Iterator[tuple[Measure, bool]]:
    """The sizes of a sentence, and whether each is an earlier one."""
    found: list[Measure] = []
    for match in _SIZE.finditer(page.text, start, end):
        measure = _measure(page, match)
        if measure is None or page.plain[match.start() - 1 : match.start()].isalnum():
            continue
        last = found[-1] if found else None
        if last and all((*last.names, *measure.names)) and _AND.fullmatch(page.text, last.end, measure.start):
            # "12 mm AP and 15 mm craniocaudal" is one size.
            found[-1] = Measure(last.start, measure.end, last.axes + measure.axes, last.names + measure.names)
        else:
            found.append(measure)
    for measure in found:
        before = page.plain[max(start, measure.start - 45) : measure.start]
        grown = _FROM.search(before)
        if grown and measure.low is not None:  # "grown from 10 to 14 mm"
            yield measure._replace(axes=(measure.low,), names=("",), low=None), True
            yield measure._replace(low=None), False
        else:
            yield from _bare(page, measure, end)
            yield measure, bool(grown or _WAS.search(before) or _LATER.match(page.plain, measure.end))


def _bare(page: Page, measure: Measure, end: int) -> Iterator[tuple[Measure, bool]]:
    """An earlier size that leaves out the unit: "14 mm, previously 11"."""
    match = _BARE.match(page.plain, measure.end, end)
    if match:
        scale = 10.0 if page.plain.startswith("c", page.plain.rfind("m", 0, measure.end) - 1) else 1.0
        size = round(float(match[2].replace(",", ".")) * scale, 1)
        yield Measure(match.start(1), match.end(1), (size,), ("",)), True


def _measure(page: Page, match: re.Match[str]) -> Measure | None:
    """A match as a size; None without a unit."""
    numbers, units, names = match.groups()[::3], match.groups()[1::3], match.groups()[2::3]
    unit = next((u for u in reversed(units) if u), None)
    if unit is None:
        return None
    low, axes = None, []
    for number, own in zip(numbers, units, strict=True):
        if number:
            # The unit stands once at the end, or with each axis.
            scale = 10.0 if (own or unit).lower().startswith("c") else 1.0
            values = [round(float(n.replace(",", ".")) * scale, 1) for n in _RANGE.split(number)]
            low = values[0] if len(values) > 1 else low
            axes.append(values[-1])
    written = tuple(_AXES[n.lower()] if n else "" for n in names[: len(axes)])
    end = match.end()
    letters = _LETTERS.match(page.text, end) if len(axes) > 1 and not any(written) else None
    if letters and len([x for x in letters.groups() if x]) == len(axes):
        written, end = tuple(_AXES[x.lower()] for x in letters.groups() if x), letters.end()
    return Measure(match.start(), end, tuple(axes), written, low)


def _give(page: Page, index: int, said: Said, measure: Measure, kind: str) -> None:
    """Add a size to the mention it measures, if it measures one."""
    start, end = measure.start, measure.end
    mentions = [m for m in lesions_of(page, index) if not is_effect(m, said)]
    pushed = said.get("retropulsion", ())
    if any(0 <= s - end <= 2 for s, _, _ in said.get("distance", ())) or any(
        0 <= s - end < _PUSHED or 0 <= start - e < _PUSHED for s, e, _ in pushed
    ):
        return
    nearest = min(mentions, key=lambda m: _reach(page, m, start, end), default=None)
    if nearest is None or _reach(page, nearest, start, end) >= _FAR:
        return
    rivals = [
        (s, e)
        for s, e in _others(page, index, said)
        if not any(m.start < e and s < m.end for m in mentions)
        and not _PLACED.search(page.plain, max(0, s - 25), s)
    ]
    if any(_between(page, s, e, start, end) < _reach(page, nearest, start, end) for s, e in rivals):
        return
    put(nearest, page, kind, measure.written, start, end)
    if kind == "size" and not (nearest.size_mm or measure.bound):
        nearest.size_mm = measure.axes


def _others(page: Page, index: int, said: Said) -> list[tuple[int, int]]:
    """What can be measured and is no lesion: slices, canal, slips, other organs."""
    found = [(s, e) for s, e, _ in said.get("measure", ())]
    found += [(m.start, m.end) for m in page.in_sentence(index) if m.concept.cls not in LESION_CLASSES]
    return found + [(s, e) for s, e, word in page.words(index) if word.elsewhere or word.disc]


def _between(page: Page, s: int, e: int, start: int, end: int) -> int:
    """Characters between a size and another noun; behind the size it must follow at once."""
    return (
        max(start - e, 0) if s < end else (s - end if s - end < 15 and "," not in page.plain[end:s] else _FAR)
    )


def _reach(page: Page, mention: Mention, start: int, end: int) -> int:
    """Characters between size and mention; a mention that follows must follow at once ("12 mm lesion")."""
    if mention.start < end:
        return max(start - max(mention.end, page.sentences[page.sentence_at(start)].start), 0)
    gap = page.plain[end : mention.start]
    return len(gap) + (_WEAK if len(gap) > 30 or " with " in gap or "," in gap else 0)


@Language.factory("spinetriage_sizes")
def _make(nlp: Language, name: str) -> Sizes:
    return Sizes(current())
