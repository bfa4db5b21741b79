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
# Every way in which reading can go wrong, each with an error that carries the text.
FAILING = """
from nlp import reader
from review.setup import setup

setup()
from review import ledger

def broken(text, **context):
    raise ValueError(text)

def away(shard, outcomes):
    raise RuntimeError("\\n".join(outcome.version.text for outcome in outcomes if outcome.version))

if {reader}:
    reader.read = broken
else:
    ledger.store_shard = away
from flows.cli import main
main()
"""


@pytest.mark.parametrize("reader", [True, False], ids=["the reader fails", "the ledger fails"])
def test_planted_markers_are_found_nowhere_outside_the_ledger(
    site: Installation, prefect_home: Path, reader: bool
) -> None:
    plant(site)
    ordinary = site.run("run")
    site.drop(f"{MARKERS['file']}-2", f"{MARKERS['text']} {STAT}", Patient_ID=MARKERS["patient"])
    site.entry = FAILING.format(reader=reader)
    failed = site.run("run", status=0 if reader else 1)
    site.entry = Installation.entry
    assert site.json("runs")[0]["state"] == ("completed" if reader else "failed")

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
