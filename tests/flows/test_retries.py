"""What failed in the circumstances is tried again by the next run; what fails in the same way is no news."""

from __future__ import annotations

import errno
import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from flows import batch, places, shard
from flows.intake.sources import DEFAULT_PATTERNS, Batch, Source
from flows.isolated import Task, perform
from review import audit, ledger
from review.models import Input, Portion, ReportVersion, Study
from tests.flows.one_run import one_run
from tests.installation import STAT, write_image

pytestmark = [pytest.mark.database, pytest.mark.django_db]
KINDS = ("text", "csv", "jsonl", "dicom")
Go = Callable[[], dict[str, int]]


@pytest.fixture(autouse=True)
def here(monkeypatch: pytest.MonkeyPatch) -> None:
    """Do the work that may kill in this process: a test refuses files to this one only, and it is quicker."""

    def carry_out(tasks: list[Task], _beat: object = None) -> list[Any]:
        return [perform(task) for task in tasks]

    for module in (batch, shard):
        monkeypatch.setattr(module, "carry_out", carry_out)


@pytest.fixture
def sources(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Source]:
    """One source of each kind, all with the same folder; a test may take some away."""
    there = [
        Source(name=kind, kind=kind, folder=tmp_path, patterns=DEFAULT_PATTERNS[kind], issuer="H")
        for kind in KINDS
    ]
    monkeypatch.setattr(places, "configured", lambda: (Batch(), tuple(there)))
    return there


