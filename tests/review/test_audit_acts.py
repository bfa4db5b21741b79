"""What people did to cases cannot be changed, removed or made up unseen."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db.models import F, Model
from django.utils import timezone

from review import audit, caseload
from review.digests import decision_digest
from review.models import (
    Account,
    AuditHead,
    AuditRow,
    Case,
    CaseEvent,
    Communication,
    Correction,
    Decision,
    Tier,
)

pytestmark = [pytest.mark.database, pytest.mark.django_db]
Make = Callable[..., Any]


@pytest.fixture
def work(deliver: Make, version: Make, person: Make, case_of: Make) -> Case:
    """A case assigned, claimed, corrected, confirmed, told and commented; one waits, one is held."""
    deliver(version("A1", "stat"), version("A2", "soon"), version("A3", "soon"))
    account, case = person(), case_of("A1")
    caseload.claim(account, case_of("A3").pk)
    caseload.assign(account, case.pk, person().pk, "have a look")
    caseload.claim(account, case.pk)
    start = case.reading.version.text.index("epidural")
    span, said = (start, start + len("epidural mass")), caseload.Said(kind="not_a_lesion")
    caseload.correct(account, case.pk, case.reading.version_id, span, said)
    caseload.decide(account, case.pk, case.reading.version_id, "confirmed", tier_given=Tier.URGENT)
    now = timezone.now()
    telling = caseload.Telling(
        finding="mass", told_to="Dr Ames", told_by="Dr Grey", found_at=now, told_at=now, method="phone"
    )
    caseload.tell_result(account, case.pk, telling)
    caseload.comment(account, case.pk, "seen")
    assert audit.verify()["ok"]
    return case_of("A1")  # type: ignore[no-any-return]


def again(model: type[Model]) -> None:
    """Put the newest row in a second time."""
    row = model._default_manager.latest("id")
    row.pk = None
    row.save(force_insert=True)


def make_up_early_event() -> None:
    """Make up an act of before events were vouched for."""
    event = CaseEvent.objects.latest("id")
    event.pk = -1
    event.save(force_insert=True)


def hide_untold() -> None:
    Communication.objects.all().delete()
    Case.objects.filter(report__key="A1").update(is_to_tell=False)


def of(key: str) -> Any:
    return Case.objects.filter(report__key=key)


def make_up(kind: str) -> None:
    case = Case.objects.get(report__key="A2")
    CaseEvent.objects.create(case=case, at=timezone.now(), kind=kind, tier=case.tier)


def take_a_role() -> None:
    Account.objects.latest("id").groups.clear()


def events(kind: str) -> Any:
    return CaseEvent.objects.filter(kind=kind)


CHANGED = "or what it was made on, was changed"
TAMPERINGS: dict[str, tuple[Callable[[], object], str]] = {
    "a tier given": (lambda: Decision.objects.update(tier_given=Tier.SOON), CHANGED),
    "a tier given taken away": (lambda: Decision.objects.update(tier_given=None), CHANGED),
    "a correction": (lambda: Correction.objects.update(kind="as_read"), CHANGED),
    "a correction's place": (lambda: Correction.objects.update(start=1), CHANGED),
    "a correction's levels": (lambda: Correction.objects.update(levels=["L1"]), CHANGED),
    "a correction removed": (lambda: Correction.objects.all().delete(), "is not there"),
    "a correction made up": (lambda: again(Correction), "stands in no row"),
    "who was told": (lambda: Communication.objects.update(told_to="Dr Who"), CHANGED),
    "when it was told": (
        lambda: Communication.objects.update(told_at=F("told_at") - timedelta(hours=1)),
        CHANGED,
    ),
    "a communication removed": (lambda: Communication.objects.all().delete(), "is not there"),
    "a communication made up": (lambda: again(Communication), "stands in no row"),
    "a comment": (lambda: events("commented").update(note="unseen"), CHANGED),
    "a comment's writer": (lambda: events("commented").update(account=F("whom")), CHANGED),
    "a comment removed": (lambda: events("commented").delete(), "is not there"),
    "a comment made up": (lambda: again(CaseEvent), "stands in no row"),
    "an early event made up": (make_up_early_event, "1 events of early acts are there, the audit has 0"),
    "to whom a case was given": (lambda: events("assigned").update(whom=None), CHANGED),
    "when a case was claimed": (
        lambda: events("claimed").update(at=F("at") + timedelta(minutes=5)),
        CHANGED,
    ),
    "whose work a case is": (
        lambda: Case.objects.filter(report__key="A2").update(assigned_to=Account.objects.latest("id")),
        "not assigned to whom",
    ),
    "who holds a case": (lambda: of("A2").update(claimed_by=Account.objects.latest("id")), "is not held by"),
    "a claim taken away": (lambda: of("A3").update(claimed_by=None, claim_expires=None), "is not held by"),
    "when a case was first claimed": (
        lambda: of("A1").update(first_claimed_at=F("first_claimed_at") - timedelta(hours=1)),
        "was not first claimed when",
    ),
    "that a case was first claimed": (
        lambda: of("A1").update(first_claimed_at=None),
        "was not first claimed",
    ),
    "since when a case waits": (
        lambda: of("A2").update(waiting_since=F("waiting_since") + timedelta(hours=1)),
        "waits for longer than it says",
    ),
    "when a case came": (
        lambda: of("A2").update(first_arrival=F("first_arrival") + timedelta(hours=1)),
        "came before the time",
    ),
    "how far a case was called out": (lambda: of("A2").update(escalation=2), "was not called out as"),
    "a decision undone": (
        lambda: of("A1").update(state="waiting", decided_at=None),
        "waits, but was decided",
    ),
    "when a case was decided": (
        lambda: of("A1").update(decided_at=F("decided_at") + timedelta(hours=1)),
        "was not decided when",
    ),
    "which report a case shows": (
        lambda: of("A2").update(reading=Case.objects.get(report__key="A1").reading),
        "the newest version of its own report",
    ),
    "whose cases they are": (lambda: of("A2").update(source="south"), "of its own report"),
    "a call made up": (lambda: make_up("lead"), "stands in no row"),
    "an expiry made up": (lambda: make_up("expired"), "stands in no row"),
    "a role": (take_a_role, "has other roles than"),
    "a closed account": (lambda: Account.objects.update(is_active=False), "was opened or closed by nobody"),
    "a result hidden from those to tell": (hide_untold, "was told to nobody"),
}


@pytest.mark.parametrize("what", TAMPERINGS)
@pytest.mark.usefixtures("work")
def test_tampering_with_what_people_did_is_found(what: str) -> None:
    tamper, told = TAMPERINGS[what]
    tamper()
    result = audit.verify()
    assert not result["ok"]
    assert told in " ".join(fault["what"] for fault in result["faults"])


@pytest.mark.parametrize(
    ("model", "action", "key"),
    [
        (Correction, "case.corrected", "correction"),
        (Communication, "case.told", "communication"),
        (CaseEvent, "case.commented", "event"),
    ],
)
@pytest.mark.usefixtures("work")
def test_the_row_that_vouches_for_what_is_gone_is_named(model: type[Model], action: str, key: str) -> None:
    row = AuditRow.objects.get(action=action)
    model._default_manager.filter(pk=row.detail[key]).delete()
    named = [fault for fault in audit.verify()["faults"] if fault["row"] == row.number]
    assert [fault["what"] for fault in named] == [f"{key} {row.detail[key]} is not there"]


def test_a_decision_of_before_a_tier_was_asked_for_still_verifies(work: Case) -> None:
    decision = Decision.objects.get()
    decision.tier_given = None
    before = decision_digest(decision, work.report.key)
    decision.tier_given = Tier.URGENT
    assert decision_digest(decision, work.report.key) != before


@pytest.mark.usefixtures("work")
def test_acts_of_before_events_were_vouched_for_still_verify_by_their_number() -> None:
    """Write the chain anew as it was written then: without the ids and digests of events."""
    before = ""
    for row in AuditRow.objects.order_by("number"):
        row.detail = {k: v for k, v in row.detail.items() if not k.startswith("event")}
        row.mac = before = audit.chain.row_mac(row, before)
        row.save()
    AuditHead.objects.update(mac=before)
    assert audit.verify()["ok"]
    CaseEvent.objects.filter(kind="commented").delete()
    assert [fault["what"] for fault in audit.verify()["faults"]] == [
        "6 events of early acts are there, the audit has 7"
    ]
