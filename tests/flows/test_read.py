"""`spinetriage read`: the contract with programs."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
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
    "details",
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
    "details",
    "sins",
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


def test_files_that_cannot_be_read_are_told_and_the_rest_goes_on(
    bare_site: Installation, tmp_path: Path
) -> None:
    (tmp_path / "picture.png").write_bytes(bytes(range(256)) * 40)
    (tmp_path / "empty.txt").touch()
    files = [str(tmp_path / name) for name in ("picture.png", "none.txt", "empty.txt")]
    binary, missing, empty = lines(bare_site.run("read", *files, "--json", status=1))
    assert binary == {"id": "picture.png", "error": "The bytes are not text"}
    assert missing == {"id": "none.txt", "error": "cannot be opened: No such file or directory"}
    assert (empty["unreadable"], empty["tier"]) == ("empty", "soon")


def test_a_text_in_an_old_encoding_is_read_with_a_warning(bare_site: Installation, tmp_path: Path) -> None:
    file = tmp_path / "latin.txt"
    file.write_bytes("Epidural abscess, seen by Dr Müller.".encode("cp1252"))
    assert "Müller" in bare_site.run("read", str(file))
    assert "Windows-1252" in bare_site.complaints


def test_a_header_gives_the_context_and_offsets_count_from_the_files_beginning(
    bare_site: Installation, tmp_path: Path
) -> None:
    file = tmp_path / "report.txt"
    text = "Modality: CT\nReferrer: metastasis clinic\nStudy: CT chest\n\nMetastases are seen."
    file.write_bytes(text.replace("\n", "\r\n").encode("utf-8-sig"))
    (reading,) = lines(bare_site.run("read", str(file), "--json"))
    assert list(reading) == KEYS
    quotes = {finding["quote"]: finding for finding in reading["findings"]}  # type: ignore[attr-defined]
    assert "Metastases" not in quotes  # it would be, if the study were not known to be one of the chest
    spine = tmp_path / "spine.txt"
    spine.write_text(text.replace("CT chest", "MRI spine"))
    (reading,) = lines(bare_site.run("read", str(spine), "--json"))
    found = [f for f in reading["findings"] if f["quote"] == "Metastases"]  # type: ignore[attr-defined]
    assert found and spine.read_text()[found[0]["start"] : found[0]["end"]] == "Metastases"


def test_a_folder_is_read_file_by_file_whatever_their_format(bare_site: Installation, tmp_path: Path) -> None:
    folder = tmp_path / "reports"
    (folder / "deeper").mkdir(parents=True)
    (folder / "deeper" / "a.txt").write_text(STAT)
    (folder / "b.csv").write_text(f'report_text,modality\n"{STAT}",MR\n"{ROUTINE}",MR\nbroken\n')
    (folder / "c.jsonl").write_text(json.dumps({"report_text": STAT, "report_number": 7}) + "\n")
    (folder / "d.jsonl").write_text(json.dumps({"id": "mine", "text": ROUTINE}) + "\nbroken\n")
    (folder / "e.dcm").write_bytes(b"no report")
    read = lines(bare_site.run("read", str(folder), "--json", status=1))
    assert {str(one["id"]): one.get("tier") for one in read} == {
        "deeper/a.txt": "stat",
        "b.csv#1": "stat",
        "b.csv#2": "routine",
        "b.csv#3": None,
        "c.jsonl#1": "stat",
        "mine": "routine",
        "None": None,
    }


def test_a_file_of_a_source_is_read_by_its_settings(bare_site: Installation) -> None:
    (bare_site.inbox / "7.txt").write_text(f"Patient ID: P1\nmodality: CT\n\n{STAT}")
    shown = bare_site.run("read", str(bare_site.inbox / "7.txt"))
    assert "P1" not in shown
    assert "modality: CT" in shown  # a label that this source does not name stays in the text


def test_a_line_longer_than_any_report_is_refused_and_the_rest_goes_on(
    bare_site: Installation, tmp_path: Path
) -> None:
    file = tmp_path / "long.jsonl"
    with file.open("wb") as out:
        out.write(b'{"id": "long", "text": "' + b"a" * (70 * 2**20) + b'"}\n')
        out.write(b'{"id": "next", "text": "Normal."}\n')
    first, following = lines(bare_site.run("read", str(file), "--json", status=1))
    assert "longer than" in str(first["error"])
    assert following["id"] == "next"


def test_what_no_encoding_can_hold_comes_out_as_its_number(bare_site: Installation) -> None:
    (reading,) = lines(bare_site.run("read", "--json", text='{"id": "a\\ud800", "text": "Normal."}\n'))
    assert reading["id"] == "a\ud800"


def test_people_see_the_text_with_its_findings_marked_and_the_reasons_under_it(
    bare_site: Installation, tmp_path: Path
) -> None:
    file = tmp_path / "report.txt"
    file.write_text(f"Modality: MR\n\n{STAT}\nNo discitis.\x1b[2J")
    shown = bare_site.run("read", str(file))
    assert "[Metastasis: present, ED] of the T6 vertebral body" in shown
    assert "No [discitis: absent" in shown
    assert "Context: modality MR" in shown
    assert "STAT" in shown
    assert "R1" in shown
    assert "\x1b" not in shown  # neither colours in a pipe nor what the text would do to a terminal


def test_colour_is_for_terminals_and_can_be_switched_off(tmp_path: Path) -> None:
    code = (
        "import io; from flows import display; from rich.console import Console; from flows import printout\n"
        "from nlp.reader import read\n"
        "out = io.StringIO(); printout.console = Console(file=out, force_terminal=True)\n"
        f"printout.show('r', read({STAT!r}).to_dict(), {STAT!r}, {{}}); print(out.getvalue())"
    )
    for setting, coloured in (("", True), ("1", False)):
        environment = {**os.environ, "TERM": "xterm-256color", "NO_COLOR": setting, "COLORTERM": "truecolor"}
        done = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment
        )
        assert ("[1;4;31m" in done.stdout) is coloured
        assert "Metastasis" in done.stdout


def test_nothing_to_read_is_said(bare_site: Installation) -> None:
    assert bare_site.run("read", "--json") == ""
    bare_site.run("read")
    assert "no report" in bare_site.complaints


def test_reading_leaves_nothing_behind(bare_site: Installation) -> None:
    shutil.rmtree(bare_site.var)
    bare_site.run("read", "--json", text=json.dumps({"id": 1, "text": STAT}))
    assert not bare_site.var.exists()