@pytest.fixture
def refuse(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Let the operating system refuse files by name; the suite also runs as root, whom no mode stops."""
    refused: dict[str, int] = {}
    real = os.open

    def opener(path: str, *args: int, **options: int) -> int:
        if code := refused.get(Path(path).name):
            raise OSError(code, os.strerror(code))
        return real(path, *args, **options)

    monkeypatch.setattr("flows.intake.folder.os.open", opener)

    def make(*names: str, code: int = errno.EACCES) -> None:
        refused.clear()
        refused.update(dict.fromkeys(names, code))

    return make


@pytest.fixture
def go(sources: list[Source]) -> Go:
    """Carry out one run; return its counts that are not 0."""

    return one_run


def put(folder: Path) -> None:
    """A stat report in each format, and two images of a study."""
    (folder / "a.txt").write_text(STAT.format(number=0))
    rows = [STAT.format(number=number).replace("\n", " ") for number in (1, 2)]
    (folder / "b.csv").write_text('report_text\n"{}"\n"{}"\n'.format(*rows))
    (folder / "c.jsonl").write_text('{{"report_text": "{}"}}\n{{"report_text": "{}"}}\n'.format(*rows))
    write_image(folder / "d.dcm", accession="A1", patient="P1")
    write_image(folder / "e.dcm", accession="A1", patient="P1", SOPInstanceUID="2.25.9")


NAMES = ("a.txt", "b.csv", "c.jsonl", "d.dcm")


@pytest.mark.parametrize("code", [errno.EACCES, errno.EIO, errno.ENOENT])
def test_what_could_not_be_read_is_read_as_soon_as_it_can_be(
    tmp_path: Path, refuse: Callable[..., None], go: Go, code: int
) -> None:
    put(tmp_path)
    refuse(*NAMES, code=code)
    assert go() == {"rejected": 4}
    rows = Input.objects.count(), Portion.objects.count()
    for _ in range(3):
        assert go() == {"duplicate": 3}  # images are no inputs
    assert (Input.objects.count(), Portion.objects.count()) == rows
    refuse()
    assert go() == {"queued": 5}
    assert Study.objects.get().series.get().instances == 2
    assert audit.verify()["outcomes"] | {"duplicate": 0} == {
        "queued": 5,
        "routine": 0,
        "unreadable_text": 0,
        "duplicate": 0,
        "superseded": 0,
        "rejected": 0,
    }
    assert go() == {"duplicate": 5}


def test_another_failure_is_another_attempt(tmp_path: Path, refuse: Callable[..., None], go: Go) -> None:
    put(tmp_path)
    refuse("a.txt")
    go()
    refuse("a.txt", code=errno.EIO)
    assert go() == {"duplicate": 4, "rejected": 1}
    standing = Input.objects.standing().filter(outcome="rejected")
    assert [(one.portion.attempt, one.detail) for one in standing] == [(2, os.strerror(errno.EIO))]


def test_a_file_that_stays_closed_does_not_keep_the_others_of_its_folder_out(
    tmp_path: Path, refuse: Callable[..., None], go: Go
) -> None:
    put(tmp_path)
    refuse("d.dcm", "e.dcm")
    go()
    refuse("e.dcm")
    go()
    assert Study.objects.get().series.get().instances == 1
    assert list(Input.objects.standing().filter(outcome="rejected").values_list("detail", flat=True)) == [
        f"e.dcm: {os.strerror(errno.EACCES)}"
    ]


def test_a_closed_file_is_tried_again_though_its_folder_changed_meanwhile(
    tmp_path: Path, refuse: Callable[..., None], go: Go
) -> None:
    put(tmp_path)
    refuse("d.dcm")
    go()
    write_image(tmp_path / "f.dcm", accession="A1", patient="P1", SOPInstanceUID="2.25.10")
    go()
    refuse()
    go()
    assert Study.objects.get().series.get().instances == 3


def test_a_broken_image_is_told_once_though_its_folder_is_read_again(
    tmp_path: Path, refuse: Callable[..., None], go: Go
) -> None:
    (tmp_path / "a.dcm").write_bytes(b"no image")
    write_image(tmp_path / "d.dcm", accession="A1", patient="P1")
    refuse("d.dcm")
    go()
    refuse()
    go()
    standing = Input.objects.standing()
    assert list(standing.values_list("reason", "detail")) == [("not_dicom", "a.dcm")]


def test_a_file_that_changed_and_is_back_as_it_was_is_read(
    tmp_path: Path, go: Go, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(tmp_path)
    file = tmp_path / "a.txt"
    facts, text = file.stat(), file.read_text()
    number = batch.open_run("command")
    found = batch.find(number, "reports")
    file.write_text("something else")
    for one in found:
        shard.read_reports(one)
    ledger.close_run(number, "completed")
    file.write_text(text)
    os.utime(file, ns=(facts.st_atime_ns, facts.st_mtime_ns))
    assert go() == {"duplicate": 4, "queued": 1}
    assert ReportVersion.objects.filter(report__key="text/file/a.txt").exists()


def test_a_source_that_is_configured_again_is_read(tmp_path: Path, go: Go, sources: list[Source]) -> None:
    put(tmp_path)
    number = batch.open_run("command")
    found = batch.find(number, "reports")
    text = sources.pop(0)
    places.named.cache_clear()
    assert sum(shard.read_reports(one).get("rejected", 0) for one in found) == 1
    ledger.close_run(number, "completed")
    assert go() == {"duplicate": 4}
    sources.append(text)
    assert go() == {"duplicate": 4, "queued": 1}


def test_bytes_that_are_no_report_are_not_tried_again(tmp_path: Path, go: Go) -> None:
    (tmp_path / "a.txt").write_bytes(b"\0\1\2" * 100)
    assert go() == {"rejected": 1}
    assert go() == {"duplicate": 1}
    assert Portion.objects.count() == 1


def test_files_with_the_longest_paths_have_their_outcome_too(tmp_path: Path, go: Go) -> None:
    """Of digits as good as random: PostgreSQL compresses what it puts into an index."""
    deep = tmp_path.joinpath(*(hashlib.shake_256(bytes([depth])).hexdigest(100) for depth in range(18)))
    deep.mkdir(parents=True)
    put(deep)
    assert go() == {"queued": 5}
    assert Study.objects.get().series.get().instances == 2
    assert go() == {"duplicate": 5}
