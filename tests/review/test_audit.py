"""Any change made behind the program's back is found, and the row is named."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.db.models import F

from review import audit, caseload, ledger
from review.models import (
    AuditHead,
    AuditRow,
    Case,
    Decision,
    Input,
    Portion,
    Reading,
    Reject,
    ReportVersion,
    Shard,
)

pytestmark = [pytest.mark.database, pytest.mark.django_db]
Make = Callable[..., Any]


@pytest.fixture
def work(deliver: Make, version: Make, person: Make, case_of: Make) -> None:
    """A day's work: reports of each kind, one case decided."""
    held = version("A1", "stat")
    deliver(held, version("A2", "routine"), version("A3", "unread"), "no_text", held)
    account = person()
    caseload.claim(account, case_of("A1").pk)
    caseload.decide(
        account, case_of("A1").pk, case_of("A1").reading.version_id, "dismissed", reason="no_lesion"
    )
    assert audit.verify()["ok"]


def change_text() -> None:
    version = ReportVersion.objects.get(report__key="A2")
    version.text = version.text.replace("mass", "nothing")
    version.save()


def change_reading() -> None:
    reading = Reading.objects.get(version__report__key="A2")
    reading.data = reading.data.replace('"score":74', '"score":10')
    reading.save()


def change_detail() -> None:
    row = AuditRow.objects.get(action="case.claimed")
    row.detail |= {"version": 999}
    row.save()


def swap_rows() -> None:
    first, second = AuditRow.objects.order_by("number")[2:4]
    first.action, second.action = second.action, first.action
    first.save()
    second.save()


def insert_row() -> None:
    last = AuditRow.objects.latest("number")
    AuditRow.objects.create(
        number=last.number + 1, at=last.at, actor="system", action="case.read", subject="x", mac="0"
    )
    AuditHead.objects.update(number=F("number") + 1, mac="0")


def cut_tail() -> None:
    AuditRow.objects.latest("number").delete()
    last = AuditRow.objects.latest("number")
    AuditHead.objects.update(number=last.number, mac=last.mac)


def remove_case() -> None:
    case = Case.objects.get(report__key="A3")
    case.events.all().delete()
    case.delete()


TAMPERINGS: dict[str, tuple[Callable[[], object], str]] = {
    "a text": (change_text, "was changed"),
    "a reading": (change_reading, "was changed"),
    "a text's digest": (
        lambda: ReportVersion.objects.filter(report__key="A2").update(text_digest="0"),
        "was changed",
    ),
    "a context": (
        lambda: ReportVersion.objects.filter(report__key="A2").update(context={"a": 1}),
        "was changed",
    ),
    "an outcome": (
        lambda: Input.objects.filter(outcome="routine").update(outcome="duplicate"),
        "was changed",
    ),
    "a reason": (lambda: Input.objects.filter(outcome="rejected").update(reason="binary"), "was changed"),
    "an input removed": (
        lambda: Reject.objects.all().delete() and Input.objects.filter(outcome="rejected").delete(),
        "was changed",
    ),
    "a shard's counts": (lambda: Shard.objects.update(counts={"routine": 1}), "counted 1"),
    "a portion's items": (
        lambda: Portion.objects.filter(inputs__outcome="routine").update(items=2),
        "took 6",
    ),
    "a shard undone": (lambda: Shard.objects.update(state="waiting"), "not there as done"),
    "a verdict": (lambda: Decision.objects.update(verdict="confirmed"), "was changed"),
    "a rule": (lambda: Decision.objects.update(rule="R9"), "names the rule 'R9'"),
    "a comment": (lambda: Decision.objects.update(comment="fine"), "was changed"),
    "a decision removed": (lambda: Decision.objects.all().delete(), "is not there"),
    "a case closed": (
        lambda: Case.objects.filter(report__key="A3").update(state="dismissed"),
        "last decision says None",
    ),
    "a case's state": (
        lambda: Case.objects.filter(report__key="A1").update(state="confirmed"),
        "says dismissed",
    ),
    "a patient": (
        lambda: ReportVersion.objects.filter(report__key="A2").update(patient_id="P"),
        "was changed",
    ),
    "a reading's tier": (
        lambda: Reading.objects.filter(tier="stat").update(tier="soon"),
        "was changed",
    ),
    "a case's tier": (lambda: Case.objects.filter(report__key="A1").update(tier=2), "gravest reading"),
    "a case withdrawn": (
        lambda: Case.objects.filter(report__key="A3").update(state="withdrawn"),
        "was withdrawn",
    ),
    "a case removed": (remove_case, "has no case"),
    "an audit row's detail": (change_detail, "does not fit the chain"),
    "an audit row's actor": (
        lambda: AuditRow.objects.filter(action="case.decided").update(actor="account:99"),
        "does not fit the chain",
    ),
    "an audit row removed": (lambda: AuditRow.objects.filter(action="case.claimed").delete(), "missing"),
    "audit rows swapped": (swap_rows, "does not fit the chain"),
    "an audit row inserted": (insert_row, "does not fit the chain"),
    "the tail": (cut_tail, "stands in no row"),
    "the head": (lambda: AuditHead.objects.update(number=F("number") - 1), "the head says"),
    "all rows": (lambda: AuditRow.objects.all().delete(), "the chain ends at 0"),
}


