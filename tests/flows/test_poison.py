"""A report that kills or stalls the reader is rejected alone, with its bytes, and everything else goes on."""

from __future__ import annotations

import os
import signal
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from flows import isolation, places
from flows.intake.sources import DEFAULT_PATTERNS, Batch, Source
from flows.isolated import Read
from flows.isolation import IsolationError, carry_out
from review.models import Input, Study
from tests.flows.one_run import one_run
from tests.installation import STAT, write_image

KINDS = ("text", "csv", "jsonl", "dicom")
Go = Callable[[], dict[str, int]]


@pytest.fixture(scope="module", autouse=True)
def deadly() -> Iterator[None]:
    """One process for all tests, in which some words kill; each death costs the start of another."""
    before = isolation.PROGRAM
    isolation.PROGRAM = ("-c", "from tests.flows.poison import main; main()")
    isolation.close()
    yield
    isolation.PROGRAM = before
    isolation.close()


@pytest.fixture
def go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Go:
    """Carry out one run over the folder; return its counts that are not 0."""
    sources = tuple(
        Source(name=kind, kind=kind, folder=tmp_path, patterns=DEFAULT_PATTERNS[kind], issuer="H")
        for kind in KINDS
    )
    monkeypatch.setattr(places, "configured", lambda: (Batch(item_seconds=1), sources))

    return one_run


@pytest.fixture
def deaths(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Whether processes had to be started again: grows with each start."""
    started = list[int]()
    real = isolation._Worker

    def start(nursery: isolation._Nursery) -> isolation._Worker:
        started.append(1)
        return real(nursery)

    monkeypatch.setattr(isolation, "_Worker", start)
    return started


def rejections() -> dict[str, str]:
    rows = Input.objects.filter(outcome="rejected").select_related("portion")
    return {f"{row.portion.path}#{row.item}": f"{row.reason}: {row.detail}" for row in rows}


@pytest.mark.django_db
@pytest.mark.database
def test_what_kills_is_rejected_alone_with_its_bytes_and_not_tried_again(
    tmp_path: Path, go: Go, deaths: list[int]
) -> None:
    reports = [STAT.format(number=number).replace("\n", " ") for number in range(4)]
    (tmp_path / "a.txt").write_text(reports[0])
    (tmp_path / "b.txt").write_text(f"Accession: B\n\nPOISON-SEGV {reports[1]}")
    (tmp_path / "c.txt").write_text("EARLY-EXIT")
    (tmp_path / "d.csv").write_text(f'report_text\n"{reports[2]}"\n"EARLY-MEMORY"\n"last {reports[2]}"\n')
    (tmp_path / "e.jsonl").write_text(
        f'{{"report_text": "EARLY-ERROR"}}\n{{"report_text": "{reports[3]}"}}\n'
    )
    write_image(tmp_path / "f.dcm", accession="A1", patient="P1")
    write_image(tmp_path / "g.dcm", accession="A1", patient="EARLY-STALL", SOPInstanceUID="2.25.9")
    assert go() == {"queued": 4, "rejected": 5}
    assert Study.objects.get().series.get().instances == 1
    facts = (tmp_path / "g.dcm").stat()
    assert rejections() == {
        "b.txt#0": "reader_killed: SIGSEGV",
        "c.txt#0": "reader_killed: exit status 3",
        "d.csv#1": "out_of_memory: 1024 MiB",
        "e.jsonl#0": "reader_failed: ZeroDivisionError",
        ".#0": f"reader_stalled: g.dcm: 1 s ({facts.st_size}-{facts.st_mtime_ns})",
    }
    kept = {
        row.portion.path: zlib.decompress(row.raw)
        for row in Input.objects.exclude(raw=None).select_related("portion")
    }
    assert kept["b.txt"] == (tmp_path / "b.txt").read_bytes()  # with its header, as it came
    assert kept["d.csv"] == b'report_text\n"EARLY-MEMORY"\n'
    assert set(kept) == {"b.txt", "c.txt", "d.csv", "e.jsonl"}
    deaths.clear()
    write_image(tmp_path / "h.dcm", accession="A1", patient="P1", SOPInstanceUID="2.25.10")
    assert go() == {"duplicate": 8}
    assert Study.objects.get().series.get().instances == 2
    assert deaths == []


def test_a_process_that_does_not_start_blames_no_report(monkeypatch: pytest.MonkeyPatch) -> None:
    isolation.close()
    monkeypatch.setattr(isolation, "PROGRAM", ("-c", "raise SystemExit(7)"))
    with pytest.raises(IsolationError, match="exit status 7"):
        carry_out([Read(text="FINDINGS: Normal.", context={})])


def test_one_death_that_does_not_come_again_rejects_nothing() -> None:
    assert carry_out([Read(text="FINDINGS: Normal.", context={})])[0]["tier"] == "routine"
    worker = isolation._worker
    assert worker is not None
    os.kill(worker.pid, signal.SIGKILL)
    assert carry_out([Read(text="FINDINGS: Normal.", context={})])[0]["tier"] == "routine"
