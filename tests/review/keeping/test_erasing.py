"""A patient's words leave the ledger; history, statistics and the proof of the record stand."""

from __future__ import annotations

import sqlite3
import zlib
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.contrib.sessions.models import Session
from django.db import connection
from django.utils import timezone

from review import audit, caseload, keeping, ledger
from review.caseload import Said, Telling
from review.caseload.sample import draw
from review.caseload.search import searched
from review.models import (
    Account,
    AuditRow,
    Case,
    CaseEvent,
    CaseMark,
    Communication,
    Correction,
    Decision,
    ErasedRow,
    Erasure,
    Input,
    Portion,
    Reading,
    Report,
    ReportVersion,
    Study,
)
from review.records import NewPortion, NewStudy
from review.site import Quality
from tests.review.conftest import TEXT

pytestmark = [pytest.mark.database, pytest.mark.django_db]
Make = Callable[..., Any]
PATIENT, MARKER = "ZZPAT7731", "ZZMARKER"
SPAN = (TEXT.index("epidural mass"), TEXT.index("epidural mass") + len("epidural mass"))


def take_study(run: Make, fingerprint: str = "f", **facts: str) -> None:
    new = NewPortion(kind="studies", source="inbox", path="images", fingerprint=fingerprint)
    shard = ledger.add_shard(run(), [new])
    assert shard is not None
    told = {"folder": "images/ZZMARKER", "patient_id": PATIENT, "description": MARKER}
    study = NewStudy(study_uid="1.2.3", source="inbox", **told | facts)
    ledger.store_studies(shard, [study], [])


@pytest.fixture
def admin(person: Make) -> Account:
    return person("admin")  # type: ignore[no-any-return]


@pytest.fixture
def work(deliver: Make, version: Make, person: Make, case_of: Make, run: Make) -> None:
    """A patient with a decided case, a routine report and a study, beside a report of somebody else."""
    take_study(run)
    facts = {"patient_id": PATIENT, "birth_date": "1950-01-01", "accession": f"{MARKER}A"}
    context = {"indication": f"fall, {MARKER}"}
    words = f"{TEXT} {MARKER}"
    deliver(
        version("A1", "stat", text=words, context=context, study_uid="1.2.3", **facts),
        version("A2", "routine", text=words, context=context, **facts),
        version("B1", "routine", patient_id="SOMEBODY"),
    )
    reader, case = person(), case_of("A1")
    caseload.claim(reader, case.pk)
    caseload.comment(reader, case.pk, f"seen before, {MARKER}")
    caseload.correct(reader, case.pk, case.reading.version_id, SPAN, Said(kind="not_a_lesion"))
    caseload.decide(reader, case.pk, case.reading.version_id, "confirmed", comment=MARKER)
    now = timezone.now()
    told = Telling(
        finding=MARKER, told_to=MARKER, told_by="Dr Grey", method="phone",
        found_at=now - timedelta(minutes=20), told_at=now - timedelta(minutes=5),
    )  # fmt: skip
    caseload.tell_result(reader, case.pk, told)
    assert audit.verify()["faults"] == []


def everything() -> str:
    """Return all that the tables of the ledger hold, as text."""
    tables = (Report, ReportVersion, Reading, Input, Study, Case, CaseEvent, CaseMark, Decision, Correction)
    rows = [list(table.objects.values()) for table in (*tables, Communication, Erasure, AuditRow)]
    return str(rows)


@pytest.mark.usefixtures("work")
def test_no_word_of_the_patient_stays_and_the_record_still_proves_itself(admin: Account) -> None:
    before = audit.verify()
    assert MARKER in everything()
    counts = keeping.erase(admin, keeping.of_patient(admin, PATIENT, ""), "asked for by the patient")
    kept = everything()
    assert MARKER not in kept
    assert PATIENT not in kept
    assert "1950-01-01" not in kept
    assert counts == {
        "decision": 1, "event": 1, "communication": 1, "reading": 2, "version": 2, "portion": 2, "study": 1
    }  # fmt: skip
    after = audit.verify()
    assert after["faults"] == []
    assert after["outcomes"] == before["outcomes"]
    assert ReportVersion.objects.get(report__key="B1").patient_id == "SOMEBODY"
    tiers = Reading.objects.order_by("id").values_list("tier", flat=True)
    assert list(tiers) == ["stat", "routine", "routine"]


