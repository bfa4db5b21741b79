"""What the rules of urgency ask about a report: its lesions, what presses, what belongs together."""

import re
from collections.abc import Mapping
from functools import cached_property

from nlp.neural import ends
from nlp.page import Mention, Page
from nlp.schema import LESION_CLASSES, PRESSURE

Groups = Mapping[str, frozenset[str]]

_FILLS = ("malignant", "suspicious", "infection", "haemorrhage", "benign_tumor", "vascular")
_SWELLS = re.compile(r"swell|swollen")
FLUID = re.compile(r"collection|fluid")
_UNSTABLE = 13  # points of SINS
PARTS = ("pathological_fracture", "retropulsion", "extension", "expansion")  # groups that belong to a lesion


class Case:
    """The affirmed mentions of a page, sorted for the rules."""

    def __init__(self, page: Page, affirmed: list[Mention], groups: Groups) -> None:
        self.page = page
        self.groups = groups
        self.lesions = [m for m in affirmed if m.concept.cls in LESION_CLASSES and not m.absorbed]
        self.pressures = [m for m in affirmed if m.concept.cls in PRESSURE or m.causes]
        self.compressions = [m for m in self.pressures if _compresses(m, groups)]
        self.parts = [m for m in affirmed if m.concept.id in groups["parts"]]
        self.deficit = "deficit" in page.red_flags or "sphincter" in page.red_flags
        details = [*page.details, *(d for m in affirmed for d in m.details)]
        self.sins = max((int(d.value) for d in details if d.kind == "sins"), default=None)
        self.unstable = self.sins is not None and self.sins >= _UNSTABLE
        denied = any(m.certainty == "absent" and m.concept.cls == "compression" for m in page.mentions)
        self.crowded = not denied and any(_crowds(m, groups) for m in self.pressures)

    @property
    def neural(self) -> str:
        """none, possible or present."""
        if any(m.sure for m in self.compressions):
            return "present"
        return "possible" if self.compressions or self.crowded else "none"

    @cached_property
    def first_study(self) -> bool:
        """Whether the report says that it has nothing to compare with."""
        page = self.page
        return any(s.kind == "comparison" and "none" in page.plain[s.start : s.end] for s in page.sections)

    @property
    def swollen(self) -> bool:
        """Whether the cord is surely expanded, or a swelling lies in it."""
        told = (m for m in self.lesions if m.sure and m.concept.id == "SIGNAL_NOS")
        inside = (m for m in told if "intramedullary" in m.compartments)
        return self.has("expansion") or any(_SWELLS.search(self.page.plain, m.start, m.end) for m in inside)

    @property
    def touched(self) -> bool:
        """Whether cord or cauda equina are surely touched."""
        return any(m.concept.cls == "compression" and m.sure for m in self.pressures)

    @property
    def harmless(self) -> bool:
        """Whether every lesion is of a kind that nobody acts on."""
        return all(m.concept.route in ("B", "M") for m in self.lesions)

    def emergent(self, m: Mention) -> bool:
        """Whether a lesion is pus or blood in the canal."""
        if m.concept.id in self.groups["fluid"] and _walled(self.page, m):
            return True
        inside = m.canal or (m.concept.cls == "haemorrhage" and self.presses(m))
        if m.concept.id in self.groups["emergent_in_canal"] and inside:
            return True
        return m.concept.id in self.groups["emergent"]

    def presses(self, m: Mention) -> bool:
        """Whether a lesion has a mass effect in the canal."""
        return any(m in pressure.causes for pressure in self.pressures)

    def touches(self, m: Mention) -> bool:
        """Whether a lesion surely touches or moves the cord."""
        contact = self.groups["contact"]
        return any(p.sure and p.concept.id in contact and m in p.causes for p in self.pressures)

    def breaks(self, m: Mention) -> bool:
        """Whether a bone that surely holds a malignant lesion is broken, not of old or for another cause."""
        return (
            m.concept.cls == "malignant"
            and m.certainty == "present"
            and any(
                f.concept.cls == "fracture"
                and f.sure
                and not f.known
                and f.concept.route != "M"
                and f.concept.id not in self.groups["explains"]
                and _together(m, f)
                for f in self.lesions
            )
        )

    def has(self, group: str) -> bool:
        """Whether a part of a group is present or probable anywhere in the report."""
        return any(m.sure and m.concept.id in self.groups[group] for m in self.parts)

    def parts_of(self, lesion: Mention, group: str) -> list[Mention]:
        """The affirmed parts of a group that belong to a lesion, itself among them."""
        return [m for m in self.parts if m.concept.id in self.groups[group] and _together(lesion, m)]


def _walled(page: Page, m: Mention) -> bool:
    """Whether an epidural lesion is fluid with an enhancing rim."""
    rim = any(d.kind == "enhancement" and "rim" in d.value for d in m.details)
    return rim and bool(FLUID.search(page.plain, m.start, m.end))


def _compresses(m: Mention, groups: Groups) -> bool:
    return m.concept.cls == "compression" and m.concept.id not in groups["contact"]


def _crowds(m: Mention, groups: Groups) -> bool:
    """Whether a lesion that is no wear fills the canal: compression is possible though nobody says so."""
    full = m.concept.id in groups["crowding"] or (m.severe and m.concept.id in groups["narrowing"])
    return full and any(c.concept.cls in _FILLS and not c.known for c in m.causes)


def _together(one: Mention, other: Mention) -> bool:
    """Whether two mentions speak of one place: a common vertebra, or none told and not a sentence between."""
    if one.levels and other.levels:
        return not ends(one).isdisjoint(ends(other))
    return abs(one.sentence - other.sentence) <= 1
