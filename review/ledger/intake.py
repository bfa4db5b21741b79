"""Whether reports come in, and what waits beside the cases of the worklist.

A silent queue looks like a calm day, so pages and monitors ask this: a few queries by index, however much the
ledger holds.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Count, Min, QuerySet

from review.access import visible
from review.ledger.running import SILENCE
from review.models import Account, Case, Escalation, Reject, Run, Tier

LOOKED_AT = 20  # newest runs: one that goes on, and how the last one ended, are among them


@dataclass(frozen=True, slots=True)
class Waiting:
    """How many of something wait, and how long the oldest does."""

    count: int
    oldest_minutes: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Intake:
    """How intake stands at a moment.

    Only runs that take from every configured source count: one that somebody asked to take from a single
    source says nothing about the others.
    """

    never_ran: bool
    is_running: bool  # a run goes on, and its heart beats
    is_late: bool  # none has completed for longer than `late_minutes`, and none goes on
    last_completed_at: datetime | None
    last_completed_minutes: int | None
    failure: str  # why the last run to end did not complete: a type name and ids; "" when it completed
    rejected: Waiting  # inputs of which no report text could be taken, and that nobody discarded
    unread: Waiting  # open cases that the machine could not read
    untold: Waiting  # confirmed, overdue to be communicated


def intake(now: datetime, account: Account | None) -> Intake:
    """Return how intake stands; counts are of the sources that the person may see (None = all)."""
    runs = Run.objects.filter(kind=Run.Kind.TRIAGE, scope="").order_by("-id")
    newest = list(runs[:LOOKED_AT])
    alive = [run for run in newest if run.state == Run.State.RUNNING and now - run.heartbeat_at < SILENCE]
    ended = next((run for run in newest if run.state != Run.State.RUNNING), None)
    completed = runs.filter(state=Run.State.COMPLETED).first()
    at = completed.ended_at if completed else None
    limit = timedelta(minutes=settings.SITE.late_minutes)
    is_failed = ended is not None and ended.state != Run.State.COMPLETED
    return Intake(
        never_ran=not newest,
        is_running=bool(alive),
        is_late=bool(newest) and not alive and (at is None or now - at > limit),
        last_completed_at=at,
        last_completed_minutes=_minutes(now, at),
        failure=(ended.error or ended.state) if ended is not None and is_failed else "",
        rejected=_rejected(now, account),
        unread=_waiting(now, account, Case.objects.filter(state=Case.State.WAITING, tier=Tier.UNREAD)),
        untold=_untold(now, account),
    )


def _rejected(now: datetime, account: Account | None) -> Waiting:
    rows = Reject.objects.filter(state__in=(Reject.State.WAITING, Reject.State.RETRYING))
    if account is not None:
        rows = visible(rows, account)
    found = rows.aggregate(count=Count("pk"), since=Min("since"))
    return Waiting(found["count"], _minutes(now, found["since"]))


def _untold(now: datetime, account: Account | None) -> Waiting:
    # Those that the flow `deadlines` has called out; a result that may still be told in time is no worry.
    cases = Case.objects.filter(is_to_tell=True, escalation__gt=Escalation.NONE)
    return _waiting(now, account, cases, "decided_at")


def _waiting(
    now: datetime, account: Account | None, cases: QuerySet[Case], since: str = "waiting_since"
) -> Waiting:
    if account is not None:
        cases = visible(cases, account)
    found = cases.aggregate(count=Count("id"), since=Min(since))
    return Waiting(found["count"], _minutes(now, found["since"]))


def _minutes(now: datetime, since: datetime | None) -> int | None:
    return None if since is None else max(0, int((now - since).total_seconds() // 60))
