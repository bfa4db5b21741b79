"""Outside the dura, inside it, or in the cord."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from spacy.language import Language
from spacy.tokens import Doc

from nlp.extents import vertebrae
from nlp.page import Mention, Page, page_of
from nlp.places import ED, IDEM, IM, Cue, place_cues
from nlp.schema import LESION_CLASSES, PRESSURE, Place
from nlp.vocabulary import Vocabulary, current

_HINTED = 80  # characters at which a hint still counts
_NOWHERE = ("degenerative", "device")  # have a place, but none that matters
_FAR = 300  # characters at which a place still speaks of a lesion
_EXPLICIT = 0.9
_RARE = 0.1  # a compartment that a lesion has less often than this needs words of its own
_SPREAD = re.compile(
    r"^\W*(?:\w+\W+){0,2}?(?:extension|component|involvement|invasion|spread|extending|portion|part)"
)
_PART = re.compile(r" (?:component|portion|part)\b")
_ADJECTIVE = re.compile(
    r" (?:(?!(?:of|with|is|and|by|to|the|in|at|from|near|on|or|a|an|has|no|are|was)\b)\w+ ){0,3}"
)
_SAME = re.compile(r"\b(?:the|this|these|that|those)(?: \w+)? $")  # "the tumour" was told of before
_NEAR = 2  # sentences from a lesion to "the tumour" that is the same
_INTO = re.compile(r"(?:extend\w*|extension|growing|grows|spread\w*|invad\w*|breach\w*)[^,;.]{0,40}$")


@dataclass(slots=True)
class _Seen:
    """A place cue seen from one mention."""

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
        self.both_sides = vocabulary.rules.priority.groups["both_sides"]
        self.descriptor = frozenset(vocabulary.rules.priority.groups["descriptor"])
        self.sources = vocabulary.rules.landmarks.sources
        self.pronouns = vocabulary.rules.levels.follow.pronouns

    def __call__(self, doc: Doc) -> Doc:
        """Set `compartments`, `basis` and `canal` of each mention that can have them."""
        page = page_of(doc, self.vocabulary)
        for index, here in page.by_sentence().items():
            mentions = [m for m in here if m.concept.cls not in _NOWHERE]
            if not mentions:
                continue
            cues, cords = place_cues(page, index, here)
            for mention in mentions:
                seen = _seen(page, mention, here, cues) if cues else []
                mention.compartments, mention.basis = self.resolve(page, mention, seen, cords)
                for place in seen:
                    mention.canal = mention.canal or (place.place.canal and place.clause)
            if index + 1 < len(page.sentences) and page.plain.startswith(
                self.pronouns, page.sentences[index + 1].start
            ):
                _go_on(page, index, mentions)
        _follow(page, self.both_sides)
        self._name(page)
        return doc

    def _name(self, page: Page) -> None:
        """A diagnosis lies where what it names was said to lie, and a tumour where it has spread to."""
        described: list[Mention] = []
        last: Mention | None = None
        for mention in page.mentions:
            if not mention.affirmed or mention.concept.cls not in LESION_CLASSES:
                continue
            near = last if last and last.compartments and mention.sentence - last.sentence <= _NEAR else None
            start = mention.start
            if near and page.plain.endswith(self.sources, 0, start - 1):
                mention.compartments, mention.basis = near.compartments, near.basis
            elif mention.basis == "inferred" and (told := _told_before(mention, described)):
                mention.compartments = told
            elif mention.basis == "explicit" and mention.concept.id in self.descriptor:
                described.append(mention)
            elif near and not mention.compartments and _SAME.search(page.plain, max(0, start - 30), start):
                mention.compartments, mention.basis = near.compartments, "inferred"
            last = mention

    def resolve(
        self, page: Page, mention: Mention, seen: list[_Seen], cords: list[int]
    ) -> tuple[tuple[str, ...], str]:
        """The compartments of a mention, main one first, and what they rest on."""
        prior = mention.concept.compartments
        usual = next(iter(prior), "")
        strong = bool(prior) and prior[usual] >= 0.85
        allowed = [s for s in seen if not (strong and usual != ED and s.place.bone and not s.inside)]
        explicit = [
            s for s in allowed if s.place.strength >= _EXPLICIT and s.place.compartments and s.place.anatomy
        ]
        open_to_place = mention.concept.strength in ("weak", "moderate") and not any(
            s.inside for s in explicit
        )
        if cords and open_to_place and _cord_before(page, mention, cords):
            return (IM,), "explicit"
        near = [s for s in explicit if s.clause or _PART.match(page.plain, s.end)]
        if near:
            first = near[0]
            if strong and usual not in first.place.compartments and not first.inside and first.distance > 40:
                return (usual,), "inferred"
            found = _told(first, prior, strong)
            for other in near[1:]:
                found += [
                    c for c in _told(other, prior, strong) if c not in found and _adds(page, first, other)
                ]
            return tuple(found), "explicit"
        return self._usual(mention, allowed)

    def _usual(self, mention: Mention, seen: list[_Seen]) -> tuple[tuple[str, ...], str]:
        """What hints and the kind of lesion suggest where nothing is said outright."""
        prior = mention.concept.compartments
        if mention.concept.id in self.both_sides:
            return (ED, IDEM), "inferred"
        usual = next(iter(prior), "")
        if usual and mention.concept.strength in ("definitional", "strong"):
            return (usual,), "inferred"
        hints = [
            s.place.compartments[:1]
            for s in seen
            if s.place.compartments and s.clause and s.distance < _HINTED
        ]
        if hints:
            return hints[0], "inferred"
        return ((usual,), "inferred") if usual and mention.concept.strength == "moderate" else ((), "none")


def _seen(page: Page, mention: Mention, mentions: list[Mention], cues: list[Cue]) -> list[_Seen]:
    """Place cues that may speak of the mention: not denied, not what is being pressed; nearest first."""
    seen = []
    several = len(mentions) > 1
    for cue in cues:
        s, e = cue.start, cue.end
        if s - mention.end > _FAR or mention.start - e > _FAR:
            continue
        inside = s < mention.end and mention.start < e
        if inside:
            seen.append(_Seen(s, e, cue.place, True, True, 0.0))
            continue
        if cue.outside or (cue.pressing and any(m is not mention for m in cue.pressing)):
            continue
        left, right = (mention.end, s) if s >= mention.end else (e, mention.start)
        gap = page.plain[left:right]
        others = sum(left <= m.start < right for m in mentions if m is not mention) if several else 0
        clause = not (";" in gap or " but " in gap or " and there " in gap or ": " in gap[1:])
        distance = len(gap) + (25 if others else 10) * gap.count(",") + 15 * others + 3 * (s < mention.start)
        seen.append(_Seen(s, e, cue.place, False, clause, distance))
    if len(seen) > 1:
        seen.sort(key=lambda x: x.distance)
    return seen


def _told(seen: _Seen, prior: Mapping[str, float], strong: bool) -> list[str]:
    """The compartments a cue tells; a dumbbell sarcoma passes the foramen outside the dura."""
    told = list(seen.place.compartments)
    two_sided = len(told) > 1 and seen.place.strength < 1 and not seen.inside
    return [c for c in told if prior.get(c, 0) >= _RARE] if strong and two_sided else told


def _cord_before(page: Page, mention: Mention, cords: list[int]) -> bool:
    """Whether the cord stands before the lesion as its adjective: "cervical cord flame-shaped lesions"."""
    return any(end <= mention.start and _ADJECTIVE.fullmatch(page.plain, end, mention.start) for end in cords)


def _adds(page: Page, first: _Seen, other: _Seen) -> bool:
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
    part = _PART.match(page.plain, other.end)
    return bool(part) or (bool(spread or joined) and other.distance < 120)


def _go_on(page: Page, index: int, mentions: list[Mention]) -> None:
    """The next sentence, if it names no finding but tells where the last one is ("It was extradural")."""
    vague = [m for m in mentions if m.affirmed and m.basis != "explicit" and m.concept.cls in LESION_CLASSES]
    if not vague or page.in_sentence(index + 1):
        return
    prior = vague[-1].concept.compartments
    for cue in place_cues(page, index + 1, [])[0]:
        place = cue.place
        told = place.compartments if place.anatomy and place.strength >= _EXPLICIT else ()
        if told and not cue.outside and (not prior or prior.get(told[0], 0) >= _RARE):
            vague[-1].compartments, vague[-1].basis = told, "explicit"
            return


def _told_before(mention: Mention, described: list[Mention]) -> tuple[str, ...]:
    """The one place of the nameless lesions before, if the mention may name them and can lie there."""
    here = {one for label in mention.levels for one in vertebrae(label)}
    meant = [m for m in described if here & {one for label in m.levels for one in vertebrae(label)}]
    if not here and mention.certainty != "present":
        meant = described
    places = {m.compartments for m in meant}
    told = places.pop() if len(places) == 1 else ()
    return told if all(place in mention.concept.compartments for place in told) else ()


def _follow(page: Page, both_sides: tuple[str, ...]) -> None:
    """A mention without a place of its own takes that of the lesion it continues or names."""
    last: dict[int, Mention] = {}
    for mention in page.mentions:
        if mention.concept.cls in (*PRESSURE, "anatomy", *_NOWHERE):
            continue
        before = last.get(mention.sentence)
        epidural = before and before.compartments == (ED,) and before.concept.strength == "definitional"
        if epidural and mention.affirmed and mention.concept.id in both_sides:
            mention.compartments = (ED,)  # "an epidural mass of dumbbell shape"
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
        hedged = mention.certainty in ("possible", "probable")
        suspected = hedged and mention.basis == "inferred" and not mention.levels
        if mention.affirmed and (suspected or not mention.compartments):
            near = [m for i in (-1, 0, 1) for m in page.in_sentence(mention.sentence + i)]
            alike = [m for m in near if m.affirmed and m.concept.cls == mention.concept.cls]
            if suspected:  # "suspicion of spinal metastasis", and the next sentence tells where it is
                prior = mention.concept.compartments
                alike = [m for m in alike if m.basis == "explicit" and set(m.compartments) <= set(prior)]
            told = [m for m in alike if m.compartments]
            if told:
                mention.compartments, mention.basis = told[0].compartments, "inferred"


@Language.factory("spinetriage_compartments")
def _make(nlp: Language, name: str) -> Compartments:
    return Compartments(current())
