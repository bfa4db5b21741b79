"""The elements of SINS that a report tells of a spinal tumour, with their points; nothing is assumed."""

import re
from collections.abc import Iterator

from spacy.language import Language
from spacy.tokens import Doc

from nlp.described import Said
from nlp.details import denial
from nlp.extents import COLUMN
from nlp.labels import level_groups
from nlp.neural import ends
from nlp.owners import lesions_of, noun
from nlp.page import Mention, Page, page_of
from nlp.reading import Detail
from nlp.schema import TUMOURS
from nlp.vocabulary import Vocabulary, current

# Points as published by the Spine Oncology Study Group (Fisher 2010).
_BONE = {"lytic": ("lytic", 2), "mixed": ("mixed", 1), "sclerotic": ("blastic", 0)}
_PAIN = {"mechanical": 3, "non-mechanical": 1, "painless": 0}
_ALIGNMENT = {"subluxation": 4, "de novo deformity": 2, "normal": 0}
_SIDES = {"bilateral": 3, "unilateral": 1, "none": 0}
_REGIONS = (  # (name, points, vertebrae), the worst first
    ("junctional", 3, frozenset(("C1", "C2", "C7", "T1", "T2", "T11", "T12", "L1", "L5", "S1"))),
    ("mobile", 2, frozenset(("C3", "C4", "C5", "C6", "L2", "L3", "L4"))),
    ("semirigid", 1, frozenset(f"T{n}" for n in range(3, 11))),
    ("rigid", 0, frozenset(("S2", "S3", "S4", "S5"))),
)
_HALF = 50  # per cent of height that part the grades of collapse
_SHARE = re.compile(r"([<>])? ?(\d+)(?:-(\d+))? %")
_STRETCH = 80  # characters of a quote at most
_CLOSE = 20  # characters between a part and the words that spare it
_SMALL = ("mild", "moderate")  # less than half by Genant's grades


class Stability:
    """Collects SINS elements for each tumour of bone with a level."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self.vocabulary = vocabulary

    def __call__(self, doc: Doc) -> Doc:
        """Fill `sins` of the first mention of each tumour."""
        page = page_of(doc, self.vocabulary)
        done: set[str] = set()
        for m in page.mentions:
            tumour = m.affirmed and not m.absorbed and m.concept.cls in TUMOURS and m.concept.route == "S"
            if tumour and m.levels and "extradural" in m.compartments and done.isdisjoint(ends(m)):
                done |= ends(m)
                noun(page.in_sentence(m.sentence), m).sins = list(_elements(page, m))
        return doc


def _elements(page: Page, tumour: Mention) -> Iterator[Detail]:
    """The elements told of a tumour, in the order of the score."""
    same = [m for m in page.mentions if m.affirmed and not ends(m).isdisjoint(ends(tumour))]
    details = [d for m in same for d in m.details]
    found = (
        _location(page, tumour),
        _pain(page),
        _bone(details),
        _alignment(page, same),
        _collapse(details),
        _posterolateral(page, same),
    )
    yield from (element for element in found if element)


def _location(page: Page, tumour: Mention) -> Detail | None:
    """The part of the column, by the worst vertebra; its words are the level as written."""
    touched = {v for label in tumour.levels for v in _vertebrae(label)}
    for index in range(tumour.sentence, max(-1, tumour.sentence - 4), -1):
        for start, end, label in level_groups(page, index):
            if label in tumour.levels:
                name, points = next((n, p) for n, p, region in _REGIONS if touched & region)
                return page.detail("location", name, start, end, points)
    return None


def _vertebrae(label: str) -> tuple[str, ...]:
    """All vertebrae of "T6" or "T12-L2"; C8 and L6 are none of the score."""
    known = [COLUMN.index(v) for v in label.split("-") if v in COLUMN]
    return COLUMN[min(known) : max(known) + 1] if known else ()


def _bone(details: list[Detail]) -> Detail | None:
    told = next((d for d in details if d.kind == "density"), None)
    if told is None:
        return None
    name, points = _BONE[told.value]
    return Detail("bone", name, told.quote, told.start, told.end, points)


def _collapse(details: list[Detail]) -> Detail | None:
    """Collapse by percentage or by Genant's words; what leaves both sides of the half open is not counted."""
    for told in details:
        grade = _grade(told.value) if told.kind == "height_loss" else None
        if grade:
            return Detail("collapse", grade[0], told.quote, told.start, told.end, grade[1])
    return None


