"""A report's text with its marks."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from review.evidence import headline, marked, sentence, spoken


def at(start: int, end: int, **other: Any) -> dict[str, Any]:
    return {"start": start, "end": end, "certainty": "present", "class": "cyst", "name": f"{start}"} | other


def content(findings: list[dict[str, Any]], context: list[dict[str, Any]] | None = None) -> dict[str, Any]:
    return {"findings": findings, "context_findings": context or []}


@given(st.text(min_size=1), st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30)), max_size=6))
def test_marks_lose_no_character_of_the_text(text: str, spans: list[tuple[int, int]]) -> None:
    findings = [at(min(a, b), max(a, b)) for a, b in spans if max(a, b) <= len(text)]
    assert "".join(part.text for part in marked(text, findings)) == text


def test_of_overlapping_findings_the_first_has_the_words_and_the_rest_its_remainder() -> None:
    parts = marked("abcdef", [at(1, 4), at(2, 6)])
    assert [(part.text, bool(part.finding)) for part in parts] == [("a", False), ("bcd", True), ("ef", True)]


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


def test_the_surest_and_gravest_finding_stands_for_the_case() -> None:
    surest = at(9, 10, **{"class": "malignant"})
    others = [
        at(0, 1, certainty="absent", **{"class": "malignant"}),
        at(2, 3, certainty="possible"),
        at(4, 5),
    ]
    assert headline(content([*others, surest])) == surest


def test_without_an_affirmed_finding_the_context_stands_for_the_case() -> None:
    compression = at(5, 6)
    assert headline(content([at(0, 1, certainty="absent")], [compression])) == compression
    assert headline(content([at(0, 1, certainty="absent")])) is None


def test_a_finding_is_said_in_words() -> None:
    said = spoken(
        at(0, 1, name="mass", certainty="possible", levels=["T6"], compartments=["intradural_extramedullary"])
    )
    assert said == "mass (possible) · T6 · intradural extramedullary"
