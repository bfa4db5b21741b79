"""Opening, keeping and closing alerts: one for each cause and subject, however often it is found."""

from __future__ import annotations

import logging
from collections import Counter
from datetime import datetime, timedelta

from django.conf import settings
from django.db import IntegrityError, transaction

from review import audit
from review.alerts import notifiers
from review.alerts.causes import CAUSES, Found, looked_for
from review.models import Alert, Notice

log = logging.getLogger("spinetriage.alerts")


def look(now: datetime) -> dict[str, int]:
    """Look for every cause; open, keep and close alerts, and note who is to be told.

    Of two processes that look at once, one opens an alert: the database holds one that is open for each cause
    and subject. A cause that cannot be asked leaves its alerts as they are, and the others are asked.

    Returns
    -------
    dict
        How many alerts were `opened` and `closed`, and how many are `open` now.

    Raises
    ------
    Exception
        Of the first cause that could not be asked, when all are done.
    """
    counts = Counter({"opened": 0, "closed": 0})
    failures = []
    for cause, find in CAUSES.items():
        try:
            found = list(find(now)) if looked_for(cause) else []
            counts["opened"] += sum(_keep(cause, one, now) for one in found)
            counts["closed"] += _close(cause, now)
        except Exception as error:
            log.error("cause %s could not be asked: %s", cause, type(error).__name__)
            failures.append(error)
    if failures:
        raise failures[0]
    return dict(counts, open=Alert.objects.filter(closed_at=None).count())


def _keep(cause: str, found: Found, now: datetime) -> bool:
    """Note that a cause is there still, or open an alert for it; tell whether it was opened here."""
    standing = Alert.objects.filter(cause=cause, about=found.about, closed_at=None)
    if standing.update(seen_at=now, numbers=found.numbers):
        return False
    try:
        with transaction.atomic():
            alert = Alert.objects.create(
                cause=cause, about=found.about, opened_at=now, seen_at=now, numbers=found.numbers
            )
            _to_tell(alert, Notice.Kind.OPENED, now)
            _record(audit.Action.ALERT_OPENED, alert)
    except IntegrityError:
        return False  # another process was first
    log.warning("alert %s opened: %s", alert.pk, cause)
    return True


def _close(cause: str, now: datetime) -> int:
    """Close the alerts of a cause that was not found for long enough; one found again meanwhile stays."""
    gone = Alert.objects.filter(
        cause=cause, closed_at=None, seen_at__lte=now - timedelta(minutes=settings.ALERTS.settle_minutes)
    )
    closed = 0
    for alert in list(gone.order_by("id")):
        with transaction.atomic():
            if not gone.filter(pk=alert.pk).update(closed_at=now):
                continue
            alert.closed_at = now
            # Who has not heard of it yet hears in one message that it was there, and is over.
            alert.notices.filter(told_at=None).delete()
            _to_tell(alert, Notice.Kind.OVER, now)
            _record(audit.Action.ALERT_CLOSED, alert)
        log.info("alert %s closed: %s", alert.pk, cause)
        closed += 1
    return closed


def _to_tell(alert: Alert, kind: Notice.Kind, now: datetime) -> None:
    names = notifiers.configured()
    Notice.objects.bulk_create(Notice(alert=alert, notifier=name, kind=kind, due_at=now) for name in names)


def _record(action: audit.Action, alert: Alert) -> None:
    audit.record(
        action, actor=audit.SYSTEM, subject=f"alert:{alert.pk}", cause=alert.cause, about=alert.about
    )
