"""What becomes of cases whose report was read again with other rules: they open or rise, and none falls."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from review.caseload.changes import Change
from review.comparison import Span, asks_again, rank
from review.models import Case, CaseEvent, Decision, Escalation, Tier

State, Kind = Case.State, CaseEvent.Kind


def reread(case: Case, change: Change, now: datetime) -> CaseEvent.Kind | None:
    """Apply a reading of the same version with other rules, and return what happened; None when nothing did.

    The tier rises at once and never falls; that the report now reads as calmer is told. A decided case waits
    again only for what the person did not see: a dismissed one when `asks_again`, a confirmed one when it is
    now more urgent than the person said. A case that is read blind always tells the same, whatever was read.
    """
    before, calmer = case.tier, rank(change.reading or case.reading) > rank(case.reading)
    decision = _decision(case) if case.state in Decision.Verdict.values else None
    again = decision is not None and _waits_again(decision, change)
    case.reading = change.reading or case.reading
    if change.tier is not None:
        case.tier = min(Tier(before), change.tier)
    rose = case.tier < before
    if again:
        case.state, case.decided_at, case.is_to_tell = State.WAITING, None, False
    if again or (rose and decision is None):
        case.waiting_since, case.escalation = now, Escalation.NONE
        case.is_blind = case.is_blind and not rose
        return Kind.REREAD_AGAIN if again else Kind.REREAD_UP
    if rose or (case.is_blind and decision is None):
        return Kind.REREAD
    return Kind.REREAD_DOWN if calmer else None


def _decision(case: Case) -> Decision | None:
    return case.decisions.select_related("reading").order_by("-id").first()


def _waits_again(decision: Decision, change: Change) -> bool:
    if change.reading is None or change.tier is None:
        return False
    if decision.verdict == Decision.Verdict.CONFIRMED:
        return change.tier < min(decision.urgency, decision.tier)
    return asks_again(decision.reading, change.reading, judged(decision))


def judged(decision: Decision) -> Iterator[Span]:
    """Yield the stretches of the decided version's text about which people said what is true."""
    said = decision.case.corrections.filter(reading__version=decision.reading.version_id)
    yield from said.values_list("start", "end")
