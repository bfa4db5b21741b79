"""Sentences with marks: each marked phrase is found, with its certainty, place and level."""

import re
import tomllib
from pathlib import Path

import pytest

from nlp.reader import read

CASES = Path(__file__).parent / "cases"
MARK = re.compile(r"\{([^{}|]*)\|([^{}]*)\}")
SHORT = {"ed": "extradural", "idem": "intradural_extramedullary", "im": "intramedullary"}
AFFIRMED = ("present", "probable", "possible")
KEYS = {
    "id", "text", "context", "tier", "neural", "decided_by", "score", "nothing", "conflict", "concept",
    "unreadable", "affirmed", "not_affirmed", "all_levels", "all_compartments", "details", "sins",
    "no_details", "red_flags",
}  # fmt: skip

# Known failures; a cured one fails the suite until its line here goes.
KNOWN_FAILURES: dict[str, str] = {}


def load_cases():
    for path in sorted(CASES.glob("*.toml")):
        for case in tomllib.loads(path.read_text(encoding="utf-8"))["case"]:
            name = f"{path.stem}: {case['id']}"
            marks = (
                [pytest.mark.xfail(reason=KNOWN_FAILURES[name], strict=True)]
                if name in KNOWN_FAILURES
                else []
            )
            yield pytest.param(case, id=name, marks=marks)


def unmark(text):
    """The text without marks, and (start, end, fields) of each."""
    plain, spans = "", []
    end = 0
    for match in MARK.finditer(text):
        plain += text[end : match.start()]
        start = len(plain)
        plain += match.group(1)
        spans.append((start, len(plain), [*match.group(2).split("|"), "", "", ""]))
        end = match.end()
    return plain + text[end:], spans


def overlapping(text, words, findings):
    start = text.index(words)
    return [f for f in findings if f.start < start + len(words) and start < f.end]


def told_of(text, words, reading):
    """All details of the findings at `words`, or of the report where no words are given."""
    found = reading.findings + reading.context_findings
    sources = overlapping(text, words, found) if words else [reading]
    assert sources, f"'{words}' was not found"
    return sorted({f"{d.kind}: {d.value}" for source in sources for d in source.details})


def sins_of(text, words, reading):
    return sorted(
        f"{d.kind}: {d.value} ({d.points})"
        for finding in overlapping(text, words, reading.findings)
        for d in finding.sins
    )


def check_details(case, text, reading):
    """The stated details of findings and report, and SINS elements, are all there are."""
    for key, told in [("details", told_of), ("sins", sins_of)]:
        for words, expected in case.get(key, {}).items():
            assert told(text, words, reading) == sorted(expected), words
    sources = (reading, *reading.findings, *reading.context_findings)
    kinds = {detail.kind for source in sources for detail in source.details}
    assert not kinds & set(case.get("no_details", ()))


def vertebrae(label):
    """All vertebrae of a label such as 'T6' or 'T12-L2'."""
    column = [
        f"{r}{n}" for r, count in (("C", 7), ("T", 12), ("L", 5), ("S", 5)) for n in range(1, count + 1)
    ]
    first, *last = (column.index(v) for v in label.split("-"))
    return column[first : (last or [first])[0] + 1]


@pytest.mark.parametrize("case", list(load_cases()))
def test_case_is_read_as_marked(case):
    text, spans = unmark(case["text"])
    assert set(case) <= KEYS, "unknown key in the case"
    assert spans or set(case) - {"id", "text", "context"}, "a case without expectation"
    reading = read(text, **case.get("context", {}))
    found = reading.findings + reading.context_findings
    for start, end, (certainty, compartments, levels, trend, *_) in spans:
        here = [f for f in found if f.start < end and start < f.end]
        assert here, f"'{text[start:end]}' was not found"
        assert certainty in [f.certainty for f in here]
        finding = next(f for f in here if f.certainty == certainty)
        if compartments:
            assert finding.compartments == tuple(SHORT[c] for c in compartments.split("+"))
        if levels:
            assert sorted(finding.levels) == sorted(levels.split(","))
        assert trend in ("", *(f.trend for f in here))
    if case.get("nothing"):
        assert [f.quote for f in reading.findings if f.certainty in AFFIRMED] == []
    there = [f for f in reading.findings if f.certainty in AFFIRMED]
    for words in case.get("affirmed", ()):
        assert overlapping(text, words, there), f"'{words}' was not found to be there"
    for words in case.get("not_affirmed", ()):
        assert not overlapping(text, words, there), f"'{words}' was found to be there"
    if "all_levels" in case:
        assert {v for f in there for label in f.levels for v in vertebrae(label)} == set(case["all_levels"])
    if "all_compartments" in case:
        assert {c for f in there for c in f.compartments} == {SHORT[c] for c in case["all_compartments"]}
    assert case.get("concept") in [None, *(f.concept for f in reading.findings)]
    if "conflict" in case:
        assert bool(reading.conflicts) is case["conflict"]
    check_details(case, text, reading)
    if "red_flags" in case:
        assert list(reading.red_flags) == case["red_flags"]
    for key in ("tier", "neural", "decided_by", "score", "unreadable"):
        if key in case:
            assert getattr(reading, key) == case[key], reading.reasons


def test_every_trap_and_worked_case_is_there():
    names = [str(param.id) for param in load_cases()]
    assert sum(name.startswith("traps: T") for name in names) == 120
    assert sum(name.startswith("worked: ") for name in names) == 25
    assert len(names) == len(set(names))


def test_known_failures_name_existing_cases():
    assert set(KNOWN_FAILURES) <= {str(param.id) for param in load_cases()}
