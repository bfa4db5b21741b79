"""Outside the dura, inside it, or in the cord."""

import re
from dataclasses import dataclass

from spacy.language import Language
from spacy.tokens import Doc

from nlp.page import Mention, Page, page_of
from nlp.schema import COMPARTMENTS, Place
from nlp.vocabulary import Vocabulary, Word, current

ED, IDEM, IM = COMPARTMENTS
_FAR = 300  # characters at which a place still speaks of a lesion
_EXPLICIT = 0.9
_CORD = Place(("intramedullary",), 1.0, "Inside the cord, said with a preposition.", ())
_NEGATED = re.compile(r"\b(?:without|no|not|nor)\b(?:\W+\w+){0,2}\W*$")
_SPREAD = re.compile(
    r"^\W*(?:\w+\W+){0,2}?(?:extension|component|involvement|invasion|spread|extending|portion|part)"
)
_ADJECTIVE = re.compile(
    r" (?:(?!(?:of|with|is|and|by|to|the|in|at|from|near|on|or|a|an|has|no|are|was)\b)\w+ ){0,3}"
)
_INTO = re.compile(r"(?:extend\w*|extension|growing|grows|spread\w*|invad\w*|breach\w*)[^,;.]{0,40}$")
# "in the lower thoracic cord", whatever stands between the preposition and the cord.
_IN_CORD = re.compile(
    r"\b(?:in|within|inside|(?<!surface )(?<!aspect )(?<!side )(?<!level )(?<!front )of|throughout"
    r"|involv\w+|affect\w+)\s+(?:(?:the|an?|his|her|upper|lower|mid|middle|proximal|distal"
    r"|cervical|thoracic|dorsal|spinal|entire|whole|left|right|central|swollen|normal)\s+)*$"
)


@dataclass(slots=True)
class _Seen:
    """A place cue in a sentence, seen from one mention."""

    start: int
    end: int
    place: Place
    inside: bool
    clause: bool
    distance: float


