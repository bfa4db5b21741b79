"""Where on the spine the findings lie: the measures of a small picture, and the same in words."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby

from review.evidence import AFFIRMED, spoken
from review.findings import Found
from review.spine import VERTEBRAE, covered

STEP = 9  # height of a vertebra in the picture's units
TOP = 16  # above it stand the letters of the lanes
LANES = {"extradural": 55, "intradural_extramedullary": 77, "intramedullary": 99, "": 128}  # their left edges
NAMED = {"C1", "C7", "T1", "T6", "T12", "L1", "L5", "S1", "S5"}  # these have their name in any case
PRESSING = "compression"


@dataclass(frozen=True, slots=True)
class Row:
    """A vertebra of the picture."""

    name: str
    y: int
    is_named: bool
    is_affected: bool
    is_pressed: bool

    @property
    def base(self) -> int:
        """Where its name stands."""
        return self.y + STEP - 2


@dataclass(frozen=True, slots=True)
class Bar:
    """Vertebrae in a row where one lane has findings of one certainty."""

    certainty: str
    x: int
    y: int
    height: int


@dataclass(frozen=True, slots=True)
class Figure:
    """The spine from C1 to S5 with the levels of the affirmed lesions, and of what presses on the cord."""

    rows: list[Row]
    bars: list[Bar]
    words: list[str]  # the same for those who do not see the picture
    has_unknown_lane: bool
    has_pressing: bool
    height: int = TOP + STEP * len(VERTEBRAE) + 4


def figure(rows: Iterable[Found], lesions: int) -> Figure | None:
    """Draw the levels of affirmed findings; None when the report names none.

    Parameters
    ----------
    lesions
        How many of the reading's findings are lesions: those after them are drawn only when they press.
    """
    drawn = [
        row for row in rows if row.is_affirmed and (row.number < lesions or row.finding["class"] == PRESSING)
    ]
    lanes: dict[str, dict[str, str]] = {lane: {} for lane in LANES}
    pressed: set[str] = set()
    words: dict[str, None] = {}
    for row in drawn:
        vertebrae = [name for level in row.finding["levels"] for name in covered(level)]
        if not vertebrae:
            continue
        words[spoken(row.finding)] = None
        if row.finding["class"] == PRESSING:
            pressed.update(vertebrae)
            continue
        for lane in row.finding["compartments"] or [""]:
            for name in vertebrae:
                sure = min(row.finding["certainty"], lanes[lane].get(name, "possible"), key=AFFIRMED.index)
                lanes[lane][name] = sure
    if not words:
        return None
    affected = pressed.union(*lanes.values())
    return Figure(
        rows=[
            Row(name, TOP + STEP * place, name in NAMED, name in affected, name in pressed)
            for place, name in enumerate(VERTEBRAE)
        ],
        bars=[bar for lane, cells in lanes.items() for bar in _bars(LANES[lane], cells)],
        words=list(words),
        has_unknown_lane=bool(lanes[""]),
        has_pressing=bool(pressed),
    )


def _bars(x: int, cells: dict[str, str]) -> Iterable[Bar]:
    """Join vertebrae of the same certainty that lie under each other."""
    place = 0
    for certainty, names in groupby(VERTEBRAE, key=cells.get):
        count = len(list(names))
        if certainty:
            yield Bar(certainty, x, TOP + STEP * place + 1, STEP * count - 2)
        place += count
