"""The findings as pages list them: order, words, marks."""

from __future__ import annotations

from typing import Any

import pytest

from review.findings import corrected, found, sizes
from review.models import Correction


def at(start: int, certainty: str = "present", **other: Any) -> dict[str, Any]:
    made = {
        "start": start, "end": start + 1, "quote": "x", "concept": f"C{start}", "name": f"lesion {start}",
        "class": "suspicious", "certainty": certainty, "compartments": [], "compartment_basis": "none",
        "cue": None, "levels": [], "size_mm": [], "trend": "unknown", "section": "findings",
        "details": [], "sins": [],
    }  # fmt: skip
    return made | other


def content(
    findings: list[dict[str, Any]],
    context: list[dict[str, Any]] | None = None,
    reasons: list[dict[str, Any]] | None = None,
) -> dict[str, Any]:
    return {"findings": findings, "context_findings": context or [], "reasons": reasons or []}


def numbers(read: dict[str, Any]) -> list[int]:
    return [row.number for row in found(read, {})]


def test_affirmed_findings_come_before_the_rest_and_the_heavier_before_the_lighter() -> None:
    read = content(
        [at(0, "absent"), at(1, **{"class": "cyst"}), at(2, "possible"), at(3, **{"class": "malignant"})],
        [at(4, **{"class": "degenerative"}), at(5, **{"class": "compression"})],
        [{"rule": "B", "points": 30, "text": "lesion 3, present"}],
    )
    assert numbers(read) == [3, 5, 2, 1, 4, 0]


def test_what_the_case_is_called_after_and_what_presses_come_first() -> None:
    reasons = [
        {"rule": "B", "points": 15, "text": "lesion 1, present"},
        {"rule": "N", "points": 9, "text": "lesion 3"},
    ]
    read = content([at(0, **{"class": "malignant"}), at(1)], [at(2), at(3)], reasons)
    assert numbers(read)[:2] == [3, 1]


def test_mentions_of_one_thing_stand_together_in_the_order_of_the_text() -> None:
    same = {"concept": "META", "class": "malignant"}
    read = content(
        [at(9, **same), at(5, **{"class": "infection"}), at(1, "possible", **same), at(0, "absent", **same)],
        reasons=[{"rule": "B", "points": 30, "text": "lesion 9, present"}],
    )
    assert numbers(read) == [2, 0, 1, 3]


@pytest.mark.parametrize(
    ("compartments", "basis", "letters", "said"),
    [
        ([], "none", "", ""),
        (["extradural"], "explicit", "ED", "said in words"),
        (["intradural_extramedullary"], "inferred", "(IDEM)", "inferred"),
        (["intramedullary", "extradural"], "explicit", "IM/ED", "said in words"),
    ],
)
def test_a_compartment_has_letters_and_a_basis(
    compartments: list[str], basis: str, letters: str, said: str
) -> None:
    (row,) = found(content([at(0, compartments=compartments, compartment_basis=basis)]), {})
    assert (row.letters, row.basis) == (letters, said)
    assert row.mark.badge == " · ".join(filter(None, ("present", letters)))


@pytest.mark.parametrize(
    ("certainty", "badge"),
    [("absent", "absent"), ("historical", "in the past"), ("indication", "asked about")],
)
def test_what_is_not_affirmed_has_a_short_badge(certainty: str, badge: str) -> None:
    (row,) = found(content([at(0, certainty, compartments=["extradural"])]), {})
    assert (row.mark.badge, row.is_affirmed) == (badge, False)


def test_sizes_have_their_unit_and_earlier_ones_stand_apart() -> None:
    details = [
        {"kind": "size", "value": "21 x 14 mm", "quote": "", "start": 0, "end": 1},
        {"kind": "prior_size", "value": "8 mm", "quote": "", "start": 0, "end": 1},
        {"kind": "signal", "value": "T2 hyper", "quote": "", "start": 0, "end": 1},
    ]
    (row,) = found(content([at(0, details=details, size_mm=[21.0, 14.0])]), {})
    assert (row.size, row.earlier_size) == ("21 × 14 mm", "8 mm")
    assert [line.name for line in row.details] == ["signal"]
    assert sizes([21.0, 13.5]) == "21 × 13.5 mm"
    assert sizes([]) == ""


def test_a_reading_from_before_there_were_details_still_shows() -> None:
    old = at(0, size_mm=[9.0])
    del old["details"], old["sins"]
    (row,) = found(content([old]), {})
    assert (row.size, row.earlier_size, row.details) == ("9 mm", "", [])


@pytest.mark.parametrize(
    ("trend", "words"),
    [("new", "+ new"), ("progressed", "↑ progressed"), ("stable", "= stable"), ("unknown", "")],
)
def test_a_trend_is_a_sign_and_a_word(trend: str, words: str) -> None:
    (row,) = found(content([at(0, trend=trend)]), {})
    assert row.trend == words


def test_a_correction_is_told_in_place_of_the_badge() -> None:
    said = Correction(kind="otherwise", certainty="possible", compartments=["intramedullary"], levels=["T8"])
    assert corrected(said) == "possible, intramedullary, T8"
    assert corrected(Correction(kind="not_a_lesion")) == "not a lesion"
    (row,) = found(content([at(0)]), {(0, 1): said})
    assert row.mark.badge == "✎ possible, intramedullary, T8"
    assert row.mark.kind == "present corrected"
