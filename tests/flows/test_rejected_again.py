"""Rejected inputs tried again after a fix: from the bytes that were kept, or from the source."""

from __future__ import annotations

import dataclasses
import os
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from flows import batch, places, retries, shard
from flows.intake.guard import Refusal
from flows.intake.report import Reason
from flows.intake.sources import DEFAULT_PATTERNS, Batch, Source
from flows.intake.table import ROW_BYTES
from flows.isolated import Read
from review import accounts, audit, desk, ledger
from review.caseload import RefusedError
from review.models import Account, Input, Portion, Reject, ReportVersion, Request, Run
from tests.installation import STAT, write_image

pytestmark = [pytest.mark.database, pytest.mark.django_db]
KINDS = ("text", "csv", "jsonl", "dicom")
REPORT = STAT.replace("\n", " ")
ALL = desk.Wanted()


class House:
    """The sources of a folder, and runs over them without Prefect."""

    def __init__(self, folder: Path) -> None:
        self.sources = [
            Source(name=kind, kind=kind, folder=folder, patterns=DEFAULT_PATTERNS[kind], issuer="H")
            for kind in KINDS
        ]
        self.batch = Batch()
        accounts.add_user("lea", "lead")
        self.lead = Account.objects.get(username="lea")

    def mend(self, **changes: object) -> None:
        """Change a setting of every source, as an operator would in sources.toml."""
        self.sources = [dataclasses.replace(source, **changes) for source in self.sources]  # type: ignore[arg-type]
        places.named.cache_clear()

    def run(self, error: str = "") -> dict[str, int]:
        """Carry out one batch, which may end with an error; return its counts that are not 0."""
        return self._carry_out(batch.open_run("command"), look=True, error=error)

    def retry(self, *names: str, asked: desk.Wanted = ALL) -> dict[str, int]:
        """Try inputs again as the command does, or everything that fits."""
        return self._carry_out(retries.open_retry(self.lead, desk.numbers(names), asked), look=False)

    def _carry_out(self, number: int, look: bool, error: str = "") -> dict[str, int]:
        places.named.cache_clear()
        retries.take_requests(number)
        for kind, step in (("studies", shard.store_studies), ("reports", shard.read_reports)):
            found = batch.find(number, kind) if look else ledger.unfinished(number, kind)  # type: ignore[arg-type]
            for one in found:
                step(one)
        ledger.close_run(number, "failed" if error else "completed", error)
        proof = audit.verify()
        assert proof["ok"], proof["faults"]
        return {name: count for name, count in ledger.summary(number)["outcomes"].items() if count}


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> House:
    made = House(tmp_path)
    monkeypatch.setattr(places, "configured", lambda: (made.batch, tuple(made.sources)))
    return made


def standing() -> dict[str, int]:
    return {name: number for name, number in audit.verify()["outcomes"].items() if number}


def on_the_desk() -> list[str]:
    return [f"I{pk}" for pk in Reject.objects.filter(state="waiting").values_list("pk", flat=True)]


def test_a_text_is_read_from_its_kept_bytes_though_its_file_is_gone(tmp_path: Path, house: House) -> None:
    (tmp_path / "a.txt").write_text(REPORT + "é" * 50)
    house.mend(max_text_bytes=20)
    assert house.run() == {"rejected": 1}
    (tmp_path / "a.txt").unlink()
    house.mend(max_text_bytes=10_000)
    assert house.retry(*on_the_desk()) == {"queued": 1}
    assert ReportVersion.objects.get().report.key == "text/file/a.txt"
    assert standing() == {"queued": 1}
    assert on_the_desk() == []


@pytest.mark.parametrize("name", ["b.csv", "c.jsonl"])
def test_a_row_is_read_from_its_kept_bytes_and_keeps_its_number(
    tmp_path: Path, house: House, name: str
) -> None:
    texts = [REPORT.format(number=number) + "x" * 400 * (number == 2) for number in range(4)]
    if name == "b.csv":
        (tmp_path / name).write_text("report_text\n" + "".join(f'"{text}"\n' for text in texts))
    else:
        (tmp_path / name).write_text("".join(f'{{"report_text": "{text}"}}\n' for text in texts))
    house.mend(max_text_bytes=500)
    assert house.run() == {"queued": 3, "rejected": 1}
    (tmp_path / name).unlink()
    house.mend(max_text_bytes=10_000)
    assert house.retry(*on_the_desk()) == {"queued": 1}
    keys = set(ReportVersion.objects.values_list("report__key", flat=True))
    kind = name[2:]
    assert keys == {f"{kind}/file/{name}#{number}" for number in (1, 2, 3, 4)}
    assert standing() == {"queued": 4}


