"""Whether what the machine finds has changed, said so seldom by chance that people may be woken by it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.core.cache import cache
from django.utils import timezone

from review.models import Account
from review.statistics import Period, Scope
from review.statistics.drift import compared

NAMED = 8  # concepts that are named to who is told
KEPT_SECONDS = 36 * 60 * 60


def changed(now: datetime) -> dict[str, Any]:
    """Return the numbers of a change beyond chance, or nothing.

    Whole days until yesterday are compared, so the answer stands for a day: it is kept, as it costs a look at
    each shard of five weeks. A test every few minutes would also be sure to be wrong some day.
    """
    wanted = settings.ALERTS.causes.drift
    until = timezone.localdate(now) - timedelta(days=1)
    period = Period(until - timedelta(days=wanted.days - 1), until)
    key = f"alerts.drift:{period.query}:{wanted.texts}:{wanted.chance}"
    kept: dict[str, Any] | None = cache.get(key)
    if kept is None:
        kept = _compared(period, now)
        cache.set(key, kept, KEPT_SECONDS)
    return kept


def _compared(period: Period, now: datetime) -> dict[str, Any]:
    wanted = settings.ALERTS.causes.drift
    # Nobody's account: one that is limited to no sources sees all of them.
    found = compared(Scope(account=Account(), period=period, now=now))
    certain = [row for row in found.changed if row["chance"] < wanted.chance]
    if not certain or min(found.read, found.read_before) < wanted.texts:
        return {}
    return {
        "concepts": len(certain),
        "named": [
            {key: row[key] for key in ("concept", "rate_before", "rate", "flag")} for row in certain[:NAMED]
        ],
        "days": wanted.days,
        "texts": found.read,
        "texts_before": found.read_before,
        "rules_changed": found.rules > 1,
    }
