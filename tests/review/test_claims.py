"""Claiming and deciding: one person at a time, on the version that was read."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.utils import timezone

from review import audit, caseload
from review.caseload import RefusedError
from review.models import Account, AuditRow, Case, Decision

pytestmark = [pytest.mark.database, pytest.mark.django_db]
Make = Callable[..., Any]
LATER = timedelta(minutes=16)


@pytest.fixture
def case(deliver: Make, version: Make, case_of: Make) -> Case:
    deliver(version("A1", "stat"))
    return case_of("A1")


def test_the_order_is_tier_then_oldest_then_id(deliver: Make, version: Make, person: Make) -> None:
    deliver(version("A1", "unread"), version("A2", "soon"), version("A3", "stat"))
    deliver(version("A4", "stat"), version("A5", "urgent"), version("A6", "soon"))
    account = person()
    assert [row["report"] for row in caseload.listing(account, None)] == ["A3", "A4", "A5", "A2", "A6", "A1"]
    taken = [caseload.next(account) for _ in range(7)]
    assert [found and found.report.key for found in taken] == ["A3", "A4", "A5", "A2", "A6", "A1", None]


def test_the_second_to_claim_is_told_no(case: Case, person: Make) -> None:
    first, second = person(), person()
    assert caseload.claim(first, case.pk)
    assert not caseload.claim(second, case.pk)
    assert not caseload.claim(first, case.pk)
    assert caseload.next(second) is None


def test_an_expired_claim_is_free_again_and_decides_nothing(case: Case, person: Make) -> None:
    first, second = person(), person()
    caseload.claim(first, case.pk)
    with time_machine.travel(timezone.now() + LATER):
        with pytest.raises(RefusedError, match="expired"):
            caseload.decide(first, case.pk, case.reading.version_id, "confirmed")
        case.refresh_from_db()
        assert case.status == "waiting"
        assert caseload.claim(second, case.pk)
        with pytest.raises(RefusedError, match="do not hold"):
            caseload.release(first, case.pk)


def test_more_time_is_given_to_the_holder_only(case: Case, person: Make) -> None:
    first, second = person(), person()
    caseload.claim(first, case.pk)
    with time_machine.travel(timezone.now() + timedelta(minutes=10)):
        assert caseload.extend(first, case.pk) > timezone.now() + timedelta(minutes=14)
        with pytest.raises(RefusedError, match="do not hold"):
            caseload.extend(second, case.pk)
    with time_machine.travel(timezone.now() + LATER):
        caseload.release(first, case.pk)


@pytest.mark.parametrize("act", ["release", "give_back"])
def test_a_case_let_go_waits_again(case: Case, person: Make, act: str) -> None:
    account = person()
    caseload.claim(account, case.pk)
    caseload.release(account, case.pk) if act == "release" else caseload.give_back(
        account, case.pk, "ask neuro"
    )
    case.refresh_from_db()
    assert (case.status, case.claimed_by) == ("waiting", None)
    assert caseload.claim(person(), case.pk)


@pytest.mark.parametrize(
    ("verdict", "reason", "comment", "told"),
    [
        ("maybe", "", "", "neither"),
        ("dismissed", "", "", "Choose the reason"),
        ("dismissed", "bored", "", "Choose the reason"),
        ("dismissed", "other", "  ", "in the comment"),
        ("confirmed", "no_lesion", "", "dismissal only"),
    ],
)
def test_a_decision_that_says_too_little_is_refused(  # noqa: PLR0917
    case: Case, person: Make, verdict: str, reason: str, comment: str, told: str
) -> None:
    account = person()
    caseload.claim(account, case.pk)
    with pytest.raises(RefusedError, match=told):
        caseload.decide(account, case.pk, case.reading.version_id, verdict, reason=reason, comment=comment)
    assert not Decision.objects.exists()


def test_a_decision_needs_the_claim(case: Case, person: Make) -> None:
    first, second = person(), person()
    for account in (first, second):
        with pytest.raises(RefusedError, match="do not hold"):
            caseload.decide(account, case.pk, case.reading.version_id, "confirmed")
        caseload.claim(first, case.pk)
        first = second
    assert not Decision.objects.exists()


def test_a_decision_on_an_older_version_is_refused(
    case: Case, person: Make, deliver: Make, version: Make, case_of: Make
) -> None:
    account = person()
    caseload.claim(account, case.pk)
    deliver(version("A1", "stat", "corrected"))
    with pytest.raises(RefusedError, match="newer version"):
        caseload.decide(account, case.pk, case.reading.version_id, "confirmed")
    caseload.decide(account, case.pk, case_of("A1").reading.version_id, "confirmed")
    assert case_of("A1").state == "confirmed"


def test_a_case_is_decided_once(case: Case, person: Make) -> None:
    account = person()
    caseload.claim(account, case.pk)
    caseload.decide(account, case.pk, case.reading.version_id, "dismissed", reason="no_lesion")
    with pytest.raises(RefusedError, match="do not hold"):
        caseload.decide(account, case.pk, case.reading.version_id, "confirmed")
    assert not caseload.claim(account, case.pk)
    assert caseload.total(account) == 0


def test_a_decided_case_can_be_opened_again_with_a_reason(case: Case, person: Make) -> None:
    account = person()
    with pytest.raises(RefusedError, match="Only a decided case"):
        caseload.reopen(account, case.pk, "why not")
    caseload.claim(account, case.pk)
    caseload.decide(account, case.pk, case.reading.version_id, "confirmed")
    with pytest.raises(RefusedError, match="Say why"):
        caseload.reopen(account, case.pk, " ")
    caseload.reopen(account, case.pk, "wrong patient")
    assert caseload.claim(account, case.pk)


def test_a_withdrawn_case_takes_no_act(case: Case, person: Make, deliver: Make, version: Make) -> None:
    account = person()
    deliver(version("A1", None, "deleted"))
    assert not caseload.claim(account, case.pk)
    with pytest.raises(RefusedError, match="Only a decided case"):
        caseload.reopen(account, case.pk, "still there")


def test_a_limit_of_sources_hides_cases_from_every_act(person: Make, deliver: Make, version: Make) -> None:
    deliver(version("A1"), source="north")
    deliver(version("A2"), source="south")
    account = person(sources=("south",))
    hidden = Case.objects.get(report__key="A1")
    assert [row["report"] for row in caseload.listing(account, None)] == ["A2"]
    assert caseload.total(account) == 1
    assert not caseload.claim(account, hidden.pk)
    taken = caseload.next(account)
    assert taken is not None
    assert taken.report.key == "A2"
    for act in (caseload.release, caseload.extend):
        with pytest.raises(RefusedError, match="no such case"):
            act(account, hidden.pk)


def test_each_act_writes_its_audit_row_with_ids_only(case: Case, person: Make) -> None:
    account = person()
    caseload.claim(account, case.pk)
    with time_machine.travel(timezone.now() + timedelta(minutes=14)):
        caseload.extend(account, case.pk)  # folded into the claim
    with time_machine.travel(timezone.now() + timedelta(minutes=20)):
        caseload.extend(account, case.pk)
        caseload.extend(account, case.pk)
    caseload.give_back(account, case.pk, "Mrs Smith is worried")
    caseload.claim(account, case.pk)
    caseload.decide(
        account, case.pk, case.reading.version_id, "dismissed", reason="other", comment="Mrs Smith is well"
    )
    rows = AuditRow.objects.filter(subject=f"case:{case.pk}").order_by("number")
    assert [row.action for row in rows] == [
        "case.claimed",
        "case.extended",
        "case.returned",
        "case.claimed",
        "case.decided",
    ]
    assert {row.actor for row in rows} == {account.actor}
    assert "Smith" not in str([row.detail for row in rows])
    assert audit.verify()["ok"]


def test_an_act_whose_audit_fails_is_not_done(
    case: Case, person: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    account = person()

    def fail(*_: object, **__: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(audit, "record", fail)
    with pytest.raises(OSError, match="disk full"):
        caseload.claim(account, case.pk)
    case.refresh_from_db()
    assert case.status == "waiting"


def race(acts: list[Callable[[], object]]) -> list[object]:
    """Start all acts at the same moment, each in its own thread and connection; return what they say."""
    barrier, results = threading.Barrier(len(acts)), list[object]()

    def do(act: Callable[[], object]) -> None:
        try:
            barrier.wait()
            results.append(act())
        except Exception as error:
            results.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=do, args=(act,)) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


@pytest.mark.django_db(transaction=True)
def test_of_many_who_claim_at_once_one_gets_the_case(case: Case, person: Make) -> None:
    people = [person() for _ in range(8)]
    results = race([lambda account=account: caseload.claim(account, case.pk) for account in people])  # type: ignore[misc]
    assert Counter(results) == {True: 1, False: 7}
    assert audit.verify()["ok"]


@pytest.mark.django_db(transaction=True)
def test_people_who_ask_for_the_next_case_at_once_get_different_ones(
    deliver: Make, version: Make, person: Make
) -> None:
    deliver(*(version(f"B{number}", "soon") for number in range(6)))
    people = [person() for _ in range(6)]
    results = race([lambda account=account: caseload.next(account) for account in people])  # type: ignore[misc]
    assert {result.report.key for result in results} == {f"B{number}" for number in range(6)}  # type: ignore[attr-defined]
    assert audit.verify()["ok"]


@pytest.mark.django_db(transaction=True)
def test_a_decision_and_a_newer_version_at_once_leave_no_unseen_version_decided(
    case: Case, person: Make, deliver: Make, version: Make, case_of: Make
) -> None:
    account: Account = person()
    caseload.claim(account, case.pk)
    newer = version("A1", "stat", "corrected")
    results = race(
        [
            lambda: caseload.decide(
                account, case.pk, case.reading.version_id, "dismissed", reason="no_lesion"
            ),
            lambda: deliver(newer),
        ]
    )
    refused = [result for result in results if isinstance(result, RefusedError)]
    assert not [result for result in results if isinstance(result, Exception) and result not in refused]
    # Either the decision came first and the case waits again, or the newer version did and refused it.
    assert case_of("A1").status == ("in review" if refused else "waiting")
    assert Decision.objects.count() == 1 - len(refused)
    assert audit.verify()["ok"]