@pytest.mark.usefixtures("work")
def test_what_was_erased_is_named_in_the_audit_by_numbers_and_a_digest(admin: Account) -> None:
    keeping.erase(admin, keeping.of_patient(admin, PATIENT, ""), "asked for by the patient")
    row = AuditRow.objects.get(action="text.erased")
    assert (row.actor, row.subject) == (admin.actor, f"erasure:{Erasure.objects.get().pk}")
    assert row.detail["rows"]["version"] == 2
    assert "patient" not in str(row.detail)


@pytest.mark.usefixtures("work")
def test_a_dry_run_tells_the_same_and_changes_nothing(admin: Account) -> None:
    whose = keeping.of_patient(admin, PATIENT, "")
    told = keeping.erase(admin, whose, "why", dry_run=True)
    assert MARKER in everything()
    assert not Erasure.objects.exists()
    assert told == keeping.erase(admin, whose, "why")


@pytest.mark.usefixtures("work")
def test_erasing_again_finds_nothing_more(admin: Account) -> None:
    keeping.erase(admin, keeping.of_patient(admin, PATIENT, ""), "why")
    report = Report.objects.get(key="A1")
    assert keeping.of_patient(admin, PATIENT, "").reports == []
    again = keeping.of_report(admin, "A1")
    assert again is not None
    assert again.reports == [report.pk]
    assert keeping.erase(admin, again, "why") == {}
    assert Erasure.objects.count() == 1


def test_a_case_that_waits_is_not_left_without_words(
    deliver: Make, version: Make, admin: Account, case_of: Make
) -> None:
    deliver(version("A1", "stat", patient_id=PATIENT), version("A2", "routine", patient_id=PATIENT))
    with pytest.raises(keeping.KeepingError, match=f"{case_of('A1').name}: somebody still has to look"):
        keeping.erase(admin, keeping.of_patient(admin, PATIENT, ""), "why")
    assert ReportVersion.objects.exclude(text="").count() == 2


@pytest.mark.usefixtures("work")
def test_the_same_text_sent_again_does_not_come_back_and_another_one_is_new_data(
    deliver: Make, version: Make, admin: Account
) -> None:
    digest = ReportVersion.objects.get(report__key="A2").text_digest
    keeping.erase(admin, keeping.of_patient(admin, PATIENT, ""), "why")
    counts = deliver(
        version("A2", "routine", text=f"{TEXT} {MARKER}", text_digest=digest),
        version("A1", "stat", text="FINDINGS: Epidural mass again.", patient_id=PATIENT),
    )
    assert (counts["duplicate"], counts["queued"]) == (1, 1)
    assert ReportVersion.objects.get(report__key="A2").text == ""
    assert ReportVersion.objects.get(report__key="A1", is_current=True).number == 2
    assert audit.verify()["faults"] == []


@pytest.mark.usefixtures("work")
def test_a_file_whose_name_was_erased_is_still_known(admin: Account) -> None:
    path, fingerprint = Portion.objects.filter(inputs__version__report__key="A2").values_list(
        "path", "fingerprint"
    )[0]
    keeping.erase(admin, keeping.of_patient(admin, PATIENT, ""), "why")
    assert not Portion.objects.filter(path=path).exists()
    assert ledger.known("inbox", [path]) == {(path, fingerprint): 1}


@pytest.mark.usefixtures("work")
def test_headers_of_an_erased_study_are_not_taken_again(admin: Account, run: Make) -> None:
    keeping.erase(admin, keeping.of_patient(admin, PATIENT, ""), "why")
    take_study(run, fingerprint="g", modality="MR")
    found = Study.objects.get()
    assert (found.patient_id, found.modality) == ("", "")
    assert audit.verify()["faults"] == []


