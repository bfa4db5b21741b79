"""Outside the dura, inside it, or in the cord."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from spacy.language import Language
from spacy.tokens import Doc

from nlp.labels import level_groups
from nlp.page import Mention, Page, Sentence, page_of
from nlp.schema import COMPARTMENTS, LESION_CLASSES, Landmarks, Place
from nlp.vocabulary import Vocabulary, current

ED, IDEM, IM = COMPARTMENTS
_NEXT_TO = 25  # characters between pressure and what is pressed
_HINTED = 80  # characters at which a hint still counts
_FAR = 300  # characters at which a place still speaks of a lesion
_EXPLICIT = 0.9
_RARE = 0.1  # a compartment that a lesion has less often than this needs words of its own
_CORD = Place((IM,), 1.0, "Inside the cord, said with a preposition.", ())
_BODY = Place((ED,), 0.9, "'The T8 body', 'bodies of L2 and L3': bone.", (), bone=True)
_IN_BONE = Place((ED,), 0.6, "'In L3' is mostly in the bone of that name.", (), bone=True)
_NEGATED = re.compile(r"\b(?:without|no|not|nor)\b(?:\W+\w+){0,2}\W*$")
_SPREAD = re.compile(
    r"^\W*(?:\w+\W+){0,2}?(?:extension|component|involvement|invasion|spread|extending|portion|part)"
)
_PART = re.compile(r" (?:component|portion|part)\b")
_COPULA = (" is", " are", " was", " were", " appear", " remain", " look")
_ADJECTIVE = re.compile(
    r" (?:(?!(?:of|with|is|and|by|to|the|in|at|from|near|on|or|a|an|has|no|are|was)\b)\w+ ){0,3}"
)
_INTO = re.compile(r"(?:extend\w*|extension|growing|grows|spread\w*|invad\w*|breach\w*)[^,;.]{0,40}$")
# "in the lower thoracic cord", whatever stands between the preposition and the cord.
_IN_CORD = re.compile(
    r"\b(?:in|within|inside|of|throughout|involv\w+|affect\w+|(?:arising|originating|arises|originates) from"
    r"|cent(?:er|re)d (?:on|in|at))\s+(?:(?:the|an?|his|her|upper|lower|mid|middle|proximal|distal"
    r"|cervical|thoracic|dorsal|spinal|entire|whole|left|right|central|swollen|normal)\s+)*$"
)
_WITHIN = re.compile(r"\b(?:in|within|inside|involving|occupying) (?:\w+ ){1,5}$")
_LABEL = re.compile(r"[ctdls]\d{1,2}|\d+(?:st|nd|rd|th)?")


@dataclass(slots=True)
class _Cue:
    """A word of place in a sentence."""

    start: int
    end: int
    place: Place
    outside: bool  # "no intradural component", "the space is effaced", "at the level of the pedicle"
    pressing: list[Mention]  # what presses on this place


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

    def __call__(self, doc: Doc) -> Doc:
        """Set `compartments`, `basis` and `canal` of each lesion."""
        page = page_of(doc, self.vocabulary)
        for index, mentions in page.by_sentence().items():
            cues, cords = _cues(page, index, mentions)
            for mention in mentions:
                seen = _seen(page, mention, mentions, cues) if cues else []
                mention.canal = any(s.place.canal and s.clause for s in seen)
                mention.compartments, mention.basis = resolve(page, mention, seen, cords)
            if index + 1 < len(page.sentences) and not page.in_sentence(index + 1):
                _go_on(page, index, mentions)
        _follow(page)
        return doc


def _cues(page: Page, index: int, mentions: list[Mention]) -> tuple[list[_Cue], list[int]]:
    """The words of place of a sentence, and where words for the cord end."""
    sentence = page.sentences[index]
    around = _around(page.vocabulary.rules.landmarks)
    found: list[tuple[int, int, Place]] = []
    cords = []
    for start, end, word in page.words(index):
        place = word.place
        if word.target == "cord":
            cords.append(end)
            if place is None and around.in_cord(page.plain[max(sentence.start, start - 60) : start]):
                place = _CORD
        if place is not None:
            found.append((start, end, place))
    found += _bodies(page, index, bool(cords))
    pressing = [m for m in mentions if m.concept.cls in ("compression", "crowding")]
    return [
        _Cue(s, e, place, around.outside(page, sentence, s, e, place), _pressing(page, s, e, pressing))
        for s, e, place in found
    ], cords


def _pressing(page: Page, start: int, end: int, pressing: list[Mention]) -> list[Mention]:
    """The findings that press on a place: it stands in their words or next to them."""
    return [
        m
        for m in pressing
        if (start < m.end and m.start < end)
        or (0 <= start - m.end < _NEXT_TO and "," not in page.plain[m.end : start])
    ]


def _bodies(page: Page, index: int, cord: bool) -> list[tuple[int, int, Place]]:
    """Bone named by its level: "the T8 body"; and "in T8", where nothing of the cord is said."""
    found = []
    for start, end, label in level_groups(page, index):
        if page.plain.startswith((" body", " bodies"), end):
            found.append((end + 1, end + 5, _BODY))
        elif page.plain.endswith(("body of ", "bodies of ", "body of the "), 0, start):
            found.append((start, end, _BODY))
        elif not cord and "-" not in label and page.plain.endswith((" in ", " within "), 0, start):
            found.append((start, end, _IN_BONE))
    return found


class _Around:
    """Tells by the words around a place whether a lesion lies in it."""

    def __init__(self, rules: Landmarks) -> None:
        self.rules = rules
        self.spared = re.compile(
            rf" (?:is|are|was|were|appears?|remains?|looks?) (?:\w+ )?(?:{'|'.join(rules.spared)})\b"
        )

    def outside(self, page: Page, sentence: Sentence, start: int, end: int, place: Place) -> bool:
        """Whether the words before and after a place say that the lesion does not lie in it."""
        left = page.plain[max(sentence.start, start - 60) : start]
        if ("no" in left or "without" in left) and _NEGATED.search(left):
            return True
        if not place.anatomy or not place.compartments:
            return False
        if page.plain.startswith(_COPULA, end) and self.spared.match(page.plain, end):
            return True
        if ED in place.compartments and not place.bone:
            return False
        if page.plain.startswith("of ", start) and self._on(left):
            return True
        words = left.split()
        while words and (words[-1] in self.rules.between or _LABEL.fullmatch(words[-1])):
            words.pop()
        rest = " ".join(words[-3:])
        return rest.endswith(self.rules.pressed) or (place.bone and rest.endswith(self.rules.beside))

    def in_cord(self, left: str) -> bool:
        """Whether the words before "cord" place a lesion in it."""
        said = _IN_CORD.search(left)
        return said is not None and not (said[0].startswith("of ") and self._on(left[: said.start()]))

    def _on(self, left: str) -> bool:
        """Whether words before "of the cord" mean its outside: "surface", not "in the dorsal aspect"."""
        words = left.split()
        return bool(words) and words[-1] in self.rules.surfaces and not _WITHIN.search(left)


@cache
def _around(rules: Landmarks) -> _Around:
    return _Around(rules)


def _seen(page: Page, mention: Mention, mentions: list[Mention], cues: list[_Cue]) -> list[_Seen]:
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
        if cue.outside or any(m is not mention for m in cue.pressing):
            continue
        left, right = (mention.end, s) if s >= mention.end else (e, mention.start)
        gap = page.plain[left:right]
        others = sum(left <= m.start < right for m in mentions if m is not mention) if several else 0
        clause = not (";" in gap or " but " in gap or " and there " in gap or ": " in gap)
        distance = len(gap) + (25 if others else 10) * gap.count(",") + 15 * others + 3 * (s < mention.start)
        seen.append(_Seen(s, e, cue.place, False, clause, distance))
    if len(seen) > 1:
        seen.sort(key=lambda x: x.distance)
    return seen


def resolve(page: Page, mention: Mention, seen: list[_Seen], cords: list[int]) -> tuple[tuple[str, ...], str]:
    """The compartments of a mention, main one first, and what they rest on."""
    prior = mention.concept.compartments
    usual = next(iter(prior), "")
    strong = bool(prior) and prior[usual] >= 0.85
    allowed = [s for s in seen if not (strong and usual != ED and s.place.bone and not s.inside)]
    explicit = [
        s for s in allowed if s.place.strength >= _EXPLICIT and s.place.compartments and s.place.anatomy
    ]
    open_to_place = mention.concept.strength in ("weak", "moderate") and not any(s.inside for s in explicit)
    if cords and open_to_place and _cord_before(page, mention, cords):
        return (IM,), "explicit"
    near = [s for s in explicit if s.clause or _PART.match(page.plain, s.end)]
    if near:
        first = near[0]
        if strong and usual not in first.place.compartments and not first.inside and first.distance > 40:
            return (usual,), "inferred"
        found = _told(first, prior, strong)
        for other in near[1:]:
            found += [c for c in _told(other, prior, strong) if c not in found and _adds(page, first, other)]
        return tuple(found), "explicit"
    return _usual(mention, allowed, page.vocabulary.rules.priority.groups["both_sides"])


def _told(seen: _Seen, prior: Mapping[str, float], strong: bool) -> list[str]:
    """The compartments a cue tells; a dumbbell sarcoma passes the foramen outside the dura."""
    told = list(seen.place.compartments)
    two_sided = len(told) > 1 and seen.place.strength < 1
    return [c for c in told if prior.get(c, 0) >= _RARE] if strong and two_sided else told


def _usual(mention: Mention, seen: list[_Seen], both_sides: tuple[str, ...]) -> tuple[tuple[str, ...], str]:
    """What hints and the kind of lesion suggest where nothing is said outright."""
    prior = mention.concept.compartments
    if mention.concept.id in both_sides:
        return (ED, IDEM), "inferred"
    usual = next(iter(prior), "")
    if usual and mention.concept.strength in ("definitional", "strong"):
        return (usual,), "inferred"
    hints = [
        s.place.compartments[:1] for s in seen if s.place.compartments and s.clause and s.distance < _HINTED
    ]
    if hints:
        return hints[0], "inferred"
    return ((usual,), "inferred") if usual and mention.concept.strength == "moderate" else ((), "none")


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
    start = page.sentences[index + 1].start
    vague = [m for m in mentions if m.affirmed and m.basis != "explicit" and m.concept.cls in LESION_CLASSES]
    if not vague or not page.plain.startswith(page.vocabulary.rules.levels.follow.pronouns, start):
        return
    prior = vague[-1].concept.compartments
    for cue in _cues(page, index + 1, [])[0]:
        place = cue.place
        told = place.compartments if place.anatomy and place.strength >= _EXPLICIT else ()
        if told and not cue.outside and (not prior or prior.get(told[0], 0) >= _RARE):
            vague[-1].compartments, vague[-1].basis = told, "explicit"
            return


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