def test_what_fails_again_waits_on_since_its_first_attempt(tmp_path: Path, house: House) -> None:
    (tmp_path / "b.csv").write_text(f'report_text\n"{REPORT}"\n"a",b,"c\n"{REPORT} more"\n')
    assert house.run() == {"queued": 2, "rejected": 1}
    first = Reject.objects.get()
    for attempt in (2, 3):
        assert house.retry(*on_the_desk()) == {"rejected": 1}
        again = Reject.objects.get()
        assert (again.since, again.state, again.digest) == (first.since, "waiting", first.digest)
        assert again.input.portion.attempt == attempt
        assert again.pk != first.pk
    assert standing() == {"queued": 2, "rejected": 1}


def test_a_retry_leaves_known_what_was_known(tmp_path: Path, house: House) -> None:
    (tmp_path / "b.csv").write_text(f'report_text\n"{REPORT}"\n"a",b,"c\n"{REPORT} more"\n')
    house.run()
    house.retry(*on_the_desk())
    assert house.run() == {"duplicate": 3}


def test_a_table_whose_column_was_named_wrongly_gives_all_its_rows(tmp_path: Path, house: House) -> None:
    rows = "".join(f'"{REPORT.format(number=number)}"\n' for number in range(5))
    (tmp_path / "b.csv").write_text("befund\n" + rows)
    assert house.run() == {"rejected": 1}
    house.mend(columns={"text": "befund"}, shard_reports=2)
    house.batch = Batch(shard_reports=2)
    assert house.retry(*on_the_desk()) == {"queued": 5}
    keys = ReportVersion.objects.order_by("pk").values_list("report__key", flat=True)
    assert list(keys) == [f"csv/file/b.csv#{number}" for number in range(1, 6)]
    assert house.run() == {"duplicate": 5}
    assert standing()["queued"] == 5


def test_what_was_not_kept_is_read_from_its_source(tmp_path: Path, house: House) -> None:
    texts = [REPORT.format(number=number) + "x" * ROW_BYTES * (number == 2) for number in range(4)]
    (tmp_path / "b.csv").write_text("report_text\n" + "".join(f'"{text}"\n' for text in texts))
    house.mend(max_text_bytes=500)
    house.run()
    assert Reject.objects.get().digest == ""
    house.mend(max_text_bytes=2 * ROW_BYTES)
    assert house.retry(*on_the_desk()) == {"queued": 1}
    assert ReportVersion.objects.filter(report__key="csv/file/b.csv#3", text__contains="xxx").exists()


def test_what_was_not_kept_and_is_gone_says_so(tmp_path: Path, house: House) -> None:
    (tmp_path / "a.txt").write_text(REPORT)
    number = batch.open_run("command")
    found = batch.find(number, "reports")
    (tmp_path / "a.txt").rename(tmp_path / "elsewhere")
    shard.read_reports(found[0])
    ledger.close_run(number, "completed")
    assert house.retry(*on_the_desk()) == {"rejected": 1}
    (tmp_path / "elsewhere").rename(tmp_path / "a.txt")
    # What lay in the circumstances is tried again by each run, also after a person has tried it.
    assert house.run() == {"queued": 1}
    assert on_the_desk() == []


