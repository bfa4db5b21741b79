"""Nothing of a patient reaches Prefect or a log."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.installation import STAT, Installation, write_image

pytestmark = [pytest.mark.prefect, pytest.mark.usefixtures("prefect_server")]

MARKERS = {
    "text": "Zyxwvut-Marker-Text",
    "patient": "ZYXWVUTPATIENT1",
    "accession": "ZYXWVUTACC1",
    "file": "zyxwvut-marker-file",
    "folder": "zyxwvut-marker-folder",
    "description": "Zyxwvut-Marker-Description",
    "broken": "zyxwvut-marker-broken",
}
# Every way in which a batch can go wrong, each with an error that carries the text.
FAILURES = {
    "the reader": "reader.read = lambda text, **context: fail(text)",
    "a step": "ledger.store_shard = lambda shard, outcomes: fail([o.version.text for o in outcomes])",
    "the flow": "ledger.take_over = lambda run: fail(MARKER)",
}
ENTRY = """
from nlp import reader
from review.setup import setup

setup()
from review import ledger
from flows.cli import main

MARKER = {marker!r}

def fail(text):
    try:
        raise KeyError(text)
    except KeyError as error:
        raise ValueError(text) from error

{failure}
main()
"""


@pytest.mark.parametrize("failing", FAILURES)
def test_planted_markers_are_found_nowhere_outside_the_ledger(
    site: Installation, prefect_home: Path, failing: str
) -> None:
    plant(site)
    ordinary = site.run("run") + site.complaints
    site.drop(f"{MARKERS['file']}-2", f"{MARKERS['text']} {STAT}", Patient_ID=MARKERS["patient"])
    site.entry = ENTRY.format(marker=MARKERS["text"], failure=FAILURES[failing])
    failed = site.run("run", status=0 if failing == "the reader" else 1) + site.complaints
    site.entry = Installation.entry
    assert site.json("runs")[0]["state"] == ("completed" if failing == "the reader" else "failed")

    assert MARKERS["text"].encode() in contents(site.var)  # the search itself finds what is there
    outside = contents(prefect_home) + (ordinary + failed).encode()
    found = [name for name, marker in MARKERS.items() if marker.lower().encode() in outside.lower()]
    assert found == []


def plant(site: Installation) -> None:
    folder = site.images / MARKERS["folder"]
    folder.mkdir()
    tags = {"StudyDescription": MARKERS["description"], "PatientName": MARKERS["patient"]}
    write_image(folder / "a.dcm", MARKERS["accession"], MARKERS["patient"], **tags)
    (folder / f"{MARKERS['broken']}.dcm").write_bytes(b"\0" * 128 + b"DICM" + b"junk")
    header = {"Accession": MARKERS["accession"], "Patient_ID": MARKERS["patient"]}
    site.drop(MARKERS["file"], f"{MARKERS['text']} {STAT}", **header)
    (site.inbox / f"{MARKERS['broken']}.txt").write_bytes(MARKERS["text"].encode() + b"\0\0\xff" * 99)


def contents(folder: Path) -> bytes:
    files = [file for file in sorted(folder.rglob("*")) if file.is_file()]
    assert files
    return b"\n".join(file.read_bytes() for file in files)
