"""The words of place of a sentence, and whether they tell where something is or only what it is beside."""

import re
from dataclasses import dataclass
from functools import cache

from nlp.labels import level_groups
from nlp.page import Mention, Page, Sentence
from nlp.schema import COMPARTMENTS, PRESSURE, Landmarks, Place

ED, IDEM, IM = COMPARTMENTS
_NEXT_TO = 25  # characters between pressure and what is pressed
_CORD = Place((IM,), 1.0, "Inside the cord, said with a preposition.", ())
_BODY = Place((ED,), 0.9, "'The T8 body', 'bodies of L2 and L3': bone.", (), bone=True)
_IN_BONE = Place((ED,), 0.6, "'In L3' is mostly in the bone of that name.", (), bone=True)
_ON_SAC = Place((ED,), 0.6, "What touches the sac lies outside it.", (), anatomy=False)
_NEGATED = re.compile(r"(?:\b(?:without|no|not(?: yet)?|nor|never)|n't)\b(?:\W+\w+){0,2}\W*$")
_DENIALS = ("no ", "not ", "nor ", "without", "never", "n't")
_COPULA = (" is", " are", " was", " were", " appear", " remain", " look")
_WITHIN = re.compile(r"\b(?:in|within|inside|involving|occupying) (?:\w+ ){1,5}$")
_LABEL = re.compile(r"[ctdls]\d{1,2}|\d+(?:st|nd|rd|th)?")
# "in the lower thoracic cord", whatever stands between the preposition and the cord.
_IN_CORD = re.compile(
    r"\b(?:in|within|inside|of|throughout|involv\w+|affect\w+|occup\w+"
    r"|infiltrat\w+|invad\w+|expand\w+|replac\w+|distend\w+|(?:arising|originating|arises|originates) from"
    r"|cent(?:er|re)d (?:on|in|at))\s+(?:(?:the|an?|his|her|upper|lower|mid|middle|proximal|distal"
    r"|cervical|thoracic|dorsal|spinal|entire|whole|left|right|central|swollen|normal)\s+)*$"
)


@dataclass(slots=True)
class Cue:
    """A word of place in a sentence."""

    start: int
    end: int
    place: Place
    outside: bool  # "no intradural component", "the space is effaced", "at the level of the pedicle"
    pressing: list[Mention]  # what presses on this place


def place_cues(page: Page, index: int, mentions: list[Mention]) -> tuple[list[Cue], list[int]]:
    """The words of place of a sentence, and where words for the cord end."""
    sentence = page.sentences[index]
    around = _around(page.vocabulary.rules.landmarks)
    found: list[tuple[int, int, Place]] = []
    cords = []
    for start, end, word in page.words(index):
        place = word.place
        if word.target in ("cord", "medulla", "sac"):
            left = page.plain[max(sentence.start, start - 60) : start]
            if word.target == "sac":
                place = _ON_SAC if place is None and around.pressed(left) else place
            elif place is None and around.in_cord(left):
                place = _CORD
            if word.target == "cord":
                cords.append(end)
        if place is not None:
            found.append((start, end, place))
    found += _bodies(page, index, bool(cords))
    pressing = [m for m in mentions if m.concept.cls in PRESSURE]
    return [
        Cue(
            s,
            e,
            place,
            around.outside(page, sentence, s, e, place),
            [] if place is _ON_SAC else _pressing(page, s, e, pressing),
        )
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
        if any(word in left for word in _DENIALS) and _NEGATED.search(left):
            return True
        if not place.anatomy or not place.compartments:
            return False
        if page.plain.startswith(_COPULA, end) and self.spared.match(page.plain, end):
            return True
        if ED in place.compartments and not place.bone:
            return False
        if page.plain.startswith("of ", start) and self._on(left):
            return True
        rest = self._before(left)
        return rest.endswith(self.rules.pressed) or (place.bone and rest.endswith(self.rules.beside))

    def pressed(self, left: str) -> bool:
        """Whether the words before a place say that it is pressed or touched."""
        return self._before(left).endswith(self.rules.pressed)

    def _before(self, left: str) -> str:
        """The last words before a place, without those that only describe it."""
        words = left.split()
        while words and (words[-1] in self.rules.between or _LABEL.fullmatch(words[-1])):
            words.pop()
        return " ".join(words[-3:])

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