@pytest.mark.usefixtures("work")
def test_a_case_without_words_is_not_opened_again(admin: Account, case_of: Make, person: Make) -> None:
    keeping.erase(admin, keeping.of_patient(admin, PATIENT, ""), "why")
    with pytest.raises(caseload.RefusedError, match="erased"):
        caseload.reopen(person("lead"), case_of("A1").pk, "look again")


def test_a_report_that_names_two_patients_is_left_to_a_person(
    deliver: Make, version: Make, admin: Account
) -> None:
    deliver(version("A1", "routine", patient_id=PATIENT))
    deliver(version("A1", "routine", patient_id="ANOTHER"))
    whose = keeping.of_patient(admin, PATIENT, "")
    assert (whose.reports, whose.others) == ([], [Report.objects.get().pk])


def test_rejected_bytes_with_the_patients_id_are_named_and_erased_one_by_one(
    deliver: Make, admin: Account
) -> None:
    deliver("no_text")
    rejected = Input.objects.get()
    Input.objects.update(raw=zlib.compress(f"PID|{PATIENT}|".encode()))
    assert keeping.of_patient(admin, PATIENT, "").suspects == [rejected.pk]
    assert keeping.of_patient(admin, "7731XYZ", "").suspects == []
    whose = keeping.of_input(admin, rejected.pk)
    assert whose is not None
    keeping.erase(admin, whose, "why")
    rejected.refresh_from_db()
    assert (rejected.raw, rejected.outcome, rejected.reason) == (None, "rejected", "no_text")


def test_who_sees_some_sources_only_erases_nothing_of_the_others(
    deliver: Make, version: Make, person: Make
) -> None:
    deliver(version("A1", "routine", patient_id=PATIENT), source="elsewhere")
    limited = person("admin", sources=("inbox",))
    assert keeping.of_patient(limited, PATIENT, "").reports == []
    assert keeping.of_report(limited, "A1") is None


@pytest.mark.usefixtures("work")
def test_words_searched_for_leave_the_sessions_which_go_on(admin: Account, enter: Make) -> None:
    browser = enter("radiologist")
    browser.post("/worklist/search/", {"words": PATIENT})
    assert PATIENT in str(browser.session.items())
    keeping.erase(admin, keeping.of_patient(admin, PATIENT, ""), "why")
    assert PATIENT not in str([one.get_decoded() for one in Session.objects.all()])
    assert browser.get("/worklist/").status_code == 200


@pytest.mark.usefixtures("work")
def test_a_report_without_words_is_not_drawn_for_the_sample(admin: Account, settings: Any) -> None:
    settings.SITE = replace(settings.SITE, quality=Quality(share=1.0, seed="test", blind_soon_share=0.0))
    keeping.erase(admin, keeping.of_patient(admin, PATIENT, ""), "why")
    assert draw(timezone.now()).opened == 1
    assert Case.objects.get(is_blind=True).report.key == "B1"


def bring_text_back() -> None:
    ReportVersion.objects.filter(report__key="A2").update(text="words")


def bring_quotes_back() -> None:
    reading = Reading.objects.get(version__report__key="A2")
    reading.data = reading.data.replace('"findings":[]', '"findings":[{}]')
    reading.save()


def erase_unseen() -> None:
    ReportVersion.objects.filter(report__key="B1").update(text="", patient_id="")


def make_up_an_erasure() -> None:
    """Blank a row with everything that an erasure writes but the row of the audit."""
    version = ReportVersion.objects.get(report__key="B1")
    made_up = Erasure.objects.create(at=timezone.now(), reason="made up")
    reading = version.readings.get()
    ErasedRow.objects.create(erasure=made_up, table="reading", row=reading.pk, digest=reading.digest)


def hide_in_an_erasure() -> None:
    """Add a row to what somebody did erase."""
    ErasedRow.objects.create(
        erasure=Erasure.objects.get(), table="reading", row=Reading.objects.latest("pk").pk, digest="0" * 64
    )


def change_a_verdict() -> None:
    """Change what an erasure leaves of a decision, with everything that must agree with it."""
    Decision.objects.update(verdict="dismissed", reason="other")
    Case.objects.filter(report__key="A1").update(state="dismissed")