def test_a_report_on_which_the_reader_failed_keeps_what_its_header_said(
    tmp_path: Path, house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.mend(labels={"accession": "accession"})
    (tmp_path / "a.txt").write_text(f"Accession: ACC9\n\n{REPORT}")

    real = shard.carry_out

    def fail(tasks: list[Any], beat: Any) -> list[Any]:
        refusal = Refusal(Reason.READER_FAILED, "ZeroDivisionError")
        if any(isinstance(task, Read) for task in tasks):
            return [refusal] * len(tasks)
        return real(tasks, beat)

    with monkeypatch.context() as broken:
        broken.setattr(shard, "carry_out", fail)
        assert house.run() == {"rejected": 1}
    (tmp_path / "a.txt").unlink()
    assert house.retry(*on_the_desk()) == {"queued": 1}
    assert ReportVersion.objects.get().accession == "ACC9"


def test_the_faults_of_a_folder_of_images_are_found_anew(tmp_path: Path, house: House) -> None:
    for name in ("a.dcm", "b.dcm"):
        (tmp_path / name).write_bytes(b"no image")
    write_image(tmp_path / "c.dcm", accession="A1", patient="P1")
    house.run()
    assert len(on_the_desk()) == 2
    write_image(tmp_path / "a.dcm", accession="A1", patient="P1", SOPInstanceUID="2.25.9")
    house.retry(on_the_desk()[0])
    assert [one.input.detail for one in Reject.objects.all()] == ["b.dcm"]


def test_everything_that_waits_is_tried_again_once(tmp_path: Path, house: House) -> None:
    rows = "".join(f'"a{number}",b,"c\n' for number in range(5))
    (tmp_path / "b.csv").write_text(f"report_text\n{rows}")
    (tmp_path / "a.txt").write_bytes(b"\0\1\2")
    house.run()
    reports = Reject.objects.filter(reason="broken_row").count()
    assert reports
    assert desk.retry_all(house.lead, desk.Wanted(reason="broken_row"), timezone.now()) == reports
    with pytest.raises(RefusedError, match="being retried"):
        desk.retry(house.lead, list(Reject.objects.filter(state="retrying").values_list("pk", flat=True)))
    assert house.run()["rejected"] == reports
    request = Request.objects.get()
    assert (request.state, request.told) == ("done", {"rejected": reports, "taken": 0})
    assert Reject.objects.filter(state="waiting").count() == reports + 1


def test_a_run_that_died_leaves_the_rest_of_a_request_to_the_next(tmp_path: Path, house: House) -> None:
    for number in range(3):
        (tmp_path / f"{number}.txt").write_bytes(b"\0" + bytes([number]))
    house.run()
    house.batch = Batch(shard_reports=1)
    dead = retries.open_retry(house.lead, [], ALL)
    retries.take_requests(dead)
    shard.read_reports(ledger.unfinished(dead, "reports")[0])
    Run.objects.filter(pk=dead).update(state="crashed", ended_at=timezone.now())
    later = batch.open_run("command")
    assert len(ledger.take_over(later)) == 2
    retries.take_requests(later)
    for one in ledger.unfinished(later, "reports"):
        shard.read_reports(one)
    ledger.close_run(later, "completed")
    assert audit.verify()["ok"]
    assert Input.objects.count() == 6
    assert Request.objects.get().told == {"rejected": 3, "taken": 0}


def test_a_step_that_is_repeated_takes_nothing_twice(tmp_path: Path, house: House) -> None:
    (tmp_path / "a.txt").write_bytes(b"\0\1\2")
    house.run()
    desk.retry_all(house.lead, ALL, timezone.now())
    number = batch.open_run("command")
    assert retries.take_requests(number) == 1
    assert retries.take_requests(number) == 0
    assert Portion.objects.filter(attempt=2).count() == 1


def test_a_table_that_grows_brings_its_broken_row_once(tmp_path: Path, house: House) -> None:
    table = tmp_path / "b.csv"
    table.write_text(f'report_text\n"{REPORT}"\n"a",b,"c\n"{REPORT} more"\n')
    house.run()
    for number in range(3):
        with table.open("a") as file:
            file.write(f'"{REPORT} again {number}"\n')
        assert house.run() == {"queued": 1, "duplicate": 3 + number}
    assert len(on_the_desk()) == 1


def test_a_file_sent_anew_takes_the_old_one_off_the_desk(tmp_path: Path, house: House) -> None:
    file = tmp_path / "a.txt"
    file.write_bytes(b"\0\1\2")
    house.run()
    os.utime(file, (1, 1))
    assert house.run() == {"duplicate": 1}  # the same bytes are no news, and no answer
    assert len(on_the_desk()) == 1
    file.write_text(REPORT)
    assert house.run() == {"queued": 1}
    assert on_the_desk() == []
    assert Reject.objects.get().state == "replaced"


def test_a_mended_image_takes_its_fault_off_the_desk(tmp_path: Path, house: House) -> None:
    for name in ("a.dcm", "b.dcm"):
        (tmp_path / name).write_bytes(b"no image")
    house.run()
    write_image(tmp_path / "a.dcm", accession="A1", patient="P1")
    house.run()
    states = Reject.objects.order_by("input__detail").values_list("input__detail", "state")
    assert list(states) == [("a.dcm", "replaced"), ("b.dcm", "waiting")]


def test_nothing_to_try_again_opens_no_run(house: House) -> None:
    with pytest.raises(RefusedError, match="Nothing that waits fits"):
        house.retry()
    with pytest.raises(RefusedError, match="I99 is not on the desk"):
        house.retry("I99")
    assert not Run.objects.exists()


def test_a_run_of_retries_says_nothing_about_intake(tmp_path: Path, house: House) -> None:
    (tmp_path / "a.txt").write_bytes(b"\0\1\2")
    house.run(error="StepError")
    house.retry()
    assert ledger.intake(timezone.now(), None).failure == "StepError"
