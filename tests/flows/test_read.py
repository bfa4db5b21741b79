"""`spinetriage read`: the contract with programs."""

from __future__ import annotations

import json
from pathlib import Path

from tests.installation import ROUTINE, STAT, Installation

KEYS = [
    "id",
    "suspicious",
    "tier",
    "score",
    "neural",
    "unreadable",
    "decided_by",
    "reasons",
    "findings",
    "context_findings",
    "red_flags",
    "conflicts",
    "rules_version",
]
FINDING_KEYS = [
    "concept",
    "name",
    "class",
    "quote",
    "start",
    "end",
    "certainty",
    "cue",
    "compartments",
    "compartment_basis",
    "levels",
    "size_mm",
    "trend",
    "section",
]
BROKEN = """{"id": "1", "text": "Normal study."}
not json
[1]
{"id": "4"}
{"text": "no id"}
{"id": 6, "text": ""}
"""


def lines(text: str) -> list[dict[str, object]]:
    return [json.loads(line) for line in text.splitlines()]


def test_json_lines_come_out_in_the_order_and_with_the_keys_of_the_contract(bare_site: Installation) -> None:
    asked = [{"id": "b", "text": STAT}, {"id": "a", "text": ROUTINE, "modality": "MR", "unknown": 1}]
    b, a = lines(bare_site.run("read", "--json", "-", text="".join(json.dumps(one) + "\n" for one in asked)))
    assert (b["id"], b["tier"], a["id"], a["tier"]) == ("b", "stat", "a", "routine")
    assert list(a) == list(b) == KEYS
    for finding in b["findings"]:  # type: ignore[attr-defined]
        assert list(finding) == FINDING_KEYS
        assert STAT[finding["start"] : finding["end"]] == finding["quote"]
    points = [reason["points"] for reason in b["reasons"] if reason.get("points") is not None]  # type: ignore[attr-defined]
    assert round(sum(points)) == b["score"]


def test_a_broken_line_is_named_and_the_rest_goes_on(bare_site: Installation) -> None:
    printed = bare_site.run("read", "--json", text=BROKEN, status=1)
    first, second, third, fourth, fifth, sixth = lines(printed)
    assert first["tier"] == "routine"
    assert [one["id"] for one in (second, third, fourth, fifth)] == [None, None, "4", None]
    assert all(set(one) == {"id", "error"} for one in (second, third, fourth, fifth))
    assert (sixth["id"], sixth["unreadable"], sixth["tier"]) == (6, "empty", "soon")


def test_plain_text_files_are_named_by_their_file(bare_site: Installation, tmp_path: Path) -> None:
    file = tmp_path / "report-7.txt"
    file.write_text(STAT)
    (reading,) = lines(bare_site.run("read", str(file), "--json"))
    assert reading["id"] == "report-7.txt"
    assert reading["tier"] == "stat"


def test_a_file_that_is_no_text_or_not_there_is_told(bare_site: Installation, tmp_path: Path) -> None:
    latin = tmp_path / "latin.txt"
    latin.write_bytes("Wirbelkörper".encode("latin-1"))
    one, other = lines(bare_site.run("read", str(latin), str(tmp_path / "none.txt"), "--json", status=1))
    assert "UTF-8" in str(one["error"])
    assert "cannot be opened" in str(other["error"])


def test_what_no_encoding_can_hold_comes_out_as_its_number(bare_site: Installation) -> None:
    (reading,) = lines(bare_site.run("read", "--json", text='{"id": "a\\ud800", "text": "Normal."}\n'))
    assert reading["id"] == "a\ud800"


def test_people_see_the_tier_the_findings_and_the_reasons(bare_site: Installation, tmp_path: Path) -> None:
    file = tmp_path / "report.txt"
    file.write_text(STAT)
    shown = bare_site.run("read", str(file))
    assert "STAT" in shown
    assert "Metastasis" in shown
    assert "R1" in shown


def test_reading_leaves_nothing_behind(bare_site: Installation) -> None:
    bare_site.run("read", "--json", text=json.dumps({"id": 1, "text": STAT}))
    assert not bare_site.var.exists()
