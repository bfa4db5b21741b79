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
    """A case assigned, claimed, corrected, confirmed, told and commented; another waits."""
    deliver(version("A1", "stat"), version("A2", "soon"))
    account, case = person(), case_of("A1")
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
        "5 events of early acts are there, the audit has 6"
    ]
