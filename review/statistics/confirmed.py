"""How many decided cases were confirmed: by tier, by the rule that decided, by concept."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, TypeVar

from django.db.models import Count, F, Model, Q, QuerySet

from review.access import visible
from review.models import CaseMark, Decision, Tier
from review.statistics.estimates import share_of
from review.statistics.period import Scope
from review.statistics.table import Column, Table, between, percent
from review.statistics.volume import ROUTINE

T = TypeVar("T", bound=Model)
CONFIRMED = Decision.Verdict.CONFIRMED
OF = (
    "Cases that were decided in the period and whose decision stands, the quality sample left out; 95 % "
    "interval by Wilson."
)


def decided(rows: QuerySet[T], scope: Scope, case: str = "case__") -> QuerySet[T]:
    """Leave only rows of cases that were decided in the period and whose decision stands."""
    in_time = rows.filter(
        **{
            f"{case}state__in": Decision.Verdict.values,
            f"{case}decided_at__gte": scope.period.start,
            f"{case}decided_at__lt": scope.period.end,
        }
    )
    return visible(in_time, scope.account, f"{case}source")


def decisions(scope: Scope) -> QuerySet[Decision]:
    """Return the decisions of the period that stand, those of the quality sample among them."""
    return decided(Decision.objects.filter(case__decided_at=F("at"), case__state=F("verdict")), scope)


def by_tier(scope: Scope) -> Table:
    """Confirmed share by the tier that the case had when it was decided."""
    counted = {Tier(tier).label: found for tier, *found in _counted(_machine(scope), "tier")}
    rows = [(tier.label, *counted.get(tier.label, (0, 0))) for tier in Tier]
    return _table("confirmed-tier", "Confirmed share by tier", "tier", rows, OF)


def by_rule(scope: Scope) -> Table:
    """Confirmed share by the rule that set the tier."""
    of = f"{OF} The rule is that of the reading which was decided upon; 'points' is the score alone."
    rows = _counted(_machine(scope), "rule")
    return _table("confirmed-rule", "Confirmed share by deciding rule", "rule", rows, of)


def by_concept(scope: Scope) -> Table:
    """Confirmed share by concept."""
    marks = decided(CaseMark.objects.filter(kind=CaseMark.Kind.CONCEPT), scope)
    counts = marks.exclude(case__sample__stratum=ROUTINE).values_list("value")
    is_confirmed = Q(case__state=CONFIRMED)
    rows = counts.annotate(n=Count("pk"), k=Count("pk", filter=is_confirmed)).values_list("value", "n", "k")
    of = (
        f"{OF} A case counts for each concept that its newest reading affirms, so the rows add up to more "
        "than all cases."
    )
    return _table("confirmed-concept", "Confirmed share by concept", "concept", rows, of)


def _machine(scope: Scope) -> QuerySet[Decision]:
    """Return the decisions on cases that the machine brought up."""
    return decisions(scope).exclude(case__sample__stratum=ROUTINE)


def _counted(found: QuerySet[Decision], field: str) -> QuerySet[Any, tuple[Any, int, int]]:
    counts = found.values_list(field).annotate(n=Count("pk"), k=Count("pk", filter=Q(verdict=CONFIRMED)))
    return counts.values_list(field, "n", "k")


def _table(name: str, title: str, heading: str, counted: Iterable[tuple[str, int, int]], of: str) -> Table:
    rows = [_row(heading, *found) for found in counted]
    if heading != "tier":  # tiers have an order of their own
        rows.sort(key=lambda row: (-row["decided"], str(row[heading])))
    said = [
        f"{row[heading]}: {percent(row['share'])} of {row['decided']:,} ({between(row['low'], row['high'])})"
        for row in rows
        if row["decided"]
    ]
    more = f" and {len(said) - 5} more" if len(said) > 5 else ""
    return Table(
        name=name,
        title=title,
        says="; ".join(said[:5]) + f"{more}." if said else "No case was decided in the period.",
        of=of,
        columns=(
            Column(heading, heading.capitalize(), "text"),
            Column("decided", "decided"),
            Column("confirmed", "confirmed"),
            Column("share", "confirmed share", "share"),
            Column("low", "from", "share"),
            Column("high", "to", "share"),
        ),
        rows=rows,
    )


def _row(heading: str, name: str, decided: int, confirmed: int) -> dict[str, Any]:
    return {
        heading: name or "not recorded",
        "decided": decided,
        "confirmed": confirmed,
        **share_of(confirmed, decided),
    }
