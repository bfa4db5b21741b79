"""Taking over, assigning, commenting, deciding twice: whoever acts, nobody's work is lost or done twice."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.utils import timezone

from review import administration, audit, caseload
from review.caseload import NewerVersionError, RefusedError
from review.models import Account, AuditRow, Case, CaseEvent, Decision, Tier
from tests.review.test_claims import race

pytestmark = [pytest.mark.database, pytest.mark.django_db]
Make = Callable[..., Any]


@pytest.fixture
def case(deliver: Make, version: Make, case_of: Make) -> Case:
    deliver(version("A1", "stat"))
    return case_of("A1")


def confirm(account: Account, case: Case, **other: Any) -> Decision:
    return caseload.decide(account, case.pk, case.reading.version_id, "confirmed", **other)


def test_the_audit_says_what_each_act_changed_of_a_case(case: Case, person: Make) -> None:
    one, other = person(), person()
    caseload.claim(one, case.pk)
    caseload.comment(one, case.pk, "look again")
    caseload.hand_over(one, case.pk, other.pk, "yours")
    caseload.claim(other, case.pk)
    confirm(other, case)
    caseload.reopen(one, case.pk, "too early")
    rows = AuditRow.objects.filter(subject=f"case:{case.pk}", action__startswith="case.").order_by("number")
    assert [(row.action, row.detail.get("before"), row.detail.get("after")) for row in rows] == [
        ("case.claimed", {"holder": None}, {"holder": one.pk}),
        ("case.commented", None, None),
        ("case.released", {"holder": one.pk}, {"holder": None}),
        ("case.assigned", {"assigned": None}, {"assigned": other.pk}),
        ("case.claimed", {"holder": None}, {"holder": other.pk}),
        (
            "case.decided",
            {"state": "waiting", "holder": other.pk, "assigned": other.pk},
            {"state": "confirmed", "holder": None, "assigned": None},
        ),
        ("case.reopened", {"state": "confirmed"}, {"state": "waiting"}),
    ]


def test_who_takes_over_holds_the_case_and_the_former_holder_is_told_by_whom(
    case: Case, person: Make
) -> None:
    holder, other = person(), person(name="dr.swift")
    caseload.claim(holder, case.pk)
    caseload.take_over(other, case.pk, "she went home")
    case.refresh_from_db()
    assert case.claimed_by == other
    with pytest.raises(RefusedError, match=r"dr\.swift took it over"):
        caseload.extend(holder, case.pk)
    event = CaseEvent.objects.latest("id")
    assert (event.kind, event.account, event.whom, event.note) == (
        "taken_over",
        other,
        holder,
        "she went home",
    )
    row = AuditRow.objects.latest("number")
    assert (row.action, row.detail["before"]) == ("case.taken_over", {"holder": holder.pk})
    assert row.detail["after"] == {"holder": other.pk}
    assert "home" not in str(row.detail)
    caseload.release(other, case.pk)
    with pytest.raises(RefusedError, match="Claim it first"):
        caseload.extend(holder, case.pk)
    assert audit.verify()["ok"]


def test_a_take_over_needs_a_reason_and_somebody_to_take_from(case: Case, person: Make) -> None:
    holder, other = person(), person()
    with pytest.raises(RefusedError, match="free: claim it"):
        caseload.take_over(other, case.pk, "mine")
    caseload.claim(holder, case.pk)
    with pytest.raises(RefusedError, match="Say why"):
        caseload.take_over(other, case.pk, "  ")
    with pytest.raises(RefusedError, match="yourself"):
        caseload.take_over(holder, case.pk, "mine")
    with time_machine.travel(timezone.now() + timedelta(minutes=16)):
        with pytest.raises(RefusedError, match="free: claim it"):
            caseload.take_over(other, case.pk, "late")
        caseload.release_expired(timezone.now())
        with pytest.raises(RefusedError, match="expired"):
            caseload.extend(holder, case.pk)
    assert audit.verify()["ok"]


@pytest.mark.parametrize(
    ("tier", "given", "stored", "to_tell"),
    [
        ("stat", None, Tier.STAT, True),
        ("stat", Tier.SOON, Tier.SOON, False),
        ("soon", Tier.URGENT, Tier.URGENT, True),
        ("unread", Tier.SOON, Tier.SOON, False),
    ],
)
def test_who_confirms_keeps_or_changes_the_tier_and_a_grave_result_is_to_be_told(  # noqa: PLR0917
    deliver: Make,
    version: Make,
    person: Make,
    case_of: Make,
    tier: str,
    given: Tier,
    stored: Tier,
    to_tell: bool,
) -> None:
    deliver(version("A1", tier))
    account, case = person(), case_of("A1")
    caseload.claim(account, case.pk)
    decision = confirm(account, case, tier_given=given)
    case.refresh_from_db()
    assert (decision.tier_given, case.is_to_tell, case.get_tier_display()) == (stored, to_tell, tier)
    assert audit.verify()["ok"]


@pytest.mark.parametrize("given", [None, Tier.UNREAD, 7])
def test_a_case_that_the_machine_could_not_read_is_confirmed_with_a_tier_only(
    deliver: Make, version: Make, person: Make, case_of: Make, given: int | None
) -> None:
    deliver(version("A1", "unread"))
    account, case = person(), case_of("A1")
    caseload.claim(account, case.pk)
    with pytest.raises(RefusedError, match="stat, urgent or soon"):
        confirm(account, case, tier_given=given)
    with pytest.raises(RefusedError, match="confirmed case only"):
        caseload.decide(
            account, case.pk, case.reading.version_id, "dismissed", reason="no_lesion", tier_given=0
        )
    assert not Decision.objects.exists()


def test_a_case_that_is_read_blind_asks_for_the_tier_and_for_no_reason(
    deliver: Make, version: Make, person: Make, case_of: Make
) -> None:
    deliver(version("A1", "soon"))
    Case.objects.update(is_blind=True)
    account, case = person(), case_of("A1")
    caseload.claim(account, case.pk)
    with pytest.raises(RefusedError, match="how urgent"):
        confirm(account, case)
    with pytest.raises(RefusedError, match="nothing in it is suspicious"):
        caseload.decide(account, case.pk, case.reading.version_id, "dismissed", reason="misread")
    assert confirm(account, case, tier_given=Tier.STAT).tier_given == Tier.STAT


def test_a_decision_sent_twice_is_taken_once(case: Case, person: Make) -> None:
    account = person()
    caseload.claim(account, case.pk)
    first = confirm(account, case, comment="seen", tier_given=Tier.STAT)
    assert confirm(account, case, comment="seen", tier_given=Tier.STAT) == first
    with pytest.raises(RefusedError, match="it is confirmed"):
        confirm(account, case, comment="seen", tier_given=Tier.SOON)
    with pytest.raises(RefusedError, match="it is confirmed"):
        confirm(person(), case, comment="seen", tier_given=Tier.STAT)
    assert Decision.objects.count() == 1
    assert AuditRow.objects.filter(action="case.decided").count() == 1


def test_next_leaves_a_colleagues_case_until_it_is_overdue(
    deliver: Make, version: Make, person: Make, case_of: Make
) -> None:
    deliver(version("A1", "stat"), version("A2", "soon"))
    me, colleague, lead = person(), person(), person("lead")
    caseload.assign(lead, case_of("A1").pk, colleague.pk, "yours, please")
    taken = caseload.next(me)
    assert taken is not None
    assert taken.report.key == "A2"
    caseload.release(me, taken.pk)
    taken = caseload.next(colleague)
    assert taken is not None
    assert taken.report.key == "A1"
    caseload.release(colleague, taken.pk)
    with time_machine.travel(timezone.now() + timedelta(days=3)):
        taken = caseload.next(me)
        assert taken is not None
        assert taken.report.key == "A1"
    assert audit.verify()["ok"]


def test_next_stays_within_the_list_that_one_came_from(
    deliver: Make, version: Make, person: Make, case_of: Make
) -> None:
    deliver(version("A1", "stat"), version("A2", "soon"))
    me = person()
    soon = Case.objects.filter(tier=Tier.SOON)
    taken = caseload.next(me, soon)
    assert taken is not None
    assert taken.report.key == "A2"
    assert caseload.next(me, soon) is None
    assert caseload.claim(me, case_of("A1").pk)


def test_a_case_is_given_only_to_those_who_can_do_the_work(case: Case, person: Make) -> None:
    lead, closed, blind = person("lead"), person(), person(sources=("south",))
    administration.close(closed, by=person("admin"))
    for other in (closed.pk, person("auditor").pk, 99_999):
        with pytest.raises(RefusedError, match="who may decide"):
            caseload.assign(lead, case.pk, other)
    with pytest.raises(RefusedError, match="may not see"):
        caseload.assign(lead, case.pk, blind.pk)
    with pytest.raises(RefusedError, match="assigned to nobody"):
        caseload.unassign(lead, case.pk)
    able = person()
    assert [one.pk for one in caseload.colleagues(lead, case.source)] == [able.pk]
    caseload.assign(lead, case.pk, able.pk)
    with pytest.raises(RefusedError, match="already"):
        caseload.assign(lead, case.pk, able.pk)
    caseload.unassign(able, case.pk)
    case.refresh_from_db()
    assert case.assigned_to is None
    assert audit.verify()["ok"]


def test_a_case_handed_over_is_free_for_the_colleague_and_a_decision_ends_the_assignment(
    case: Case, person: Make
) -> None:
    me, other = person(), person()
    with pytest.raises(RefusedError, match="do not hold"):
        caseload.hand_over(me, case.pk, other.pk, "please")
    caseload.claim(me, case.pk)
    with pytest.raises(RefusedError, match="should know"):
        caseload.hand_over(me, case.pk, other.pk, "")
    caseload.hand_over(me, case.pk, other.pk, "shift ends")
    case.refresh_from_db()
    assert (case.claimed_by, case.assigned_to, case.status) == (None, other, "waiting")
    taken = caseload.next(other)
    assert taken == case
    confirm(other, case)
    case.refresh_from_db()
    assert case.assigned_to is None
    with pytest.raises(RefusedError, match="Only an open case"):
        caseload.assign(me, case.pk, other.pk)
    assert audit.verify()["ok"]


def test_a_comment_is_written_in_any_state_and_once(
    case: Case, person: Make, deliver: Make, version: Make
) -> None:
    account = person()
    for text in ("first", "first", "second"):
        caseload.comment(account, case.pk, text)
    with pytest.raises(RefusedError, match="empty"):
        caseload.comment(account, case.pk, " \n")
    deliver(version("A1", None, "deleted"))
    caseload.comment(account, case.pk, "withdrawn, but still")
    notes = CaseEvent.objects.filter(kind="commented").order_by("id").values_list("note", flat=True)
    assert list(notes) == ["first", "second", "withdrawn, but still"]
    assert "still" not in str(list(AuditRow.objects.values_list("detail", flat=True)))
    assert audit.verify()["ok"]


@pytest.mark.django_db(transaction=True)
def test_a_take_over_and_a_decision_at_once_leave_one_of_them(case: Case, person: Make) -> None:
    holder, other = person(), person()
    caseload.claim(holder, case.pk)
    results = race([lambda: confirm(holder, case), lambda: caseload.take_over(other, case.pk, "mine")])
    refused = [result for result in results if isinstance(result, RefusedError)]
    assert len(refused) == 1
    assert not [result for result in results if isinstance(result, Exception) and result not in refused]
    case.refresh_from_db()
    decided = case.state == "confirmed"
    assert (Decision.objects.count(), case.claimed_by) == ((1, None) if decided else (0, other))
    assert audit.verify()["ok"]


@pytest.mark.django_db(transaction=True)
def test_one_decision_sent_by_many_presses_at_once_is_taken_once(case: Case, person: Make) -> None:
    account = person()
    caseload.claim(account, case.pk)
    results = race([lambda: confirm(account, case)] * 4)
    assert not [result for result in results if isinstance(result, Exception)]
    assert Decision.objects.count() == 1
    assert audit.verify()["ok"]


@pytest.mark.django_db(transaction=True)
def test_assigning_and_claiming_at_once_are_both_done(case: Case, person: Make) -> None:
    me, other, lead = person(), person(), person("lead")
    results = race([lambda: caseload.claim(me, case.pk), lambda: caseload.assign(lead, case.pk, other.pk)])
    assert not [result for result in results if isinstance(result, Exception)]
    case.refresh_from_db()
    assert (case.claimed_by, case.assigned_to) == (me, other)
    assert audit.verify()["ok"]


@pytest.mark.django_db(transaction=True)
def test_a_newer_version_refuses_the_decision_by_its_name(
    case: Case, person: Make, deliver: Make, version: Make
) -> None:
    account = person()
    caseload.claim(account, case.pk)
    deliver(version("A1", "stat", "corrected"))
    with pytest.raises(NewerVersionError):
        confirm(account, case)
