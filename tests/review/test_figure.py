"""The picture of the spine: levels, compartments and certainty by place and shape."""

from __future__ import annotations

from typing import Any

import pytest

from review.figure import LANES, STEP, TOP, Figure, figure
from review.findings import found
from review.spine import VERTEBRAE


def at(
    levels: list[str], place: str = "extradural", certainty: str = "present", **other: Any
) -> dict[str, Any]:
    made = {
        "start": 0, "end": 1, "quote": "x", "concept": "C", "name": "mass", "class": "suspicious",
        "certainty": certainty, "compartments": [place] if place else [], "compartment_basis": "explicit",
        "cue": None, "levels": levels, "size_mm": [], "trend": "unknown", "section": "findings",
    }  # fmt: skip
    return made | other


def drawn(*findings: dict[str, Any], context: tuple[dict[str, Any], ...] = ()) -> Figure | None:
    content = {"findings": list(findings), "context_findings": list(context), "reasons": []}
    return figure(found(content, {}), len(findings))


def bars(picture: Figure | None) -> set[tuple[str, str, str, str]]:
    """Return each bar as lane, certainty, first and last vertebra."""
    assert picture is not None
    lanes = {x: name for name, x in LANES.items()}

    def name(y: int) -> str:
        return VERTEBRAE[(y - TOP) // STEP]

    return {(lanes[b.x], b.certainty, name(b.y), name(b.y + b.height)) for b in picture.bars}


def test_a_range_is_one_bar_in_the_lane_of_its_compartment() -> None:
    assert bars(drawn(at(["T6-T8"], "intramedullary"))) == {("intramedullary", "present", "T6", "T8")}


def test_levels_apart_are_bars_apart() -> None:
    expected = {("extradural", "present", "T7", "T7"), ("extradural", "present", "L4", "L4")}
    assert bars(drawn(at(["T7", "L4"]))) == expected


def test_where_two_are_said_the_surer_is_shown() -> None:
    picture = drawn(at(["T6-T8"], certainty="possible"), at(["T7"]))
    assert bars(picture) == {
        ("extradural", "possible", "T6", "T6"),
        ("extradural", "present", "T7", "T7"),
        ("extradural", "possible", "T8", "T8"),
    }


def test_a_compartment_that_is_not_said_has_a_lane_of_its_own() -> None:
    picture = drawn(at(["L1"], place=""))
    assert picture is not None
    assert picture.has_unknown_lane
    assert bars(picture) == {("", "present", "L1", "L1")}


def test_compression_points_at_the_canal_and_wear_is_left_out() -> None:
    pressing = at(["T6"], **{"class": "compression", "name": "cord compression"})
    worn = at(["L4-L5"], **{"class": "degenerative"})
    picture = drawn(context=(pressing, worn))
    assert picture is not None
    assert [row.name for row in picture.rows if row.is_pressed] == ["T6"]
    assert [row.name for row in picture.rows if row.is_affected] == ["T6"]
    assert picture.bars == []
    assert picture.words == ["cord compression · T6 · extradural"]


@pytest.mark.parametrize(
    "finding",
    [at([]), at(["T6"], certainty="absent"), at(["T6"], certainty="historical"), at(["sacrum"])],
    ids=["no level", "absent", "historical", "a level of no vertebra"],
)
def test_without_an_affirmed_level_there_is_no_picture(finding: dict[str, Any]) -> None:
    assert drawn(finding) is None


def test_the_words_tell_what_the_picture_shows_once() -> None:
    picture = drawn(at(["T6"]), at(["T6"]), at(["L1"], certainty="probable"))
    assert picture is not None
    assert picture.words == ["mass · T6 · extradural", "mass (probable) · L1 · extradural"]
