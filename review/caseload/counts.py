"""How many cases are open, by tier, and what is new among them: nothing of it may be overlooked."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Count, Q

from review.access import visible
from review.caseload.acts import queue
from review.caseload.claims import is_free
from review.caseload.deadlines import overdue
from review.caseload.filters import TO_TELL, mine
from review.models import Account, Case, CaseEvent, Escalation, Tier

# States and tiers are named so that the index is used.
CALLED_OUT = Q(
    state__in=(Case.State.WAITING, Case.State.CONFIRMED),
    tier__in=Tier.values,
    escalation__gt=Escalation.NONE,
)
MOST = 100  # news that are told at once


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """Cases that a person may see, whatever the filters say."""

    open: dict[str, int]  # by tier
    overdue: dict[str, int]  # by tier
    unclaimed: int
    mine: int  # held by the person, or assigned to them
    untold: int  # confirmed, and nobody was told of the result

    @property
    def all_open(self) -> int:
        """How many cases are open."""
        return sum(self.open.values())

    @property
    def all_overdue(self) -> int:
        """How many open cases have waited longer than their tier allows."""
        return sum(self.overdue.values())


def counts(account: Account, now: datetime) -> Counts:
    """Count by index alone: a few short queries, however many cases there are.

    All in one query would fetch each of the open cases for the sake of the few that are claimed.
    """
    waiting = queue(account).order_by()
    by_tier = dict.fromkeys(Tier.labels, 0)
    rows: Any = waiting.values("tier").annotate(n=Count("pk")).values_list("tier", "n")
    open_ = by_tier | {Tier(tier).label: n for tier, n in rows}
    # "Not null" written so that SQLite, too, looks into the index of the few claims.
    held = waiting.filter(claimed_by__gt=0, claim_expires__gt=now)
    return Counts(
        open=open_,
        # Tier by tier: each entry of the index is then compared with one limit only.
        overdue={tier.label: waiting.filter(overdue(now), tier=tier).count() for tier in Tier},
        unclaimed=sum(open_.values()) - held.count(),
        mine=mine(account, now).values("pk").count(),
        untold=visible(Case.objects.filter(TO_TELL), account).count(),
    )


@dataclass(frozen=True, slots=True)
class News:
    """What came since a person last said that the news are seen, as numbers of cases."""

    stat: tuple[int, ...]  # stat cases that nobody holds
    overdue: tuple[int, ...]  # open cases that were called out
    untold: tuple[int, ...]  # confirmed cases that were called out, as nobody was told of the result

    @property
    def count(self) -> int:
        """How many stat cases are new."""
        return len(self.stat)


def news(account: Account, since: datetime, now: datetime) -> News:
    """Return the stat cases that came, and the cases that were called out, after a moment."""
    waiting = queue(account).order_by("waiting_since", "id")
    stat = waiting.filter(is_free(now), tier=Tier.STAT, waiting_since__gt=since)
    events = CaseEvent.objects.filter(kind__in=(CaseEvent.Kind.AGAIN, CaseEvent.Kind.LEAD), at__gt=since)
    called = events.filter(case__in=visible(Case.objects.filter(CALLED_OUT), account))
    found = called.order_by("case").values_list("case", "case__state").distinct()[:MOST]
    return News(
        stat=tuple(stat.values_list("pk", flat=True)[:MOST]),
        overdue=tuple(pk for pk, state in found if state == Case.State.WAITING),
        untold=tuple(pk for pk, state in found if state == Case.State.CONFIRMED),
    )
