"""How much came in, by day."""

from __future__ import annotations

from collections import Counter
from datetime import date

from django.db.models import Count, IntegerField, Q, QuerySet, Sum
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Cast, Coalesce

from review.access import visible
from review.models import Case, Outcome, QualitySample, Run, Shard, Tier
from review.statistics.moments import local_day
from review.statistics.period import Scope
from review.statistics.table import Column, Table

ROUTINE = QualitySample.Stratum.ROUTINE
TIERS = [tier.label for tier in Tier]


def shards(scope: Scope) -> QuerySet[Shard]:
    """Return the shards of reports that were stored in the period, of the sources that the person may see."""
    done = visible(Shard.objects.filter(state=Shard.State.DONE, kind="reports"), scope.account)
    return done.filter(ended_at__gte=scope.period.start, ended_at__lt=scope.period.end)


def opened(scope: Scope) -> QuerySet[Case]:
    """Return the cases that arrived in the period, those of the quality sample left out."""
    cases = visible(Case.objects.exclude(sample__stratum=ROUTINE), scope.account)
    return cases.filter(first_arrival__gte=scope.period.start, first_arrival__lt=scope.period.end)


def total(name: str, column: str = "counts") -> Coalesce:
    """Return the sum over shards of one of their counts, or of their terms."""
    number = Cast(KeyTextTransform(name, column), IntegerField())
    return Coalesce(Sum(number), 0)


def inputs(scope: Scope) -> Table:
    """Inputs by day and outcome."""
    sums = {f"n_{outcome}": total(outcome) for outcome in Outcome.values}
    by_day: dict[date, Counter[str]] = {day: Counter() for day in scope.period.days}
    days = shards(scope).annotate(day=local_day("ended_at", scope.period)).values("day").annotate(**sums)
    for day, *numbers in days.values_list("day", *sums):
        by_day[day].update(dict(zip(Outcome.values, numbers, strict=True)))
    if not scope.account.sources:  # known, unchanged items are counted by run, and a run takes all sources
        runs = Run.objects.filter(started_at__gte=scope.period.start, started_at__lt=scope.period.end)
        by_run = runs.annotate(day=local_day("started_at", scope.period)).values_list("day")
        for day, unchanged in by_run.annotate(n=Sum("unchanged")):
            by_day[day][Outcome.DUPLICATE] += unchanged
    sum_of = sum(by_day.values(), Counter[str]())
    everything, rejected = sum_of.total(), sum_of[Outcome.REJECTED]
    came_again = sum_of[Outcome.DUPLICATE] + sum_of[Outcome.SUPERSEDED]
    read = everything - came_again - rejected
    columns = [Column(outcome, outcome.replace("_", " ")) for outcome in Outcome.values]
    return Table(
        name="inputs",
        title="Inputs by day and outcome",
        says=f"{everything:,} inputs: {sum_of[Outcome.QUEUED]:,} queued, {sum_of[Outcome.ROUTINE]:,} "
        f"routine, {sum_of[Outcome.UNREADABLE_TEXT]:,} that could not be understood, {rejected:,} "
        f"rejected, {came_again:,} that came again or were older than what is held.",
        of=f"Every item that arrived, on the day its outcome was recorded; {read:,} were new texts, the rest "
        "came again, were older than what is held, or were rejected."
        + (" Items met again unchanged are counted for all sources together and left out here."
           if scope.account.sources else ""),
        columns=(Column("day", "Day", "text"), *columns, Column("all", "all")),
        rows=[
            {"day": day, **{outcome: found[outcome] for outcome in Outcome.values}, "all": found.total()}
            for day, found in by_day.items()
        ],
    )  # fmt: skip


def cases(scope: Scope) -> Table:
    """Cases by day of arrival and tier."""
    by_day: dict[date, Counter[str]] = {day: Counter() for day in scope.period.days}
    sums = {tier.label: Count("pk", filter=Q(tier=tier)) for tier in Tier}
    days = opened(scope).annotate(day=local_day("first_arrival", scope.period)).values("day").annotate(**sums)
    for day, *numbers in days.values_list("day", *sums):
        by_day[day].update(dict(zip(TIERS, numbers, strict=True)))
    sum_of = sum(by_day.values(), Counter[str]())
    return Table(
        name="cases",
        title="Cases by day and tier",
        says=f"{sum_of.total():,} cases: " + ", ".join(f"{sum_of[tier]:,} {tier}" for tier in TIERS) + ".",
        of="Cases on the day their report first arrived, by the tier they have now; the quality sample is "
        "left out.",
        columns=(
            Column("day", "Day", "text"),
            *(Column(tier, tier) for tier in TIERS),
            Column("all", "all"),
        ),
        rows=[
            {"day": day, **{tier: found[tier] for tier in TIERS}, "all": found.total()}
            for day, found in by_day.items()
        ],
    )