@pytest.mark.parametrize("what", TAMPERINGS)
@pytest.mark.usefixtures("work")
def test_tampering_is_found(what: str) -> None:
    tamper, told = TAMPERINGS[what]
    tamper()
    result = audit.verify()
    assert not result["ok"]
    assert told in " ".join(fault["what"] for fault in result["faults"])


@pytest.mark.parametrize(("verdict", "newer"), [("dismissed", "soon"), ("confirmed", "stat")])
def test_a_case_closed_again_behind_a_newer_version_is_found(  # noqa: PLR0917
    deliver: Make, version: Make, person: Make, case_of: Make, verdict: str, newer: str
) -> None:
    deliver(version("A1", "soon"))
    account, case = person(), case_of("A1")
    caseload.claim(account, case.pk)
    reason = "no_lesion" if verdict == "dismissed" else ""
    caseload.decide(account, case.pk, case.reading.version_id, verdict, reason=reason)
    deliver(version("A1", newer, "corrected"))
    assert audit.verify()["ok"]
    Case.objects.update(state=verdict, decided_at=Decision.objects.get().at)
    assert [fault["what"] for fault in audit.verify()["faults"]] == [
        f"case {case.pk} is {verdict}, but a newer version made it wait again"
    ]


@pytest.mark.usefixtures("work")
def test_the_faulty_row_is_named() -> None:
    change_detail()
    number = AuditRow.objects.get(action="case.claimed").number
    assert number in [fault["row"] for fault in audit.verify()["faults"]]


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("run")
def test_a_cut_tail_is_found_by_the_heads_kept_outside(run: Make, anchor: Path) -> None:
    run()
    run()
    assert [line.split()[0] for line in anchor.read_text().splitlines()] == ["1", "2"]
    assert audit.verify()["ok"]
    AuditRow.objects.get(number=2).delete()
    first = AuditRow.objects.get()
    AuditHead.objects.update(number=1, mac=first.mac)
    assert [fault["row"] for fault in audit.verify()["faults"]] == [2]
    anchor.write_text(f"1 {'0' * 64}\n")
    assert "outside the database" in audit.verify()["faults"][0]["what"]


@pytest.mark.django_db(transaction=True)
def test_rows_written_at_once_make_one_chain(run: Make) -> None:
    def write() -> None:
        for _ in range(5):
            run()
        connection.close()

    threads = [threading.Thread(target=write) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    result = audit.verify()
    assert (result["ok"], result["rows"]) == (True, 20)


def test_another_key_does_not_verify(run: Make, settings: Any) -> None:
    run()
    settings.AUDIT_KEY = "another key of some length, for sure"
    assert not audit.verify()["ok"]


def test_an_empty_database_is_in_order() -> None:
    result = audit.verify()
    assert (result["ok"], result["rows"], result["inputs"]) == (True, 0, 0)


@pytest.mark.usefixtures("work")
def test_conservation_of_one_run_names_the_shard() -> None:
    shard = Shard.objects.get()
    assert ledger.conservation(shard.run_id) == []
    Input.objects.filter(outcome="routine").delete()
    assert ledger.conservation(shard.run_id) == [f"shard {shard.pk} took 5 inputs, holds 4 and counted 5"]
    assert ledger.conservation(shard.run_id + 1) == []
