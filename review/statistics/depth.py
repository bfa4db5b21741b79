"""How many cases waited at the end of each day."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import date
from typing import Any

from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.utils import timezone

from review.access import visible
from review.models import Case, CaseEvent, Tier
from review.statistics.moments import local_day
from review.statistics.period import Period, Scope
from review.statistics.table import Column, Table
from review.statistics.volume import TIERS

Kind = CaseEvent.Kind
COMES = (Kind.OPENED, Kind.REOPENED, Kind.WAITS_AGAIN, Kind.REREAD_AGAIN)
GOES = (Kind.CONFIRMED, Kind.DISMISSED)


def depth(scope: Scope) -> Table:
    """Open cases by tier at the end of each day, counted back from what is open now."""
    waiting = visible(Case.objects.filter(state=Case.State.WAITING), scope.account)
    open_now = Counter({Tier(t).label: n for t, n in waiting.values_list("tier").annotate(Count("pk"))})
    changes = _changes(scope)
    rows: list[dict[str, Any]] = []
    for day in reversed(_until_today(scope).days):
        if day <= scope.period.until:
            rows.append({"day": day, **{tier: open_now[tier] for tier in TIERS}, "all": open_now.total()})
        open_now.subtract(changes.get(day, {}))
    rows.reverse()
    last = rows[-1]
    highest = max(rows, key=lambda row: row["all"])
    return Table(
        name="depth",
        title="Open cases at the end of each day",
        says=f"{last['all']:,} open at the end ("
        + ", ".join(f"{last[tier]:,} {tier}" for tier in TIERS)
        + f"); the most were {highest['all']:,} on {highest['day']:%-d %b %Y}.",
        of="Cases that waited or were in review at midnight, by their tier then, the quality sample among "
        "them; today as it is now.",
        columns=(
            Column("day", "Day", "text"),
            *(Column(tier, tier) for tier in TIERS),
            Column("all", "all"),
        ),
        rows=rows,
    )


def _until_today(scope: Scope) -> Period:
    return replace(scope.period, until=max(timezone.localdate(scope.now), scope.period.until))


def _changes(scope: Scope) -> dict[date, Counter[str]]:
    """Return by day how the number of open cases of each tier changed, from the period's start until now."""
    found: dict[date, Counter[str]] = {}

    def count(day: date, tier: int | None, by: int) -> None:
        if tier is not None:
            found.setdefault(day, Counter())[Tier(tier).label] += by

    events = visible(CaseEvent.objects.filter(at__gte=scope.period.start), scope.account, "case__source")
    dated = events.annotate(day=local_day("at", _until_today(scope)))
    plain = dated.filter(kind__in=(*COMES, *GOES)).values_list("day", "kind", "tier")
    for day, kind, tier, number in plain.annotate(n=Count("pk")):
        count(day, tier, number if kind in COMES else -number)
    raised = dated.filter(kind__in=(Kind.RAISED, Kind.REREAD_UP)).annotate(before=_before("tier"))
    for day, tier, before in raised.values_list("day", "tier", "before"):
        count(day, tier, 1)
        count(day, before, -1)
    withdrawn = dated.filter(kind=Kind.WITHDRAWN).annotate(before=_before("kind", (*COMES, *GOES)))
    for day, tier, before in withdrawn.values_list("day", "tier", "before"):
        count(day, tier if before in COMES else None, -1)  # a decided case no longer waited
    return found


def _before(field: str, kinds: tuple[CaseEvent.Kind, ...] = ()) -> Subquery:
    """Return a field of the event before, of these kinds, of the same case."""
    earlier: QuerySet[CaseEvent] = CaseEvent.objects.filter(case=OuterRef("case"), pk__lt=OuterRef("pk"))
    earlier = earlier.filter(kind__in=kinds) if kinds else earlier
    return Subquery(earlier.order_by("-pk").values(field)[:1])
