"""What may be wrong, found in the database: each cause is asked in a few queries by index.

All counts are of every source: whoever is told must be able to do something about it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db.models import Min, OuterRef, QuerySet, Subquery

from review import audit
from review.alerts.drifting import changed
from review.models import Account, Alert, Case, Reject, RuleSet, Run, Shard, Tier

Cause = Alert.Cause
MOST_RUNS = 1000  # failed runs that are counted; more make no difference
NEWEST = 20  # runs that are looked at for the rules in use
IN_USE = timedelta(hours=1)  # rules that a run began with so lately are in use, by this machine or another


@dataclass(frozen=True, slots=True)
class Found:
    """A cause that is there now; the numbers are for those who are told."""

    about: str = ""
    numbers: dict[str, Any] = field(default_factory=dict)


def failed_runs(now: datetime) -> Iterator[Found]:
    """Find runs that failed or died with no completed one after them that would have taken in the same.

    A run of all sources makes good for one of a single source, and not the other way round.
    """
    completed = Run.objects.filter(state=Run.State.COMPLETED)
    for kind in Run.Kind.values:
        whole = completed.filter(kind=kind, scope="").order_by("-id").values_list("id", flat=True).first()
        later = completed.filter(kind=kind, scope=OuterRef("scope"), id__gt=OuterRef("id")).order_by("id")
        bad = (
            Run.objects.filter(kind=kind, state__in=(Run.State.FAILED, Run.State.CRASHED), id__gt=whole or 0)
            .annotate(good=Subquery(later.values("id")[:1]))
            .filter(good=None)
        )
        failed = list(bad.order_by("-id").values_list("id", flat=True)[:MOST_RUNS])
        if failed:
            yield Found(
                "" if kind == Run.Kind.TRIAGE else kind, {"failed": len(failed), "newest_run": failed[0]}
            )


def no_run(now: datetime) -> Iterator[Found]:
    """Find that no run has completed for too long, and none makes progress.

    A run makes progress while it stores shards; that its heart beats is not enough, for it may hang.
    """
    limit = timedelta(minutes=settings.ALERTS.causes.no_run.minutes)
    triage = Run.objects.filter(kind=Run.Kind.TRIAGE).order_by("-id")
    whole = triage.filter(scope="")
    runs = whole if whole.exists() else triage  # some take in each source by a command of its own
    completed = runs.filter(state=Run.State.COMPLETED).values_list("ended_at", flat=True).first()
    first = runs.last()
    # An installation that has never run counts from its first account on.
    entered = Account.objects.aggregate(at=Min("date_joined"))["at"]
    since = completed or (first.started_at if first else entered)
    if since is None or now - since <= limit or _makes_progress(runs, now - limit):
        return
    yield Found(numbers={"minutes": _minutes(now - since), "limit": _minutes(limit)})


def _makes_progress(runs: QuerySet[Run], since: datetime) -> bool:
    running = runs.filter(state=Run.State.RUNNING)
    return (
        running.filter(started_at__gt=since).exists()
        or Shard.objects.filter(ended_at__gt=since, run__in=running.order_by().values("pk")).exists()
    )


def overdue(now: datetime) -> Iterator[Found]:
    """Find stat cases that wait too long beyond their limit."""
    beyond = settings.ALERTS.causes.overdue.minutes
    limit = settings.WAITING_MINUTES[Tier.STAT.label] + beyond
    late = Case.objects.filter(
        state=Case.State.WAITING, tier=Tier.STAT, waiting_since__lt=now - timedelta(minutes=limit)
    )
    count, oldest = late.count(), late.aggregate(at=Min("waiting_since"))["at"]
    if oldest is not None:
        yield Found(numbers={"cases": count, "oldest_minutes": _minutes(now - oldest), "limit": limit})


def rejected(now: datetime) -> Iterator[Found]:
    """Find that many inputs were rejected lately, and that one waits for too long."""
    limits = settings.ALERTS.causes.rejected
    waiting = Reject.objects.filter(state__in=(Reject.State.WAITING, Reject.State.RETRYING))
    lately = waiting.filter(since__gt=now - timedelta(hours=limits.hours)).count()
    if lately > limits.new:
        yield Found("new", {"inputs": lately, "hours": limits.hours, "limit": limits.new})
    too_long = waiting.filter(since__lt=now - timedelta(hours=limits.waiting_hours)).count()
    if too_long:
        yield Found("waiting", {"inputs": too_long, "hours": limits.waiting_hours})


def drift(now: datetime) -> Iterator[Found]:
    """Find concepts that come up more or less often than in the month before."""
    numbers = changed(now)
    if numbers:
        yield Found(numbers=numbers)


def rules(now: datetime) -> Iterator[Found]:
    """Find rules in use that nobody let go live; the first ones came with the installation."""
    runs = Run.objects.filter(kind=Run.Kind.TRIAGE).order_by("-id")
    newest = list(runs.values_list("id", "rules_version", "started_at")[:NEWEST])
    used: dict[str, int] = {}
    for run, version, started in newest:
        if not used or now - started < IN_USE:
            used.setdefault(version, run)
    first = RuleSet.objects.order_by("first_used", "version").values_list("version", flat=True).first()
    loose = RuleSet.objects.filter(version__in=used, applied_at=None).exclude(version=first)
    for version in loose.order_by("version").values_list("version", flat=True):
        yield Found(version, {"run": used[version]})


def chain(now: datetime) -> Iterator[Found]:
    """Find that the newest row of the audit was not made with our key."""
    if not audit.key_fits():
        yield Found()


CAUSES: dict[str, Callable[[datetime], Iterator[Found]]] = {
    Cause.RUN_FAILED: failed_runs,
    Cause.NO_RUN: no_run,
    Cause.OVERDUE: overdue,
    Cause.REJECTED: rejected,
    Cause.DRIFT: drift,
    Cause.RULES: rules,
    Cause.AUDIT: chain,
}


def looked_for(cause: str) -> bool:
    """Tell whether the hospital wants to hear of a cause."""
    return bool(getattr(settings.ALERTS.causes, cause).on)


def _minutes(time: timedelta) -> int:
    return int(time.total_seconds() // 60)
