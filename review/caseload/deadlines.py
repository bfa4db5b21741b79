"""Time that runs out: claims that expire, and cases that wait longer than their tier may.

The flow `deadlines` calls these. Every case is a transaction of its own with its event and audit row, so a
flow that dies in the middle leaves nothing half done, and the next one goes on where it ended.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Count, Min, OuterRef, Q, QuerySet, Subquery

from review import audit
from review.caseload.acts import for_change, tell
from review.models import Case, CaseEvent, Decision, Escalation, Tier

State, Kind = Case.State, CaseEvent.Kind
MUST_BE_TOLD = (Tier.STAT, Tier.URGENT)  # what is confirmed as one of these is communicated in person
# The later step first: a case that is due for both, because nobody looked for long, takes that one only.
STEPS: tuple[tuple[Escalation, CaseEvent.Kind, str], ...] = (
    (Escalation.LEAD, Kind.LEAD, "LEAD_MINUTES"),
    (Escalation.AGAIN, Kind.AGAIN, "AGAIN_MINUTES"),
)
Late = Callable[[Tier, Escalation, datetime], QuerySet[Case]]


@dataclass(frozen=True, slots=True)
class Depth:
    """How many open cases of a tier there are, and how long they wait."""

    open: int = 0
    oldest_minutes: int | None = None
    overdue: int = 0
    forgotten: int = 0  # due to be brought to the leads for longer than a round or two of the flow


def overdue(now: datetime) -> Q:
    """Return the condition of open cases that have waited longer than their tier allows."""
    return Q(state=State.WAITING) & _older(now, settings.WAITING_MINUTES)


def depths(now: datetime) -> dict[str, Depth]:
    """Return for each tier how deep the queue is: one query, answered by an index alone."""
    grace = dict.fromkeys(settings.WAITING_MINUTES, settings.SITE.late_minutes)
    long_due = _older(now, settings.WAITING_MINUTES, settings.LEAD_MINUTES, grace)
    rows = (
        Case.objects.filter(state=State.WAITING)
        .values("tier")
        .annotate(
            open=Count("id"),
            since=Min("waiting_since"),
            overdue=Count("id", filter=_older(now, settings.WAITING_MINUTES)),
            forgotten=Count("id", filter=long_due & Q(escalation__lt=Escalation.LEAD)),
        )
        .values_list("tier", "open", "since", "overdue", "forgotten")
    )
    found = {
        Tier(tier).label: Depth(count, int((now - since).total_seconds() // 60), late, forgotten)
        for tier, count, since, late, forgotten in rows
    }
    return {tier.label: found.get(tier.label, Depth()) for tier in Tier}


def _older(now: datetime, *limits: Mapping[str, int]) -> Q:
    """Return the condition of cases that wait for longer than these limits together."""
    late = Q()
    for tier in Tier:
        since = now - sum((_minutes(limit, tier) for limit in limits), timedelta())
        late |= Q(tier=tier, waiting_since__lt=since)
    return late


def release_expired(now: datetime) -> int:
    """Free the cases whose claim has expired, and return how many.

    An expired claim holds nothing anyway; this makes it an event that people see. It ends only while the same
    claim stands: who extended it, took the case over or claimed it anew was first.
    """
    freed = 0
    expired = Case.objects.filter(state=State.WAITING, claim_expires__lte=now).order_by("claim_expires", "id")
    for claim in expired.select_related("claimed_by"):
        holder, until = claim.claimed_by, claim.claim_expires
        with transaction.atomic():
            same = Q(state=State.WAITING, claimed_by=holder, claim_expires=until)
            case = for_change().filter(same, pk=claim.pk).first()
            if case is not None:
                case.claimed_by, case.claim_expires = None, None
                case.save(update_fields=["claimed_by", "claim_expires"])
                tell(case, holder, Kind.EXPIRED, audit.Action.CLAIM_EXPIRED, by_time=now)
                freed += 1
    return freed


def escalate(now: datetime) -> dict[str, int]:
    """Call out open cases that wait too long, claimed ones as well; return how many by step.

    Each step is taken once; a case is called out anew only after it was raised or opened again.
    """
    return _escalate(now, tuple(Tier), _undecided)


def escalate_untold(now: datetime) -> dict[str, int]:
    """Call out confirmed stat and urgent cases whose result nobody has communicated; return how many by step.

    They have left the worklist, so nothing else would bring them back to mind. The clock is the waiting limit
    of the tier that the radiologist gave, from the decision on; recording the communication ends it.
    """
    return _escalate(now, MUST_BE_TOLD, _untold)


def _escalate(now: datetime, tiers: tuple[Tier, ...], late: Late) -> dict[str, int]:
    raised: Counter[str] = Counter({kind.value: 0 for _, kind, _ in STEPS})
    for step, kind, setting in STEPS:
        for tier in tiers:
            limit = _minutes(settings.WAITING_MINUTES, tier) + _minutes(getattr(settings, setting), tier)
            due = late(tier, step, now - limit)
            for case_id in list(due.order_by("id").values_list("id", flat=True)):
                raised[kind.value] += _raise(due, case_id, step, kind, now)
    return dict(raised)


def _raise(due: QuerySet[Case], case_id: int, step: Escalation, kind: CaseEvent.Kind, now: datetime) -> bool:
    """Take one step for a case that is still due; False when a person or another flow was first."""
    with transaction.atomic():
        # Locked before the look: what a person does to the case at this moment is done before or after it.
        case = for_change().filter(pk=case_id).first()
        if case is None or not due.filter(pk=case_id).exists():
            return False
        case.escalation = step
        case.save(update_fields=["escalation"])
        tell(case, None, kind, audit.Action.CASE_ESCALATED, by_time=now)
    return True


def _undecided(tier: Tier, step: Escalation, since: datetime) -> QuerySet[Case]:
    return Case.objects.filter(state=State.WAITING, tier=tier, escalation__lt=step, waiting_since__lte=since)


def _untold(tier: Tier, step: Escalation, since: datetime) -> QuerySet[Case]:
    newest = Decision.objects.filter(case=OuterRef("pk")).order_by("-id")
    due = Case.objects.filter(is_to_tell=True, escalation__lt=step, decided_at__lte=since)
    return (
        due.filter(state=State.CONFIRMED)
        .annotate(given=Subquery(newest.values(given=Decision.URGENCY)[:1]))
        .filter(given=tier)
    )


def _minutes(limits: Mapping[str, int], tier: Tier) -> timedelta:
    return timedelta(minutes=limits[tier.label])
