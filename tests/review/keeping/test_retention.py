"""What is kept for its time only, and what a legal hold keeps longer."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from review import audit, caseload, keeping
from review.models import (
    Account,
    AuditRow,
    Case,
    Discard,
    Erasure,
    Input,
    LegalHold,
    ReportVersion,
    Study,
)
from review.site import Retention

pytestmark = [pytest.mark.database, pytest.mark.django_db]
Make = Callable[..., Any]
FOR_EVER = Retention(
    routine_reports=0, decided_cases=0, settled_bytes=0, studies=0, outcome_tables=0, prefect_history=0
)


@pytest.fixture
def keep(settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Make:
    """Set how long each class is kept; a piece is two rows, so that several are needed."""
    monkeypatch.setattr("review.keeping.retention.PIECE", 2)
    monkeypatch.setattr("review.keeping.retention.sweep", lambda whole: None)
    settings.VAR = tmp_path

    def set_(**days: int) -> None:
        settings.SITE = replace(settings.SITE, retention_days=replace(FOR_EVER, **days))

    return set_


@pytest.fixture
def lead(person: Make) -> Account:
    return person("lead")  # type: ignore[no-any-return]


def words() -> set[str]:
    """Return the keys of the reports that have words."""
    return set(ReportVersion.objects.exclude(text="").values_list("report__key", flat=True))


def in_days(days: float) -> Any:
    return timezone.now() + timedelta(days=days)


def test_as_shipped_no_report_expires(deliver: Make, version: Make, keep: Make) -> None:
    keep()
    deliver(version("A1", "routine"))
    assert keeping.expire(in_days(20_000)) == {"outcome_tables": 0}
    assert words() == {"A1"}


def test_routine_reports_lose_their_words_in_pieces_when_their_time_is_over(
    deliver: Make, version: Make, keep: Make
) -> None:
    keep(routine_reports=30)
    deliver(*(version(f"A{n}", "routine") for n in range(5)), version("C1", "stat"))
    assert keeping.expire(in_days(29))["routine_reports"] == 0
    assert keeping.expired(in_days(31))["routine_reports"] == 5
    assert len(words()) == 6
    assert keeping.expire(in_days(31))["routine_reports"] == 5
    assert words() == {"C1"}
    assert AuditRow.objects.filter(action="data.expired", actor="system").count() == 3
    assert keeping.expire(in_days(32))["routine_reports"] == 0
    assert audit.verify()["faults"] == []


def test_a_newer_version_keeps_the_older_ones(deliver: Make, version: Make, keep: Make) -> None:
    keep(routine_reports=30)
    deliver(version("A1", "routine"))
    ReportVersion.objects.update(arrived_at=in_days(-40))
    deliver(version("A1", "routine"))
    assert keeping.expired(in_days(0))["routine_reports"] == 0


def test_decided_cases_expire_and_waiting_or_untold_ones_never(
    deliver: Make, version: Make, keep: Make, person: Make, case_of: Make
) -> None:
    keep(decided_cases=30)
    deliver(*(version(key, "stat") for key in ("WAITS", "UNTOLD", "DISMISSED")))
    reader = person()
    for key, verdict, reason in (("UNTOLD", "confirmed", ""), ("DISMISSED", "dismissed", "no_lesion")):
        case = case_of(key)
        caseload.claim(reader, case.pk)
        caseload.decide(reader, case.pk, case.reading.version_id, verdict, reason=reason)
    assert keeping.expire(in_days(31))["decided_cases"] == 1
    assert words() == {"WAITS", "UNTOLD"}
    assert Case.objects.get(report__key="DISMISSED").state == "dismissed"
    assert audit.verify()["faults"] == []


def test_only_bytes_that_nobody_needs_any_more_expire(deliver: Make, keep: Make, lead: Account) -> None:
    keep(settled_bytes=30)
    deliver("no_text", "no_text")
    settled = Input.objects.order_by("pk")[0]
    Discard.objects.create(input=settled, account=lead, at=timezone.now(), reason="a test page")
    assert keeping.expire(in_days(31))["settled_bytes"] == 1
    assert [bool(one.raw) for one in Input.objects.order_by("pk")] == [False, True]


def test_old_studies_without_reports_lose_whom_they_name(keep: Make) -> None:
    keep(studies=30)
    today = timezone.now().date().isoformat()
    for uid, day in (("1", "2001-02-03T10:00:00"), ("2", f"{today}T00:00:00"), ("3", "")):
        Study.objects.create(study_uid=uid, source="inbox", folder="f", patient_id="P77", study_time=day)
    assert keeping.expire(timezone.now())["studies"] == 1
    patients = Study.objects.order_by("study_uid").values_list("patient_id", flat=True)
    assert list(patients) == ["", "P77", "P77"]


def test_old_outcome_tables_go(keep: Make, tmp_path: Path) -> None:
    keep(outcome_tables=30)
    (tmp_path / "runs").mkdir()
    for name in ("run-1.csv", "notes.txt"):
        (tmp_path / "runs" / name).write_text("x")
    assert keeping.expire(in_days(29)) == {"outcome_tables": 0}
    assert keeping.expire(in_days(31)) == {"outcome_tables": 1}
    assert [file.name for file in (tmp_path / "runs").iterdir()] == ["notes.txt"]


def test_what_was_broken_off_goes_on(
    deliver: Make, version: Make, keep: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep(routine_reports=30)
    deliver(*(version(f"A{n}", "routine") for n in range(5)))
    real, pieces = keeping.retention.erase_rows, []

    def break_off(*arguments: Any) -> Any:
        pieces.append(1)
        if len(pieces) == 2:
            raise OSError("the power went")
        return real(*arguments)

    monkeypatch.setattr("review.keeping.retention.erase_rows", break_off)
    with pytest.raises(OSError, match="power"):
        keeping.expire(in_days(31))
    assert len(words()) == 3
    assert audit.verify()["faults"] == []
    assert keeping.expire(in_days(31))["routine_reports"] == 3
    assert words() == set()


@pytest.mark.parametrize(
    "on", [{"patient_id": "P77"}, {"patient_id": "P77", "issuer": "HOSP"}, {"report": "A1"}]
)
def test_nothing_of_a_held_patient_is_erased_or_expires(
    deliver: Make, version: Make, keep: Make, person: Make, on: dict[str, str]
) -> None:
    lead = person("lead")
    keep(routine_reports=30)
    deliver(
        version("A1", "routine", patient_id="P77", patient_issuer="HOSP"),
        version("B1", "routine", patient_id="P78"),
    )
    report = ReportVersion.objects.get(report__key="A1").report_id
    number = keeping.place(lead, "claim 17", **({"report": report} if "report" in on else on))  # type: ignore[arg-type]
    admin = person("admin")
    with pytest.raises(keeping.KeepingError, match="A legal hold stands on 1 reports"):
        keeping.erase(admin, keeping.of_patient(admin, "P77", ""), "why")
    assert keeping.expire(in_days(31))["routine_reports"] == 1
    assert words() == {"A1"}
    assert keeping.lift(lead, number)
    assert not keeping.lift(lead, number)
    assert keeping.expire(in_days(31))["routine_reports"] == 1
    assert words() == set()
    assert audit.verify()["faults"] == []


def test_a_hold_covers_rejected_bytes_with_the_patients_id(deliver: Make, keep: Make, lead: Account) -> None:
    keep(settled_bytes=30)
    deliver("no_text")
    rejected = Input.objects.get()
    Input.objects.update(raw=zlib.compress(b"PID|P77A|"))
    Discard.objects.create(input=rejected, account=lead, at=timezone.now(), reason="a test page")
    keeping.place(lead, "claim 17", patient_id="P77A")
    assert keeping.expire(in_days(31))["settled_bytes"] == 0


def test_a_hold_is_listed_by_what_it_covers(deliver: Make, version: Make, lead: Account) -> None:
    deliver(version("A1", "routine", patient_id="P77"), version("A2", "routine", patient_id="P77"))
    keeping.place(lead, "claim 17", patient_id="P77")
    (row,) = keeping.all_holds()
    assert (row["on"], row["reports"], row["lifted_at"]) == ("patient", 2, None)
    assert "P77" not in str(row)
    assert "P77" not in str(AuditRow.objects.get(action="hold.placed").detail)


@pytest.mark.parametrize(
    "forge",
    [
        lambda: LegalHold.objects.all().delete(),
        lambda: LegalHold.objects.update(patient_id="OTHER"),
        lambda: LegalHold.objects.update(lifted_at=timezone.now()),
    ],
    ids=["removed", "moved to another patient", "lifted by nobody"],
)
def test_a_hold_that_was_changed_behind_the_programs_back_is_found(
    lead: Account, forge: Callable[[], object]
) -> None:
    keeping.place(lead, "claim 17", patient_id="P77")
    assert audit.verify()["ok"]
    forge()
    assert "hold" in str(audit.verify()["faults"])


def test_a_lifted_hold_forgets_the_patient_with_the_rest(
    deliver: Make, version: Make, lead: Account, person: Make
) -> None:
    deliver(version("A1", "routine", patient_id="P77"))
    keeping.lift(lead, keeping.place(lead, "claim 17", patient_id="P77"))
    admin = person("admin")
    keeping.erase(admin, keeping.of_patient(admin, "P77", ""), "why")
    assert LegalHold.objects.get().patient_id == ""
    assert Erasure.objects.count() == 1
    assert audit.verify()["faults"] == []
