"""What is said of each lesion: number, enhancement, signal, density, fracture, Bilsky grade."""

import re
from collections.abc import Callable

from spacy.language import Language
from spacy.tokens import Doc

from nlp.certainty import certainty_at
from nlp.described import Said, Words
from nlp.labels import level_groups
from nlp.owners import gap, is_effect, lesions_of, nearest
from nlp.page import Mention, Page, page_of
from nlp.vocabulary import Vocabulary, current

# Words between a head and what qualifies it: "enhancement, mostly peripheral".
_JOIN = re.compile(
    r"[\s,]*(?:(?:and|but|or|with|is|are|in|a|an|of|its?|the|post|contrast|gadolinium|abnormal|internal|mostly"
    r"|predominantly|somewhat|relatively|associated|pattern|anterior|central|superior|there)[\s,]*)*"
)
_PLURAL = re.compile(
    r"(?:[^siu]s|ies|diseases?|infiltration|involvement|replacement|foci|(?:mas|absc?es|metasta)ses|ae)$"
)
_COUNTS = re.compile(r"[^.;:()]{0,45}")
_NO_COUNT = re.compile(r"\b(?:with|in|at|is|are|has|of)\b")
_BETWEEN = re.compile(
    r"\s*(?:signal(?: intensity)?|to (?:the )?\w+(?: \w+)?)?\s*(?:on|in|at)?(?: both| the)?\s*"
)
_FOLLOWS = re.compile(
    r"[\s:]*(?:(?:signal(?: intensity)?|is|weighted|and|images?|appears?|\w+ly)[\s:]*){0,2}"
)
_WITH = re.compile(r"[\s/,]*(?:and|&)?[\s/]*")
_TOTAL = re.compile(
    r"(?:\)|:|=|,|\s|score|total|is|of|was|estimated|calculated|at)*?"
    r"(\d{1,2})(?!\d|\.\d|\s?[-–]\s?\d| to \d)",
    re.IGNORECASE,
)
_EARLIER = re.compile(r"previous|prior|formerly|earlier|was\b")
_HIGHEST = 18  # points of SINS
_ASKED = ("recommendation", "indication", "historical")
_SIGNAL = {"present": "present", "probable": "present", "possible": "possible"} | dict.fromkeys(
    ("absent", "unlikely"), "absent"
)


