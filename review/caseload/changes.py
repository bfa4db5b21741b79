"""How cases come: a report's new version opens, raises or withdraws its case."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from review.caseload import blind
from review.caseload.marks import mark
from review.models import Case, CaseEvent, Escalation, QualitySample, Reading, ReportVersion, Tier

TIERS = {tier.label: tier for tier in (Tier.STAT, Tier.URGENT, Tier.SOON)}
State, Kind = Case.State, CaseEvent.Kind


@dataclass(frozen=True, slots=True)
class Change:
    """A new current version of a report: its reading and the tier of it; both None for a withdrawal."""

    version: ReportVersion
    reading: Reading | None
    tier: Tier | None  # None when it reads as routine


How = Callable[[Case, Change, datetime], CaseEvent.Kind | None]


def submit(changes: Sequence[Change], now: datetime, how: How | None = None) -> list[CaseEvent]:
    """Open or change the cases of reports that have a new version; called in the ledger's transaction.

    Parameters
    ----------
    how
        What a change does to a case that is there, where no newer version came: `rereading.reread`. It
        returns what happened, None for nothing.

    Returns
    -------
    list of CaseEvent
        What happened to cases, for which the audit row of the transaction must vouch (`close_shard`).
    """
    reports = {change.version.report_id for change in changes}
    # Locked, so that a person's decision and a newer version come one after the other.
    held = {
        case.report_id: case
        for case in Case.objects.select_for_update().filter(report__in=reports).order_by("id")
    }
    there = list(held.values())
    events: list[CaseEvent] = []
    kind: CaseEvent.Kind | None
    for change in changes:
        case = held.get(change.version.report_id)
        if case is not None:
            kind = (how or _change)(case, change, now)
        elif change.tier is not None and change.reading is not None:
            case = new_case(change.version, change.reading, change.tier, now)
            soon = case.tier == Tier.SOON
            case.is_blind = soon and blind.is_chosen(QualitySample.Stratum.SOON, case.report.key)
            held[change.version.report_id] = case
            kind = Kind.OPENED
        else:
            continue
        if kind is not None:
            events.append(CaseEvent(case=case, at=now, kind=kind, version=change.version, tier=case.tier))
    opened = [case for case in held.values() if case.pk is None]
    Case.objects.bulk_create(opened)
    for case in there:
        case.save()
    mark(case for case in held.values() if case.state != State.WITHDRAWN)
    CaseEvent.objects.bulk_create(events)
    blind.keep([case for case in opened if case.is_blind], QualitySample.Stratum.SOON, now)
    return events


def new_case(version: ReportVersion, reading: Reading, tier: Tier, now: datetime) -> Case:
    """Make the case of a report, not stored yet; it waits from now on."""
    report = version.report
    return Case(
        report=report,
        reading=reading,
        tier=tier,
        source=report.source,
        modality=version.modality,
        first_arrival=report.first_arrival,
        waiting_since=now,
    )


def _change(case: Case, change: Change, now: datetime) -> CaseEvent.Kind:
    """Apply a newer version: a tier rises at once and never falls, and only a deletion closes a case.

    A case that is read blind shows everything once it is more than soon; until then its history must not
    tell that a version reads as calmer.
    """
    if change.reading is None:
        case.state = State.WITHDRAWN
        case.claimed_by, case.claim_expires, case.is_to_tell = None, None, False
        return Kind.WITHDRAWN
    before = case.tier
    case.reading = change.reading
    case.modality = change.version.modality
    calmer = Kind.NEWER if case.is_blind else Kind.CALMER
    if change.tier is None:
        return calmer
    case.tier = min(Tier(before), change.tier)
    rose = case.tier < before
    if rose:
        case.waiting_since, case.escalation, case.is_blind = now, Escalation.NONE, False
    if case.state == State.DISMISSED or (case.state == State.CONFIRMED and rose):
        case.state, case.decided_at, case.is_to_tell = State.WAITING, None, False
        case.waiting_since, case.escalation = now, Escalation.NONE
        return Kind.WAITS_AGAIN
    if rose:
        return Kind.RAISED
    return calmer if change.tier > before else Kind.NEWER
