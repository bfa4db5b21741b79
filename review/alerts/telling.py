"""Telling people: each notifier tells each piece of news once, all in one message, until that has worked."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta
from uuid import uuid4

from django.conf import settings
from django.db import transaction
from django.db.models import F, Max, Q

from review.alerts import notifiers, wording
from review.alerts.message import Notifier
from review.models import Alert, Notice

log = logging.getLogger("spinetriage.alerts")


def tell(now: datetime) -> dict[str, int]:
    """Let every notifier tell what is due; what one could not tell is due again in the next round.

    Of two processes that tell at once, one takes what a notifier has to tell: a guarded UPDATE decides. One
    that dies after sending, before it could note so, lets the message be sent again, never not at all.

    Returns
    -------
    dict
        How many pieces of news were `told`, and how many were `not_told` because a notifier failed.
    """
    counts = Counter({"told": 0, "not_told": 0})
    for name, make in notifiers.configured().items():
        _remind(name, now)
        told, failed = _tell(name, make, now)
        counts.update(told=told, not_told=failed)
    return dict(counts)


def _remind(name: str, now: datetime) -> None:
    """Make a reminder due for open alerts of which the notifier told long enough ago, or never."""
    since = now - timedelta(hours=settings.ALERTS.remind_hours)
    of_it = Q(notices__notifier=name)
    rows = Alert.objects.filter(closed_at=None).annotate(
        told=Max("notices__told_at", filter=of_it), due=Max("notices__due_at", filter=of_it)
    )
    # One that is not told yet is due since it was noted, and no second is noted beside it.
    long_ago = rows.filter(Q(due=None) | Q(told__lte=since), ~_untold(name))
    for alert in long_ago.order_by("id").values_list("pk", flat=True):
        with transaction.atomic():
            Alert.objects.select_for_update().get(pk=alert)
            if long_ago.filter(pk=alert).exists():  # no other process was first
                Notice.objects.create(alert_id=alert, notifier=name, kind=Notice.Kind.STILL, due_at=now)


def _untold(name: str) -> Q:
    return Q(pk__in=Notice.objects.filter(notifier=name, told_at=None).values("alert"))


def _tell(name: str, make: Callable[[], Notifier], now: datetime) -> tuple[int, int]:
    mine = _taken(name, now)
    if not mine:
        return 0, 0
    wrong = notifiers.deliver(make, wording.message(mine))
    held = Notice.objects.filter(holder=mine[0].holder)
    with transaction.atomic():
        if wrong:
            held.update(tries=F("tries") + 1, error=wrong, holder="", held_until=None)
        else:
            held.update(told_at=now, error="", holder="", held_until=None)
            Alert.objects.filter(pk__in=[notice.alert_id for notice in mine]).update(told_at=now)
    if wrong:
        log.error("notifier %s failed: %s", name, wrong)
        return 0, len(mine)
    log.info("notifier %s told %s pieces of news", name, len(mine))
    return len(mine), 0


def _taken(name: str, now: datetime) -> list[Notice]:
    """Take what is due at a notifier for this process alone, for as long as a round may last."""
    holder = uuid4().hex
    free = Q(held_until=None) | Q(held_until__lte=now)
    due = Notice.objects.filter(free, notifier=name, told_at=None)
    due.update(holder=holder, held_until=now + timedelta(seconds=notifiers.ROUND))
    return list(Notice.objects.filter(holder=holder).select_related("alert").order_by("id"))


def try_out() -> dict[str, str]:
    """Send a test through every notifier; return for each "" or what was wrong."""
    test = wording.test_message()
    return {name: notifiers.deliver(make, test) for name, make in notifiers.configured().items()}
