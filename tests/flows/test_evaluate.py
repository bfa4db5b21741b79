"""`spinetriage evaluate`: figures and mistakes of labelled reports."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.installation import ROUTINE, STAT, Installation

LESION = {
    "quote": "Metastasis",
    "class": "malignant",
    "certainty": "present",
    "compartment": ["extradural"],
    "levels": ["T6"],
}
GRAVE = {"suspicious": True, "tier": "stat", "neural": "present", "lesions": [LESION]}
CALM = {"suspicious": False, "tier": "P4", "neural": "none", "lesions": []}


def write(path: Path, *rows: dict[str, Any]) -> str:
    path.write_text("".join(json.dumps(row) + "\n\n" for row in rows), encoding="utf-8-sig")
    return str(path)


@pytest.fixture
def gold(tmp_path: Path) -> str:
    return write(
        tmp_path / "gold.jsonl",
        {"id": "right", "text": STAT, "modality": "MR", "gold": GRAVE},
        {"id": 2, "text": ROUTINE, "gold": CALM},
        {"id": "wrong", "text": STAT, "gold": CALM},
    )


def test_people_see_each_figure_with_its_interval_and_each_mistake_with_its_words(
    bare_site: Installation, gold: str
) -> None:
    shown = bare_site.run("evaluate", gold)
    row = next(line for line in shown.splitlines() if "suspicious: PPV" in line)
    assert [cell.strip() for cell in row.strip("│").split("│")] == [
        "suspicious: PPV",
        "0.500",
        "0.095 – 0.905",
        "2",
    ]
    assert "tier “Metastasis”: expected routine; read stat" in shown
    assert "rule R1" in shown
    assert "Metastasis of the T6 vertebral body" in shown
    assert "right" not in shown.partition("Mistakes")[2]


def test_programs_get_the_same_as_json(bare_site: Installation, gold: str) -> None:
    told = bare_site.json("evaluate", gold, "--errors", "all")
    assert told["reports"] == 3
    assert told["rules_version"].startswith("sha256:")
    assert told["measures"]["suspicious_sensitivity"] == {
        "value": 1.0,
        "low": pytest.approx(0.2065, abs=1e-4),
        "high": 1.0,
        "of": 1,
    }
    assert {mistake["identity"] for mistake in told["listed"]} == {"wrong"}
    assert len(told["listed"]) == told["mistakes"] == 4
    assert len(bare_site.json("evaluate", gold, "--errors", "1")["listed"]) == 1


def test_a_wrong_line_stops_it_with_its_number_and_without_its_words(
    bare_site: Installation, tmp_path: Path
) -> None:
    right = {"id": 1, "text": STAT, "gold": GRAVE}
    file = write(tmp_path / "gold.jsonl", right, right, {"id": 2, "text": "SECRET", "gold": {"tier": "P9"}})
    told = bare_site.run("evaluate", file, status=1)
    assert "line 3: its id stands already in line 1" in told
    assert "line 5: gold: suspicious" in told
    assert "SECRET" not in told
    assert "sensitivity" not in told


@pytest.mark.parametrize("content", [b"", b"\n \n", b"\x00\xff" * 1000, b"[]\n", b"{}" * 3])
def test_a_file_without_labels_is_refused(bare_site: Installation, tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "gold.jsonl"
    file.write_bytes(content)
    told = bare_site.run("evaluate", str(file), status=1)
    assert "gold.jsonl" in told
    assert "Traceback" not in told


def test_what_is_no_file_or_no_number_is_told(bare_site: Installation, tmp_path: Path, gold: str) -> None:
    assert "No such file" in bare_site.run("evaluate", str(tmp_path / "none.jsonl"), status=1)
    assert "Is a directory" in bare_site.run("evaluate", str(tmp_path), status=1)
    bare_site.run("evaluate", gold, "--errors", "some", status=2)
    bare_site.run("evaluate", status=2)