FORGERIES: dict[str, tuple[Callable[[], object], str]] = {
    "a text that came back": (bring_text_back, "was erased, but has words again"),
    "quotes that came back": (bring_quotes_back, "was erased, but has words again"),
    "a verdict turned round": (change_a_verdict, "left of its rows was changed"),
    "a row blanked by nobody": (erase_unseen, "was changed"),
    "an erasure made up": (make_up_an_erasure, "stands in no row of the audit"),
    "a row added to an erasure": (hide_in_an_erasure, "or what it took, was changed"),
    "a reason changed": (lambda: Erasure.objects.update(reason="other"), "or what it took, was changed"),
    "an erased row forgotten": (
        lambda: ErasedRow.objects.filter(table="version").delete(),
        "or what it took, was changed",
    ),
    "an erasure removed": (
        lambda: (ErasedRow.objects.all().delete(), Erasure.objects.all().delete()),
        "is not there",
    ),
}


@pytest.mark.usefixtures("work")
@pytest.mark.parametrize("forgery", FORGERIES)
def test_what_was_forged_around_an_erasure_is_found(admin: Account, forgery: str) -> None:
    forge, told = FORGERIES[forgery]
    keeping.erase(admin, keeping.of_patient(admin, PATIENT, ""), "why")
    assert audit.verify()["ok"]
    forge()
    assert told in str(audit.verify()["faults"])


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("work")
def test_the_words_leave_the_file_of_the_database(admin: Account) -> None:
    if connection.vendor != "sqlite":
        keeping.erase(admin, keeping.of_patient(admin, PATIENT, ""), "why")
        keeping.sweep(whole=False)  # VACUUM runs; what PostgreSQL leaves on the disk is in docs/audit.md
        return
    file = Path(str(connection.settings_dict["NAME"]))
    files = [file, file.with_name(f"{file.name}-wal")]
    needles = (MARKER.encode(), MARKER.lower().encode(), PATIENT.encode())
    with sqlite3.connect(file) as witness:
        witness.execute("PRAGMA wal_checkpoint(FULL)")
    witness.close()
    assert all(any(needle in one.read_bytes() for one in files if one.exists()) for needle in needles)
    keeping.erase(admin, keeping.of_patient(admin, PATIENT, ""), "why")
    keeping.sweep(whole=True)
    left = b"".join(one.read_bytes() for one in files if one.exists())
    assert [needle for needle in needles if needle in left] == []


@pytest.mark.usefixtures("work")
def test_pages_exports_and_explanations_live_with_erased_rows(
    admin: Account, enter: Make, person: Make, case_of: Make
) -> None:
    keeping.erase(admin, keeping.of_patient(admin, PATIENT, ""), "asked for by the patient")
    case, lead, browser = case_of("A1"), person("lead"), enter("lead")
    pages = [f"/case/{case.pk}/", f"/report/{case.report_id}/", "/worklist/?decided=today"]
    shown = {page: browser.get(page) for page in pages}
    assert {page: got.status_code for page, got in shown.items()} == dict.fromkeys(pages, 200)
    for page in pages[:2]:
        assert "Erased on" in shown[page].content.decode()
        assert f"{admin.username}: asked for by the patient" in shown[page].content.decode()
    assert list(caseload.labels(lead, None)) == []
    found = ledger.explain("A2", lead)
    assert found is not None
    assert (found["outcome"], found["erased"]["by"]) == ("routine", admin.username)
    assert not searched(Case.objects.all(), lead, MARKER).exists()


def test_a_hold_is_shown_on_the_pages(deliver: Make, version: Make, enter: Make, person: Make) -> None:
    deliver(version("A1", "routine", patient_id=PATIENT))
    page = f"/report/{Report.objects.get().pk}/"
    browser = enter("lead")
    assert "Legal hold" not in browser.get(page).content.decode()
    keeping.place(person("lead"), "claim 17", patient_id=PATIENT)
    assert "Legal hold" in browser.get(page).content.decode()
