"""Whether the results of confirmed stat and urgent cases were told in time."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db.models import Min

from review.caseload.deadlines import MUST_BE_TOLD
from review.models import Decision, Tier
from review.statistics.confirmed import CONFIRMED, decisions
from review.statistics.estimates import quantiles, share_of
from review.statistics.moments import SECOND, Microseconds, microseconds
from review.statistics.period import Scope
from review.statistics.table import Column, Table, told


def communicated(scope: Scope) -> Table:
    """Time from the confirmation until somebody was told, by tier."""
    graver = decisions(scope).filter(verdict=CONFIRMED).annotate(given=Decision.URGENCY)
    due = graver.filter(given__in=MUST_BE_TOLD).values_list("pk", "given", Microseconds("at"))
    waits: dict[int, tuple[list[float], list[float]]] = {tier.value: ([], []) for tier in MUST_BE_TOLD}
    now = microseconds(scope.now)
    for _, tier, at, told_at in due.annotate(first=Min(Microseconds("communications__told_at"))).iterator():
        waits[tier][told_at is None].append(max(0, (told_at or now) - at) / SECOND / 60)
    rows = [_row(Tier(tier).label, *found) for tier, found in waits.items()]
    said = [
        f"{row['tier']}: {told('share', row['share'])} of {row['due']:,} told within "
        f"{told('minutes', row['limit'])}, {row['late']:,} late, {row['untold']:,} not recorded as told"
        for row in rows
        if row["due"]
    ]
    return Table(
        name="communicated",
        title="Communication of confirmed stat and urgent results",
        says="; ".join(said) + "." if said else "No confirmed stat or urgent result was due in the period.",
        of="Cases confirmed in the period as stat or urgent (the tier given by the person who decided), "
        "from the decision until the first recorded communication; told before the decision counts as at "
        "once. Not yet due are those not told whose limit has not passed. 95 % interval by Wilson.",
        columns=(
            Column("tier", "Tier", "text"),
            Column("confirmed", "confirmed"),
            Column("not_due", "not yet due"),
            Column("due", "due"),
            Column("within", "told within the limit"),
            Column("late", "told late"),
            Column("untold", "past the limit, not told"),
            Column("median", "half told within", "minutes"),
            Column("limit", "limit", "minutes"),
            Column("share", "share within", "share"),
            Column("low", "from", "share"),
            Column("high", "to", "share"),
        ),
        rows=rows,
    )


def _row(tier: str, told_after: list[float], untold_since: list[float]) -> dict[str, Any]:
    limit = settings.WAITING_MINUTES[tier]
    within = sum(waited <= limit for waited in told_after)
    untold = sum(waited > limit for waited in untold_since)
    due = len(told_after) + untold
    return {
        "tier": tier,
        "confirmed": len(told_after) + len(untold_since),
        "not_due": len(untold_since) - untold,
        "due": due,
        "within": within,
        "late": len(told_after) - within,
        "untold": untold,
        "median": quantiles(told_after, untold_since, (0.5,))[0],
        "limit": limit,
        **share_of(within, due),
    }
