"""A report's text with its marks: complete, in order, and every mark reachable."""

from __future__ import annotations

from html.parser import HTMLParser
from typing import Any

import pytest
from django.template.loader import render_to_string
from hypothesis import given
from hypothesis import strategies as st

from review.findings import found
from review.stretches import Mark, stretches

Spans = list[tuple[int, int]]


class Page(HTMLParser):
    """Reads a page as a browser does: the report's text, the anchors, and what leads to them."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.text: list[str] = []
        self.badges: list[str] = []
        self.marks: list[dict[str, str | None]] = []
        self.links: list[str | None] = []
        self.open: list[str] = []
        # A browser turns a bare CR into a line feed before it reads the first tag.
        self.feed(page.replace("\r\n", "\n").replace("\r", "\n"))
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        told = dict(attrs)
        if tag == "div" and told.get("id") == "report":
            self.open = ["report"]
        elif self.open:
            self.open.append("badge" if "badge" in (told.get("class") or "").split() else tag)
            if tag == "mark":
                self.marks.append(told)
            if tag == "a":
                self.links.append(told["href"])

    def handle_endtag(self, tag: str) -> None:
        if self.open:
            self.open.pop()

    def handle_data(self, data: str) -> None:
        if self.open:
            (self.badges if "badge" in self.open else self.text).append(data)


def finding(start: int, end: int, **other: Any) -> dict[str, Any]:
    made = {
        "start": start, "end": end, "quote": "", "concept": "C", "name": "mass", "class": "suspicious",
        "certainty": "present", "compartments": ["extradural"], "compartment_basis": "explicit", "levels": [],
        "size_mm": [], "trend": "unknown", "section": "findings", "cue": None,
    }  # fmt: skip
    return made | other


def shown(text: str, spans: Spans) -> Page:
    content = {"findings": [finding(*span) for span in spans], "context_findings": [], "reasons": []}
    marks = [row.mark for row in found(content, {})]
    context = {"stretches": stretches(text, marks), "version": {"pk": 1, "text": text}, "found": marks}
    return Page(render_to_string("pages/text.html", context))


# What no browser keeps as it is: no report holds it, as no database does.
texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=60)
spans = st.lists(st.tuples(st.integers(-2, 70), st.integers(-2, 70)), max_size=8)


@given(texts, spans)
def test_the_text_of_the_page_is_the_text_whatever_is_marked(text: str, given_spans: Spans) -> None:
    page = shown(text, given_spans)
    assert "".join(page.text) == text


@given(texts, spans)
def test_every_finding_with_words_has_one_anchor_with_its_offsets_and_one_badge(
    text: str, given_spans: Spans
) -> None:
    page = shown(text, given_spans)
    there = {
        f"finding-{number}": (str(start), str(end))
        for number, (start, end) in enumerate(given_spans)
        if 0 <= start < end <= len(text)
    }
    anchors = [mark for mark in page.marks if "id" in mark]
    assert {mark["id"]: (mark["data-start"], mark["data-end"]) for mark in anchors} == there
    assert len(anchors) == len(there)
    assert sorted(page.links) == sorted(f"#row-{name.removeprefix('finding-')}" for name in there)  # type: ignore[type-var]


@pytest.mark.parametrize(
    "text", ["a\rb\r\nc", "\n\nFINDINGS: <b>&amp;\n", "🦴 mass 🦴", "  x  ", "\x0b\x1f\u2028."]
)
def test_what_a_browser_likes_to_change_stays(text: str) -> None:
    assert "".join(shown(text, [(0, 2)]).text) == text


def test_of_overlapping_findings_each_is_marked_whole() -> None:
    marks = [Mark(1, 4, "a", "", "A", ""), Mark(2, 6, "b", "", "B", "")]
    pieces = stretches("abcdef", marks)
    assert [(piece.text, "".join(m.badge for m, _ in piece.marks)) for piece in pieces] == [
        ("a", ""), ("b", "A"), ("cd", "AB"), ("ef", "B"),
    ]  # fmt: skip
    assert [[m.badge for m in piece.ending] for piece in pieces] == [[], [], ["A"], ["B"]]
    assert [[begins for _, begins in piece.marks] for piece in pieces] == [[], [True], [False, True], [False]]


@pytest.mark.parametrize(
    ("text", "headings"),
    [
        ("FINDINGS: fine.\nImpression: fine.", ["FINDINGS:", "Impression:"]),
        ("Clinical history: pain. IMPRESSION: none.", ["Clinical history:", "IMPRESSION:"]),
        ("CLINICAL DETAILS : x", ["CLINICAL DETAILS :"]),
        ("Seen at L5: a mass. The impression: none", []),
        ("no heading", []),
    ],
)
def test_headings_stand_out(text: str, headings: list[str]) -> None:
    assert [piece.text for piece in stretches(text, []) if piece.is_heading] == headings


def test_a_mark_across_a_heading_keeps_its_words() -> None:
    pieces = stretches("A mass. IMPRESSION: none", [Mark(2, 18, "a", "", "A", "")])
    assert [(p.text, bool(p.marks), p.is_heading) for p in pieces] == [
        ("A ", False, False), ("mass. ", True, False), ("IMPRESSION", True, True), (":", False, True),
        (" none", False, False),
    ]  # fmt: skip


def test_what_turns_the_direction_of_writing_around_is_there_and_does_nothing() -> None:
    (piece,) = stretches("a \u202e12 < 21\u202c b", [])
    turned = '<span class="turning">\u202e</span>12 &lt; 21<span class="turning">\u202c</span>'
    assert piece.exact == f"a {turned} b"