class Details:
    """Gives each describing word to its lesion, and the lesion its details."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self.vocabulary = vocabulary

    def __call__(self, doc: Doc) -> Doc:
        """Fill `details` of mentions and page."""
        page = page_of(doc, self.vocabulary)
        if not page.has_lesion:
            return doc
        for index, said in page.said().items():
            for kind in said:
                if kind in _DESCRIBE and any(m.affirmed for m in lesions_of(page, index)):
                    lesions = lesions_of(page, index)
                    causes = [m for m in lesions if not is_effect(m, said)]
                    _DESCRIBE[kind](page, index, said, causes or lesions)
                elif kind in _GRADES:
                    for words in said[kind]:
                        _grade(page, index, kind, words)
        _cord_signal(page)
        return doc


def denial(page: Page, index: int, start: int, end: int) -> int | None:
    """Where the denial of the words at [start, end) begins; None when they are not denied."""
    cues = page.cues(index)
    if not cues:
        return None
    for s, e, group in cues:
        if s < start < e <= end and group[0].label == "pseudo":
            return s  # "no enhancement" denies no lesion, only the enhancement
    label, cue = certainty_at(page, start, end)
    if label != "absent" or cue is None:
        return None
    at = page.text.rfind(cue, page.sentences[index].start, start)
    return at if at >= 0 else start


def put(lesion: Mention | None, page: Page, kind: str, value: str, *span: int) -> None:
    """Add a detail to an affirmed lesion; the same said twice stands once."""
    if lesion and lesion.affirmed and not any(d.kind == kind and d.value == value for d in lesion.details):
        lesion.details.append(page.detail(kind, value, *span))


def beside(page: Page, hows: list[Words], start: int, end: int) -> tuple[int, int, list[str]]:
    """The stretch of a head with the words that qualify it, and their values in the order of the text."""
    before: list[str] = []
    after: list[str] = []
    first, last = start, end
    for s, e, value in reversed(hows):
        if e <= first and _JOIN.fullmatch(page.plain, e, first):
            first = s
            before.insert(0, value)
    for s, e, value in hows:
        if s >= last and _JOIN.fullmatch(page.plain, last, s):
            last = e
            after.append(value)
    return first, last, before + after


def _number(page: Page, index: int, said: Said, lesions: list[Mention]) -> None:
    stops = said.get("no_number", [])
    for start, end, value in said["number"]:
        counted = (
            m
            for m in lesions
            if m.end > start and (value == "1" or _PLURAL.search(page.plain, m.start, m.end))
        )
        lesion = next(counted, None)
        if lesion is None:
            continue
        between = page.plain[end : lesion.start]
        stopped = any(end <= s < lesion.start for s, _, _ in stops) or _NO_COUNT.search(between)
        if _COUNTS.fullmatch(between) and not stopped:
            put(lesion, page, "number", value, start, end)


def _enhancement(page: Page, index: int, said: Said, lesions: list[Mention]) -> None:
    for start, end, value in said["enhancement"]:
        lesion = nearest(page, lesions, start, end)
        begin = denial(page, index, start, end)
        if lesion is None or (page.cues(index) and certainty_at(page, start, end)[0] in _ASKED):
            continue
        if begin is not None or value == "absent":
            put(lesion, page, "enhancement", "absent", start if begin is None else begin, end)
            continue
        first, last, values = beside(page, said.get("enhancement_how", []), start, end)
        told = " ".join(dict.fromkeys([*values, *([value] if value != "present" else [])])) or "present"
        if told != "present":  # "enhancing mass … avid enhancement": what says more counts
            lesion.details = [d for d in lesion.details if (d.kind, d.value) != ("enhancement", "present")]
        if told != "present" or not any(d.kind == "enhancement" for d in lesion.details):
            put(lesion, page, "enhancement", told, first, last)


def _signals(page: Page, index: int, said: Said, lesions: list[Mention]) -> None:
    """Pairs sequences with values: "T1 hypointense", "low T1 signal", "bright on T2 and STIR"."""
    levels = [(s, e) for s, e, _ in level_groups(page, index)]
    sequences = [
        (*words, True)
        for words in said["sequence"]
        if not any(s < words[1] and words[0] < e for s, e in levels)
    ]
    marks = sorted(sequences + [(*words, False) for words in said.get("signal", ())])
    at, free = 0, -1  # the value before that no sequence has taken
    while at < len(marks):
        start, end, value, is_sequence = marks[at]
        at += 1
        if not is_sequence:
            free = at - 1
            continue
        group = [value]
        while at < len(marks) and marks[at][3] and _WITH.fullmatch(page.plain, end, marks[at][0]):
            group.append(marks[at][2])
            end = marks[at][1]
            at += 1
        if free >= 0 and _BETWEEN.fullmatch(page.plain, marks[free][1], start):
            start, told = marks[free][0], marks[free][2]
        elif at < len(marks) and not marks[at][3] and _FOLLOWS.fullmatch(page.plain, end, marks[at][0]):
            end, told = marks[at][1], marks[at][2]
            at += 1
        else:
            continue
        free = -1
        for sequence in group:
            put(nearest(page, lesions, start, end), page, "signal", f"{sequence} {told}", start, end)


def _plain_words(kind: str) -> "Describe":
    def describe(page: Page, index: int, said: Said, lesions: list[Mention]) -> None:
        for start, end, value in said[kind]:
            lesion = nearest(page, lesions, start, end)
            inside = lesion is not None and gap(page, lesion.start, lesion.end, start, end) == 0
            if inside or denial(page, index, start, end) is None:
                put(lesion, page, kind, value, start, end)

    return describe


def _grade(page: Page, index: int, kind: str, words: Words) -> None:
    """A Bilsky grade or stated SINS: of a lesion, else of what presses, else of the report."""
    start, end, value = words
    if kind == "sins":
        total = _TOTAL.match(page.text, end)
        if total is None or int(total[1]) > _HIGHEST:
            return
        end, value = total.end(1), str(int(total[1]))
    if _EARLIER.search(page.plain, max(page.sentences[index].start, start - 30), start):
        return
    lesions = [m for m in lesions_of(page, index) if m.affirmed]
    pressing = [m for m in page.in_sentence(index) if m.affirmed and m.start < end]
    lesion = nearest(page, lesions or pressing, start, end)
    if lesion:
        put(lesion, page, kind, value, start, end)
    else:
        page.details.append(page.detail(kind, value, start, end))


def _cord_signal(page: Page) -> None:
    """Signal of the cord, as its own mentions tell it."""
    told: dict[str, Mention] = {}
    for m in page.mentions:
        inside = m.concept.id == "SIGNAL_NOS" and "intramedullary" in m.compartments
        soft = m.concept.id == "MYELOMALACIA"
        if (inside or soft or m.concept.id == "CORD_SIGNAL") and m.certainty in _SIGNAL:
            value = _SIGNAL[m.certainty]
            told.setdefault("myelomalacia" if soft and value == "present" else value, m)
    page.details += [page.detail("cord_signal", value, m.start, m.end) for value, m in told.items()]


_GRADES = ("escc", "sins")
Describe = Callable[[Page, int, Said, list[Mention]], None]
_DESCRIBE: dict[str, Describe] = {
    "number": _number,
    "enhancement": _enhancement,
    "sequence": _signals,
    "density": _plain_words("density"),
    "feature": _plain_words("feature"),
}


@Language.factory("spinetriage_details")
def _make(nlp: Language, name: str) -> Details:
    return Details(current())
