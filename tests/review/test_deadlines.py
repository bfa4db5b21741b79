"""Time that runs out: each step is taken once, by one, and recorded."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.db import connection, transaction
from django.utils import timezone

from review import audit, caseload
from review.caseload import RefusedError
from review.models import AuditRow, Case, CaseEvent, Escalation, Tier

pytestmark = [pytest.mark.database, pytest.mark.django_db]
Make = Callable[..., Any]
WAITING = {"stat": 10, "urgent": 100, "soon": 1000, "unread": 500}


@pytest.fixture(autouse=True)
def limits(settings: Any) -> None:
    settings.WAITING_MINUTES = WAITING
    settings.AGAIN_MINUTES = dict.fromkeys(WAITING, 5)
    settings.LEAD_MINUTES = dict.fromkeys(WAITING, 20)


@pytest.fixture
def case(deliver: Make, version: Make, case_of: Make) -> Case:
    deliver(version("A1", "stat"))
    return case_of("A1")


def after(minutes: float) -> datetime:
    return timezone.now() + timedelta(minutes=minutes)


def steps(case: Case) -> list[tuple[str, int]]:
    """Return what was recorded of a case by no person: the action, and the step or the former holder."""
    rows = AuditRow.objects.filter(subject=f"case:{case.pk}", actor=audit.SYSTEM).order_by("number")
    return [
        (row.action, row.detail["after"].get("escalation") or row.detail["before"]["holder"]) for row in rows
    ]


def confirmed(account: Any, case: Case, tier_given: Tier | None = None) -> None:
    caseload.claim(account, case.pk)
    caseload.decide(account, case.pk, case.reading.version_id, "confirmed", tier_given=tier_given)


def tell(account: Any, case: Case) -> None:
    now = timezone.now()
    telling = caseload.Telling(
        finding="epidural mass", told_to="ward", told_by="me", found_at=now, told_at=now, method="phone"
    )
    caseload.tell_result(account, case.pk, telling)


@pytest.mark.parametrize(("tier", "limit"), WAITING.items())
def test_a_case_is_announced_again_and_then_brought_to_the_leads(
    deliver: Make, version: Make, case_of: Make, tier: str, limit: int
) -> None:
    deliver(version("A1", tier))
    case = case_of("A1")
    assert caseload.escalate(after(limit + 4)) == {"again": 0, "lead": 0}
    assert caseload.escalate(after(limit + 6)) == {"again": 1, "lead": 0}
    assert caseload.escalate(after(limit + 7)) == {"again": 0, "lead": 0}
    assert caseload.escalate(after(limit + 21)) == {"again": 0, "lead": 1}
    assert caseload.escalate(after(limit + 9999)) == {"again": 0, "lead": 0}
    case.refresh_from_db()
    assert case.escalation == Escalation.LEAD
    assert [event.kind for event in case.events.order_by("id")] == ["opened", "again", "lead"]
    assert steps(case) == [("case.escalated", 1), ("case.escalated", 2)]
    assert audit.verify()["ok"]


def test_after_a_long_silence_of_the_flow_the_step_that_is_due_is_taken_and_no_other(case: Case) -> None:
    assert caseload.escalate(after(9999)) == {"again": 0, "lead": 1}
    assert steps(case) == [("case.escalated", 2)]


def test_a_claimed_case_is_called_out_as_well(case: Case, person: Make) -> None:
    account = person()
    caseload.claim(account, case.pk)
    assert caseload.escalate(after(12 + 5)) == {"again": 1, "lead": 0}
    case.refresh_from_db()
    assert case.claimed_by == account


def test_a_blind_case_is_called_out_like_any_other_of_its_tier(
    deliver: Make, version: Make, case_of: Make
) -> None:
    deliver(version("A1", "soon"), version("A2", "soon"))
    Case.objects.filter(report__key="A1").update(is_blind=True)
    assert caseload.escalate(after(1006)) == {"again": 2, "lead": 0}
    rows = AuditRow.objects.filter(action="case.escalated").values_list("detail", flat=True)
    assert len({tuple(sorted(set(row) - {"version"})) for row in rows}) == 1


def test_the_clock_begins_anew_when_the_tier_rises(deliver: Make, version: Make, case_of: Make) -> None:
    deliver(version("A1", "soon"))
    caseload.escalate(after(2000))
    with time_machine.travel(after(2000)):
        deliver(version("A1", "stat", "corrected"))
        assert caseload.escalate(after(14)) == {"again": 0, "lead": 0}
        assert caseload.escalate(after(16)) == {"again": 1, "lead": 0}


def test_what_is_decided_or_withdrawn_is_not_called_out(
    case: Case, deliver: Make, version: Make, person: Make
) -> None:
    account = person()
    caseload.claim(account, case.pk)
    caseload.decide(account, case.pk, case.reading.version_id, "dismissed", reason="no_lesion")
    deliver(version("A2", "stat"))
    deliver(version("A2", None, "deleted"))
    assert caseload.escalate(after(9999)) == {"again": 0, "lead": 0}
    assert caseload.escalate_untold(after(9999)) == {"again": 0, "lead": 0}


def test_overdue_means_longer_than_the_limit(case: Case) -> None:
    waiting = case.waiting_since
    for seconds, late in ((-1, False), (0, False), (1, True)):
        moment = waiting + timedelta(minutes=10, seconds=seconds)
        assert Case.objects.filter(caseload.overdue(moment)).exists() is late


def test_the_queue_as_json_tells_overdue_and_escalation(case: Case, person: Make) -> None:
    account = person()
    told = caseload.listing(account, None)[0]
    assert (told["overdue"], told["escalation"]) == (False, "none")
    caseload.escalate(after(40))
    with time_machine.travel(after(40)):
        told = caseload.listing(account, None)[0]
    assert (told["overdue"], told["escalation"]) == (True, "lead")


def test_an_expired_claim_is_freed_and_names_its_holder(case: Case, person: Make) -> None:
    account = person()
    caseload.claim(account, case.pk)
    assert caseload.release_expired(after(14)) == 0
    assert caseload.release_expired(after(16)) == 1
    assert caseload.release_expired(after(17)) == 0
    case.refresh_from_db()
    assert (case.status, case.claimed_by, case.claim_expires) == ("waiting", None, None)
    event = case.events.order_by("-id")[0]
    assert (event.kind, event.account) == ("expired", account)
    assert steps(case) == [("case.claim_expired", account.pk)]
    assert caseload.claim(person(), case.pk)


def test_a_claim_that_was_extended_stays(case: Case, person: Make) -> None:
    account = person()
    caseload.claim(account, case.pk)
    with time_machine.travel(after(10)):
        caseload.extend(account, case.pk)
    assert caseload.release_expired(after(16)) == 0


@pytest.mark.parametrize("given", [None, Tier.URGENT])
def test_a_confirmed_case_that_nobody_communicates_is_called_out(
    case: Case, person: Make, given: Tier | None
) -> None:
    account, limit = person(), 10 if given is None else 100
    confirmed(account, case, given)
    assert caseload.escalate_untold(after(limit + 4)) == {"again": 0, "lead": 0}
    assert caseload.escalate_untold(after(limit + 6)) == {"again": 1, "lead": 0}
    assert caseload.escalate_untold(after(limit + 21)) == {"again": 0, "lead": 1}
    assert caseload.escalate_untold(after(9999)) == {"again": 0, "lead": 0}
    assert steps(case) == [("case.escalated", 1), ("case.escalated", 2)]


def test_a_result_that_was_communicated_is_not_called_out(case: Case, person: Make) -> None:
    account = person()
    confirmed(account, case)
    assert caseload.escalate_untold(after(16)) == {"again": 1, "lead": 0}
    tell(account, case)
    assert caseload.escalate_untold(after(9999)) == {"again": 0, "lead": 0}
    case.refresh_from_db()
    assert case.escalation == Escalation.NONE
    caseload.reopen(account, case.pk, "second thoughts")
    confirmed(account, case)
    assert caseload.escalate_untold(after(9999)) == {"again": 0, "lead": 1}


def test_what_was_confirmed_as_soon_need_not_be_communicated(case: Case, person: Make) -> None:
    confirmed(person(), case, Tier.SOON)
    assert caseload.escalate_untold(after(9999)) == {"again": 0, "lead": 0}


def test_a_decision_ends_the_calling_out_of_the_wait(case: Case, person: Make) -> None:
    caseload.escalate(after(9999))
    confirmed(person(), case)
    case.refresh_from_db()
    assert case.escalation == Escalation.NONE


def test_a_flow_that_dies_in_the_middle_leaves_nothing_half_done(
    deliver: Make, version: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    deliver(*(version(f"A{number}", "stat") for number in range(3)))
    written, record = [], audit.record

    def fail_later(*args: Any, **detail: Any) -> None:
        written.append(args)
        if len(written) == 2:
            raise OSError("disk full")
        record(*args, **detail)

    monkeypatch.setattr(audit, "record", fail_later)
    with pytest.raises(OSError, match="disk full"):
        caseload.escalate(after(9999))
    assert Case.objects.filter(escalation=Escalation.LEAD).count() == 1
    assert CaseEvent.objects.filter(kind="lead").count() == 1
    assert caseload.escalate(after(9999)) == {"again": 0, "lead": 2}
    assert AuditRow.objects.filter(action="case.escalated").count() == 3
    assert audit.verify()["ok"]


def race(*acts: Callable[[], object]) -> list[object]:
    """Start all acts at the same moment, each in its own thread and connection; return what each says."""
    barrier = threading.Barrier(len(acts))
    results: list[object] = [None] * len(acts)

    def do(number: int) -> None:
        try:
            barrier.wait()
            results[number] = acts[number]()
        except Exception as error:
            results[number] = error
        finally:
            connection.close()

    threads = [threading.Thread(target=do, args=(number,)) for number in range(len(acts))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


@pytest.mark.django_db(transaction=True)
def test_of_several_flows_at_once_one_takes_each_step(deliver: Make, version: Make, person: Make) -> None:
    deliver(*(version(f"A{number}", "stat") for number in range(6)))
    account = person()
    for case_id in Case.objects.values_list("id", flat=True):
        caseload.claim(account, case_id)
    late = after(30 + 2)
    taken = race(*[lambda: caseload.escalate(late)["lead"]] * 4)
    freed = race(*[lambda: caseload.release_expired(late)] * 4)
    assert sum(taken) == 6, taken  # type: ignore[arg-type]
    assert sum(freed) == 6, freed  # type: ignore[arg-type]
    assert (
        CaseEvent.objects.filter(kind="lead").count() == CaseEvent.objects.filter(kind="expired").count() == 6
    )
    assert audit.verify()["ok"]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("act", ["extend", "decide", "claim"])
def test_an_expiring_claim_and_a_persons_act_at_once_come_one_after_the_other(
    case: Case, person: Make, act: str
) -> None:
    first, second = person(), person()
    caseload.claim(first, case.pk)
    # To the flow, whose clock is ahead, the claim has expired; to its holder it still stands, and extended
    # it stands for both.
    until = after(1)
    Case.objects.filter(pk=case.pk).update(claim_expires=until)
    acts: dict[str, Callable[[], object]] = {
        "extend": lambda: caseload.extend(first, case.pk),
        "decide": lambda: caseload.decide(
            first, case.pk, case.reading.version_id, "dismissed", reason="no_lesion"
        ),
        "claim": lambda: caseload.claim(second, case.pk),
    }
    freed, done = race(lambda: caseload.release_expired(until), acts[act])
    case.refresh_from_db()
    if isinstance(done, RefusedError):
        assert (freed, case.status) == (1, "waiting")
    elif act == "claim":
        assert freed == 1
        assert case.claimed_by == (second if done else None)
    else:
        assert not isinstance(done, Exception), done
        assert freed == 0
        assert case.status == ("dismissed" if act == "decide" else "in review")
    assert audit.verify()["ok"]


@pytest.mark.django_db(transaction=True)
def test_a_step_waits_for_the_person_who_is_at_the_case(case: Case, person: Make) -> None:
    """A result communicated in a transaction that is still open when the flow looks is not called out."""
    account = person()
    confirmed(account, case)
    looked = threading.Event()

    def flow() -> dict[str, int]:
        looked.set()
        try:
            return caseload.escalate_untold(after(9999))
        finally:
            connection.close()

    found: list[dict[str, int]] = []
    thread = threading.Thread(target=lambda: found.append(flow()))
    with transaction.atomic():
        Case.objects.select_for_update().get(pk=case.pk)
        thread.start()
        looked.wait()
        thread.join(0.5)
        tell(account, case)
    thread.join()
    assert found == [{"again": 0, "lead": 0}]