class Compartments:
    """Explicit words in the mention, its clause, its sentence; then what the lesion usually has."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self.vocabulary = vocabulary

    def __call__(self, doc: Doc) -> Doc:
        """Set `compartments`, `basis` and `canal` of each lesion."""
        page = page_of(doc, self.vocabulary)
        for mention in page.mentions:
            seen = _places(page, mention, mention.sentence)
            mention.canal = any(s.place.canal and s.clause for s in seen)
            mention.compartments, mention.basis = resolve(page, mention, seen)
        _follow(page)
        return doc


def _places(page: Page, mention: Mention, index: int) -> list[_Seen]:
    """Place cues that may speak of the mention: not negated, not what is being pressed."""
    pressing = [
        m
        for m in page.in_sentence(index)
        if m is not mention and m.concept.cls in ("compression", "crowding")
    ]
    seen = []
    for s, e, word in page.words(index):
        place = word.place or _inside_cord(page, s, word)
        if place is None or s - mention.end > _FAR or mention.start - e > _FAR:
            continue
        inside = s < mention.end and mention.start < e
        if not inside and (
            any((s < m.end and m.start < e) or 0 <= s - m.end < 25 for m in pressing)
            or _NEGATED.search(page.plain[max(0, s - 40) : s])
        ):
            continue
        gap = page.plain[mention.end : s] if s >= mention.end else page.plain[e : mention.start]
        others = [
            m
            for m in page.in_sentence(index)
            if m is not mention and min(e, mention.end) <= m.start < max(s, mention.start)
        ]
        distance = len(gap) + 25 * gap.count(",") + 15 * len(others)
        clause = not (";" in gap or " but " in gap or " and there " in gap or ": " in gap)
        seen.append(_Seen(s, e, place, inside, clause, 0.0 if inside else distance + (s < mention.start) * 3))
    return sorted(seen, key=lambda x: x.distance)


def _inside_cord(page: Page, start: int, word: Word) -> Place | None:
    said = word.target == "cord" and _IN_CORD.search(page.plain[max(0, start - 40) : start])
    return _CORD if said else None


def resolve(page: Page, mention: Mention, seen: list[_Seen]) -> tuple[tuple[str, ...], str]:
    """The compartments of a mention, main one first, and what they rest on."""
    prior = sorted(mention.concept.compartments.items(), key=lambda kv: -kv[1])
    usual = prior[0][0] if prior else ""
    strong = bool(prior) and prior[0][1] >= 0.85
    allowed = [s for s in seen if not (strong and usual != ED and s.place.bone and not s.inside)]
    explicit = [
        s for s in allowed if s.place.strength >= _EXPLICIT and s.place.compartments and s.place.anatomy
    ]
    open_to_place = mention.concept.strength in ("weak", "moderate") and not any(s.inside for s in explicit)
    if open_to_place and _cord_before(page, mention):
        return (IM,), "explicit"
    near = [s for s in explicit if s.inside or s.clause]
    if near:
        first = near[0]
        if strong and usual not in first.place.compartments and not first.inside and first.distance > 40:
            return (usual,), "inferred"
        found = list(first.place.compartments)
        for other in near[1:]:
            found += [
                c for c in other.place.compartments if c not in found and _adds(page, mention, first, other)
            ]
        return tuple(found), "explicit"
    return _usual(mention, allowed, page.vocabulary.rules.priority.groups["both_sides"])


def _usual(mention: Mention, seen: list[_Seen], both_sides: tuple[str, ...]) -> tuple[tuple[str, ...], str]:
    """What hints and the kind of lesion suggest where nothing is said outright."""
    hints = [s.place.compartments[:1] for s in seen if s.place.compartments and s.clause]
    prior = sorted(mention.concept.compartments, key=lambda c: -mention.concept.compartments[c])
    if mention.concept.id in both_sides:
        return (ED, IDEM), "inferred"
    if prior and mention.concept.strength in ("definitional", "strong"):
        return (prior[0],), "inferred"
    if hints:
        return hints[0], "inferred"
    return ((prior[0],), "inferred") if prior and mention.concept.strength == "moderate" else ((), "none")


def _cord_before(page: Page, mention: Mention) -> bool:
    """Whether the cord stands before the lesion as its adjective: "cervical cord flame-shaped lesions"."""
    return any(
        word.target == "cord"
        and end <= mention.start
        and _ADJECTIVE.fullmatch(page.plain[end : mention.start])
        for _, end, word in page.words(mention.sentence)
    )


def _adds(page: Page, mention: Mention, first: _Seen, other: _Seen) -> bool:
    """Whether a second place is a second compartment of the same lesion, not merely a landmark."""
    if other.place.bone:
        return False
    if first.place.bone and not other.place.canal:
        return first.inside is False and other.distance < 30 and IM not in other.place.compartments
    spread = _SPREAD.match(page.plain[other.end : other.end + 40]) or _INTO.search(
        page.plain[max(0, other.start - 60) : other.start]
    )
    joined = re.fullmatch(
        r"\W*(?:and|with|or)?\W*", page.plain[min(first.end, other.end) : max(first.start, other.start)]
    )
    return bool(spread or joined) and other.distance < 120


def _follow(page: Page) -> None:
    """A mention without a place of its own takes that of the lesion it continues or names."""
    last: dict[int, Mention] = {}
    for mention in page.mentions:
        if mention.concept.cls in ("compression", "crowding", "degenerative", "device", "anatomy"):
            continue
        before = last.get(mention.sentence)
        if (
            mention.basis != "explicit"
            and before
            and (before.basis == "explicit" or before.concept.strength == "definitional")
            and mention.affirmed
            and before.affirmed
        ):
            prior = mention.concept.compartments
            if not prior or prior.get(before.compartments[0], 0) >= 0.1:
                mention.compartments, mention.basis = before.compartments, "explicit"
        if mention.basis != "none":
            last[mention.sentence] = mention
    for mention in page.mentions:
        if mention.affirmed and not mention.compartments:
            near = [m for i in (-1, 0, 1) for m in page.in_sentence(mention.sentence + i)]
            alike = [
                m for m in near if m.affirmed and m.compartments and m.concept.cls == mention.concept.cls
            ]
            if alike:
                mention.compartments, mention.basis = alike[0].compartments, "inferred"


@Language.factory("spinetriage_compartments")
def _make(nlp: Language, name: str) -> Compartments:
    return Compartments(current())