def _grade(value: str) -> tuple[str, int] | None:
    if value in ("none", "complete"):
        return (value, 0) if value == "none" else ("> 50 %", 3)
    if value in _SMALL:
        return "< 50 %", 2
    share = _SHARE.fullmatch(value)
    if share is None:
        return None
    low = int(share[2])
    high = int(share[3] or low)
    if share[1] != "<" and (low > _HALF or (share[1] == ">" and low >= _HALF)):
        return "> 50 %", 3
    return ("< 50 %", 2) if share[1] != ">" and high < _HALF + (share[1] == "<") else None


def _pain(page: Page) -> Detail | None:
    """Pain stands anywhere, mostly in the indication; back pain of unsaid kind is not counted."""
    for index, said in page.said().items():
        for start, end, value in said.get("pain", ()):
            if value == "painless" or denial(page, index, start, end) is None:
                return page.detail("pain", value, start, end, _PAIN[value])
    return None


def _near(page: Page, index: int, same: list[Mention]) -> bool:
    """Whether a sentence speaks of the tumour, or goes on about it."""
    return any(m in same for m in (*page.in_sentence(index), *lesions_of(page, index)))


def _alignment(page: Page, same: list[Mention]) -> Detail | None:
    """The worst that is told: deformity only where the tumour is spoken of, normal anywhere."""
    found = [
        page.detail("alignment", value, start, end, _ALIGNMENT[value])
        for index, said in page.said().items()
        for start, end, value in said.get("alignment", ())
        if (value == "normal" or (_near(page, index, same) and denial(page, index, start, end) is None))
    ]
    return max(found, key=lambda d: d.points or 0, default=None)


def _posterolateral(page: Page, same: list[Mention]) -> Detail | None:
    """Sides whose facet, pedicle or costovertebral joint the tumour takes; left and right make both."""
    sides: dict[str, tuple[int, int]] = {}
    for index, said in page.said().items():
        parts = said.get("posterolateral", [])
        if parts and _near(page, index, same):
            for start, end, value in parts:
                spared = _spared(page, index, said, (start, end))
                if spared or value != "posterior elements":
                    sides.setdefault("none" if spared else value, spared or (start, end))
    affected = [name for name in ("bilateral", "left", "right", "unilateral") if name in sides]
    if not affected:
        return page.detail("posterolateral", "none", *sides["none"], 0) if "none" in sides else None
    both = "bilateral" in affected or {"left", "right"} <= sides.keys()
    name = "bilateral" if both else "unilateral"
    start = min(sides[side][0] for side in affected)
    end = max(sides[side][1] for side in affected)
    start, end = (start, end) if end - start < _STRETCH else sides[affected[0]]
    return page.detail("posterolateral", name, start, end, _SIDES[name])


def _spared(page: Page, index: int, said: Said, part: tuple[int, int]) -> tuple[int, int] | None:
    """The words that say that a part is spared, together with it."""
    start, end = part
    for s, e, side in said.get("spared", ()):
        if side == "after" and 0 <= s - end < _CLOSE and "," not in page.plain[end:s]:
            return start, e
        if side == "before" and 0 <= start - e < _CLOSE and "," not in page.plain[e:start]:
            return s, end
    denied = denial(page, index, start, end)
    return None if denied is None else (denied, end)


@Language.factory("spinetriage_stability")
def _make(nlp: Language, name: str) -> Stability:
    return Stability(current())
