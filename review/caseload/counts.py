"""How many cases are open, by tier, and what is new among them: nothing of it may be overlooked."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Count

from review.access import visible
from review.caseload.acts import queue
from review.caseload.deadlines import overdue
from review.caseload.filters import is_free, is_mine
from review.models import Account, Case, CaseEvent, Escalation, Tier

MOST = 100  # news that are told at once


@dataclass(frozen=True, slots=True)
class Counts:
    """Open cases that a person may see, whatever the filters say."""

    tiers: dict[str, dict[str, int]]  # by tier: `open`, `free`, `overdue`, `mine`

    def total(self, what: str) -> int:
        """Return one of the numbers over all tiers."""
        return sum(tier[what] for tier in self.tiers.values())


def counts(account: Account, now: datetime) -> Counts:
    """Count the open cases in one query."""
    numbers: dict[str, dict[str, int]] = {
        tier.label: {"open": 0, "free": 0, "overdue": 0, "mine": 0} for tier in Tier
    }
    rows: Any = queue(account).order_by().values("tier")
    for row in rows.annotate(
        open=Count("pk"),
        free=Count("pk", filter=is_free(now)),
        overdue=Count("pk", filter=overdue(now)),
        mine=Count("pk", filter=is_mine(account, now)),
    ):
        numbers[Tier(row.pop("tier")).label] = row
    return Counts(numbers)


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
    called = events.filter(
        # Every tier is named so that the index is used.
        case__in=visible(Case.objects.filter(tier__in=Tier.values, escalation__gt=Escalation.NONE), account)
    )
    found = called.order_by("case").values_list("case", "case__state").distinct()[:MOST]
    return News(
        stat=tuple(stat.values_list("pk", flat=True)[:MOST]),
        overdue=tuple(pk for pk, state in found if state == Case.State.WAITING),
        untold=tuple(pk for pk, state in found if state == Case.State.CONFIRMED),
    )
