"""How cases come: a report's new version opens, raises or withdraws its case."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from review.caseload.marks import mark
from review.models import Case, CaseEvent, Escalation, Reading, ReportVersion, Tier

TIERS = {tier.label: tier for tier in (Tier.STAT, Tier.URGENT, Tier.SOON)}
State, Kind = Case.State, CaseEvent.Kind


@dataclass(frozen=True, slots=True)
class Change:
    """A new current version of a report: its reading and the tier of it; both None for a withdrawal."""

    version: ReportVersion
    reading: Reading | None
    tier: Tier | None  # None when it reads as routine


def submit(changes: Sequence[Change], now: datetime) -> None:
    """Open or change the cases of reports that have a new version; called in the ledger's transaction."""
    reports = {change.version.report_id for change in changes}
    # Locked, so that a person's decision and a newer version come one after the other.
    held = {
        case.report_id: case
        for case in Case.objects.select_for_update().filter(report__in=reports).order_by("id")
    }
    there = list(held.values())
    events: list[CaseEvent] = []
    for change in changes:
        case = held.get(change.version.report_id)
        if case is not None:
            kind = _change(case, change, now)
        elif change.tier is not None and change.reading is not None:
            case = held[change.version.report_id] = _new_case(change.version, change.reading, change.tier)
            case.waiting_since = now
            kind = Kind.OPENED
        else:
            continue
        events.append(CaseEvent(case=case, at=now, kind=kind, version=change.version, tier=case.tier))
    Case.objects.bulk_create([case for case in held.values() if case.pk is None])
    for case in there:
        case.save()
    mark(case for case in held.values() if case.state != State.WITHDRAWN)
    CaseEvent.objects.bulk_create(events)


def _new_case(version: ReportVersion, reading: Reading, tier: Tier) -> Case:
    report = version.report
    return Case(
        report=report,
        reading=reading,
        tier=tier,
        source=report.source,
        modality=version.modality,
        first_arrival=report.first_arrival,
    )


def _change(case: Case, change: Change, now: datetime) -> CaseEvent.Kind:
    """Apply a newer version: a tier rises at once and never falls, and only a deletion closes a case."""
    if change.reading is None:
        case.state = State.WITHDRAWN
        case.claimed_by, case.claim_expires = None, None
        return Kind.WITHDRAWN
    before = case.tier
    case.reading = change.reading
    case.modality = change.version.modality
    if change.tier is None:
        return Kind.CALMER
    case.tier = min(Tier(before), change.tier)
    rose = case.tier < before
    if rose:
        case.waiting_since, case.escalation = now, Escalation.NONE
    if case.state == State.DISMISSED or (case.state == State.CONFIRMED and rose):
        case.state, case.decided_at = State.WAITING, None
        case.waiting_since, case.escalation = now, Escalation.NONE
        return Kind.WAITS_AGAIN
    if rose:
        return Kind.RAISED
    return Kind.CALMER if change.tier > before else Kind.NEWER
