"""How long cases waited until somebody took them, and until they were decided."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from django.conf import settings

from review.access import visible
from review.models import Case, Tier
from review.statistics.estimates import quantiles, wilson
from review.statistics.period import Scope
from review.statistics.table import Column, Table, told
from review.statistics.volume import ROUTINE, TIERS

Wait = tuple[str, float, bool]  # tier, minutes, whether it was done then
COLUMNS = (
    Column("tier", "Tier", "text"),
    Column("began", "began to wait"),
    Column("done", "done"),
    Column("open", "still waiting"),
    Column("median", "half done within", "minutes"),
    Column("ninety", "90 % done within", "minutes"),
    Column("limit", "limit", "minutes"),
    Column("due", "done or past the limit"),
    Column("within", "of these within the limit"),
    Column("share", "share within", "share"),
    Column("low", "from", "share"),
    Column("high", "to", "share"),
)
OF = (
    "Cases that began to wait in their tier in the period (opened, raised or opened again), withdrawn ones "
    "and "
    "the quality sample left out, followed until now. Times take into account what still waits "
    "(Kaplan-Meier). The share within the limit is of those done or past it; 95 % interval by Wilson."
)


def decision(scope: Scope) -> Table:
    """Time to decision by tier."""
    return _table("decision", "Time to decision by tier", "decided", _until("decided_at", scope), OF)


def claim(scope: Scope) -> Table:
    """Time to the first claim by tier."""
    of = f"{OF} Cases that somebody had claimed before that are left out."
    return _table("claim", "Time to claim by tier", "claimed", _until("first_claimed_at", scope), of)


def _until(field: str, scope: Scope) -> Iterator[Wait]:
    cases = visible(Case.objects.exclude(state=Case.State.WITHDRAWN), scope.account)
    began = cases.filter(waiting_since__gte=scope.period.start, waiting_since__lt=scope.period.end)
    rows = began.exclude(sample__stratum=ROUTINE).values_list("tier", "waiting_since", field)
    labels = {int(tier): tier.label for tier in Tier}
    for tier, since, done in rows.iterator():
        if done is None or done >= since:
            yield labels[tier], _minutes(since, done or scope.now), done is not None


def _minutes(since: datetime, until: datetime) -> float:
    return max(0.0, (until - since).total_seconds() / 60)


def _table(name: str, title: str, verb: str, waits: Iterator[Wait], of: str) -> Table:
    by_tier: dict[str, list[tuple[float, bool]]] = {tier: [] for tier in TIERS}
    for tier, waited, is_done in waits:
        by_tier[tier].append((waited, is_done))
    rows = [_row(tier, found) for tier, found in by_tier.items()]
    said = [
        f"{row['tier']}: half {verb} within {told('minutes', row['median'])}, "
        f"{told('share', row['share'])} of {row['due']:,} within {told('minutes', row['limit'])}"
        for row in rows
        if row["due"]
    ]
    says = "; ".join(said) + "." if said else "No case has come to its limit in the period."
    return Table(name=name, title=title, says=says, of=of, columns=COLUMNS, rows=rows)


def _row(tier: str, waits: list[tuple[float, bool]]) -> dict[str, Any]:
    limit = settings.WAITING_MINUTES[tier]
    median, ninety = quantiles(waits, (0.5, 0.9))
    done = sum(is_done for _, is_done in waits)
    within = sum(is_done and waited <= limit for waited, is_done in waits)
    due = sum(is_done or waited > limit for waited, is_done in waits)
    low, high = wilson(within, due) or (None, None)
    return {
        "tier": tier,
        "began": len(waits),
        "done": done,
        "open": len(waits) - done,
        "median": median,
        "ninety": ninety,
        "limit": limit,
        "due": due,
        "within": within,
        "share": within / due if due else None,
        "low": low,
        "high": high,
    }
