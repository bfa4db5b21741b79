"""The alerts as lists: what is open, and what was."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Count, Max, Q, QuerySet

from review.alerts import notifiers
from review.alerts.wording import lasted, words
from review.models import Alert, Notice


@dataclass(frozen=True, slots=True)
class Telling:
    """How a notifier stands."""

    name: str
    told_at: datetime | None  # when it last told anything
    waiting: int  # pieces of news that it has still to tell
    error: str  # why the last round failed; "" when nothing waits because of that
    tries: int


def count() -> int:
    """Return how many alerts are open."""
    return Alert.objects.filter(closed_at=None).count()


def open_alerts() -> list[dict[str, Any]]:
    """Return the open alerts in words, the newest first."""
    return [_row(alert) for alert in Alert.objects.filter(closed_at=None).order_by("-id")]


def closed() -> QuerySet[Alert]:
    """Return the alerts that are over, the newest first."""
    return Alert.objects.exclude(closed_at=None).order_by("-id")


def closed_alerts(limit: int, start: int = 0) -> list[dict[str, Any]]:
    """Return a piece of what was, in words."""
    return [_row(alert) for alert in closed()[start : start + limit]]


def tellings() -> list[Telling]:
    """Return how each notifier stands that is switched on."""
    found = []
    for name in notifiers.configured():
        of_it = Notice.objects.filter(notifier=name)
        waiting = of_it.filter(told_at=None)
        sums = waiting.aggregate(n=Count("pk"), tries=Max("tries"))
        failed = waiting.filter(~Q(error="")).order_by("-id").first()
        found.append(
            Telling(
                name=name,
                told_at=of_it.exclude(told_at=None).order_by("-id").values_list("told_at", flat=True).first(),
                waiting=sums["n"],
                error=failed.error if failed else "",
                tries=sums["tries"] or 0,
            )
        )
    return found


def _row(alert: Alert) -> dict[str, Any]:
    said = words(alert)
    return {
        "alert": alert.pk,
        "cause": alert.cause,
        "about": alert.about,
        "opened_at": alert.opened_at,
        "seen_at": alert.seen_at,
        "told_at": alert.told_at,
        "closed_at": alert.closed_at,
        "lasted": lasted(alert),
        "title": said.title,
        "what": said.what,
        "way_out": said.way_out,
        "numbers": alert.numbers,
    }
