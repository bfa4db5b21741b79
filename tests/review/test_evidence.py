"""What a reading says, in words."""

from __future__ import annotations

from typing import Any

import pytest

from review.evidence import headline, in_a_line, neural, sentence, spoken, told


def at(start: int, end: int, **other: Any) -> dict[str, Any]:
    finding = {"start": start, "end": end, "certainty": "present", "class": "cyst", "name": f"{start}"}
    return finding | {"levels": [], "compartments": []} | other


def content(
    findings: list[dict[str, Any]],
    context: list[dict[str, Any]] | None = None,
    reasons: list[dict[str, Any]] | None = None,
) -> dict[str, Any]:
    return {"findings": findings, "context_findings": context or [], "reasons": reasons or []}


@pytest.mark.parametrize(
    ("text", "quote", "expected"),
    [
        ("Mass.", "Mass", ("", "Mass", ".")),
        ("No fever. Mass at T6. Otherwise fine.", "Mass", ("", "Mass", " at T6.")),
        ("A 3.5 cm mass here. Fine.", "mass", ("A 3.5 cm ", "mass", " here.")),
        ("IMPRESSION:\nNew mass\nEnd", "mass", ("New ", "mass", "")),
    ],
)
def test_the_sentence_around_the_words(text: str, quote: str, expected: tuple[str, str, str]) -> None:
    start = text.index(quote)
    assert sentence(text, start, start + len(quote)) == expected


def test_a_long_sentence_is_cut_and_says_so() -> None:
    text = "word " * 100 + "mass" + " word" * 100
    before, words, after = sentence(text, 500, 504, reach=20)
    assert (before[0], words, after[-1]) == ("…", "mass", "…")
    assert len(before) < 25
    assert len(after) < 25


def test_a_sentence_of_a_list_cannot_be_turned_around() -> None:
    text = "A \u202emass of 12 mm\u202c at \u2067T6\u2069."
    start = text.index("mass")
    assert sentence(text, start, start + 4) == ("A ", "mass", " of 12 mm at T6.")


def test_the_lesion_that_was_scored_stands_for_the_case_by_its_surest_and_best_placed_words() -> None:
    chief = at(9, 10, name="metastasis", levels=["T6"])
    others = [
        at(0, 1, name="metastasis", certainty="absent"),
        at(2, 3, name="metastasis", certainty="possible"),
        at(4, 5, name="cyst", levels=["T6"]),
        at(6, 7, name="metastasis"),
    ]
    reasons = [{"rule": "B", "points": 30, "text": "metastasis, present"}]
    assert headline(content([*others, chief], reasons=reasons)) == chief
    assert headline(content([at(2, 3, certainty="possible"), at(4, 5)])) == at(4, 5)


def test_a_lesion_that_is_only_described_goes_by_the_name_that_the_report_gives_it() -> None:
    there = {"levels": ["L2-L4"], "compartments": ["extradural"]}
    signal = at(2, 3, **{"name": "abnormal signal", "class": "inflammatory"}, **there)
    collection = at(0, 1, **{"name": "extradural lesion", "class": "suspicious"}, **there)
    abscess = at(9, 10, **{"name": "epidural abscess", "class": "infection"}, **there)
    reasons = [{"rule": "B", "points": 30, "text": "extradural lesion, present"}]
    assert headline(content([collection, signal, abscess], reasons=reasons)) == abscess
    for other in ({"levels": ["L5"]}, {"compartments": ["intramedullary"]}, {"certainty": "possible"}):
        assert headline(content([collection, abscess | other], reasons=reasons)) == collection


def test_without_a_lesion_what_presses_on_the_cord_stands_for_the_case() -> None:
    disc, pressing = at(1, 2, name="disc herniation"), at(5, 6, name="cord compression")
    reasons = [{"rule": "N", "points": 40, "text": "cord compression at T6, present"}]
    absent = at(0, 1, certainty="absent")
    assert headline(content([absent], [disc, pressing], reasons)) == pressing
    assert headline(content([absent], [disc])) == disc
    assert headline(content([absent])) is None
    assert neural(content([], [], reasons)) == "cord compression at T6"
    assert neural(content([])) == ""


def test_a_line_says_the_lesion_and_what_presses_once_each() -> None:
    lesion = at(0, 1, name="extradural lesion", levels=["L2"], compartments=["extradural"])
    pressing = [{"rule": "N", "points": 40, "text": "cord compression at T6, present"}]
    same = [{"rule": "N", "points": 40, "text": "extradural lesion, present"}]
    assert (
        in_a_line(content([lesion], [], pressing))
        == "extradural lesion · L2 · extradural + cord compression at T6"
    )
    assert in_a_line(content([lesion], [], same)) == "extradural lesion · L2 · extradural"
    assert in_a_line(content([])) == ""


def test_a_finding_is_said_in_words() -> None:
    said = spoken(
        at(0, 1, name="mass", certainty="possible", levels=["T6"], compartments=["intradural_extramedullary"])
    )
    assert said == "mass (possible) · T6 · intradural extramedullary"


def test_details_are_told_by_the_names_people_use_and_old_readings_have_none() -> None:
    finding = at(0, 1, details=[{"kind": "prior_size", "value": "8 mm", "quote": "previously 8 mm"}])
    assert [(line.name, line.value) for line in told(finding)] == [("earlier size", "8 mm")]
    assert told(at(0, 1)) == []


def test_a_partial_sins_says_how_much_of_it_is_known() -> None:
    elements = [
        {"kind": "location", "value": "junctional", "quote": "L1", "points": 3},
        {"kind": "bone", "value": "lytic", "quote": "lytic", "points": 2},
    ]
    (line,) = told(at(0, 1, details=[], sins=elements))
    assert (line.name, line.quote) == ("SINS", "L1; lytic")
    assert line.value == "2 of 6 known, 5 points so far: location junctional (3), bone lytic (2)"
