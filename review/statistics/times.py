"""How long cases waited until somebody took them, and until they were decided."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db.models import F

from review.access import visible
from review.models import Case, Tier
from review.statistics.estimates import quantiles, share_of
from review.statistics.moments import SECOND, Microseconds, microseconds
from review.statistics.period import Scope
from review.statistics.table import Column, Table, told
from review.statistics.volume import ROUTINE

Waits = tuple[list[float], list[float]]  # minutes until it was done, and minutes of what still waits
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
    "Cases that began to wait in their tier in the period (opened, raised or opened again), withdrawn "
    "ones and the quality sample left out, followed until now. Times take into account what still waits "
    "(Kaplan-Meier). The share within the limit is of those done or past it; 95 % interval by Wilson."
)


def decision(scope: Scope) -> Table:
    """Time to decision by tier."""
    return _table("decision", "Time to decision by tier", "decided", _until("decided_at", scope), OF)


def claim(scope: Scope) -> Table:
    """Time to the first claim by tier."""
    of = f"{OF} Cases that somebody had claimed before that are left out."
    return _table("claim", "Time to claim by tier", "claimed", _until("first_claimed_at", scope), of)


def _until(field: str, scope: Scope) -> dict[str, Waits]:
    cases = visible(Case.objects.exclude(state=Case.State.WITHDRAWN), scope.account)
    began = cases.filter(waiting_since__gte=scope.period.start, waiting_since__lt=scope.period.end)
    counted = began.exclude(sample__stratum=ROUTINE)
    waits: dict[int, Waits] = {tier.value: ([], []) for tier in Tier}
    since = Microseconds("waiting_since")
    done = counted.filter(**{f"{field}__gte": F("waiting_since")})
    for tier, waited in done.values_list("tier", Microseconds(field) - since).iterator():
        waits[tier][0].append(waited / SECOND / 60)
    now = microseconds(scope.now)
    for tier, began_at in counted.filter(**{field: None}).values_list("tier", since).iterator():
        waits[tier][1].append(max(0, now - began_at) / SECOND / 60)
    return {Tier(tier).label: found for tier, found in waits.items()}


def _table(name: str, title: str, verb: str, waits: dict[str, Waits], of: str) -> Table:
    rows = [_row(tier, *found) for tier, found in waits.items()]
    said = [_said(row, verb) for row in rows if row["due"]]
    says = "; ".join(said) + "." if said else "No case has come to its limit in the period."
    return Table(name=name, title=title, says=says, of=of, columns=COLUMNS, rows=rows)


def _said(row: dict[str, Any], verb: str) -> str:
    if not row["done"]:
        return f"{row['tier']}: none {verb}, {row['due']:,} wait longer than {told('minutes', row['limit'])}"
    half = f"half {verb} within {told('minutes', row['median'])}"
    if row["median"] is None:
        half = f"fewer than half {verb} so far"
    return (
        f"{row['tier']}: {half}, "
        f"{told('share', row['share'])} of {row['due']:,} within {told('minutes', row['limit'])}"
    )


def _row(tier: str, done: list[float], waiting: list[float]) -> dict[str, Any]:
    limit = settings.WAITING_MINUTES[tier]
    median, ninety = quantiles(done, waiting, (0.5, 0.9))
    within = sum(waited <= limit for waited in done)
    due = len(done) + sum(waited > limit for waited in waiting)
    return {
        "tier": tier,
        "began": len(done) + len(waiting),
        "done": len(done),
        "open": len(waiting),
        "median": median,
        "ninety": ninety,
        "limit": limit,
        "due": due,
        "within": within,
        **share_of(within, due),
    }
