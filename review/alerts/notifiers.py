"""Who tells people: what the hospital has chosen, and how often each is tried."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.utils.module_loading import import_string

from review.alerts.mail import Mail
from review.alerts.message import Message, Notifier, NotifierError
from review.alerts.webhook import Webhook

PAUSES = (1.0, 5.0)  # seconds between the tries of one round
LONGEST = 45  # seconds for one try; then it is left alone, so that it keeps no other waiting
ROUND = 300  # seconds that all tries of one round take at most, with some to spare


def configured() -> dict[str, Callable[[], Notifier]]:
    """Return the makers of all notifiers that are switched on, by name."""
    chosen = settings.ALERTS
    found: dict[str, Callable[[], Notifier]] = {}
    if chosen.email.enabled:
        found["email"] = Mail
    if chosen.webhook.enabled:
        found["webhook"] = Webhook
    return found | {path: _maker(path) for path in chosen.own}


def deliver(make: Callable[[], Notifier], message: Message) -> str:
    """Let a notifier tell a message, trying again if need be; return "" or what was wrong."""
    wrong = _tried(make, message)
    for pause in PAUSES:
        if not wrong:
            break
        time.sleep(pause)
        wrong = _tried(make, message)
    return wrong[:200]


def _maker(path: str) -> Callable[[], Notifier]:
    def make() -> Notifier:
        made: Notifier = import_string(path)()
        return made

    return make


def _tried(make: Callable[[], Notifier], message: Message) -> str:
    """Try once, in a thread of its own: a program of others may hang."""
    told: list[str] = []

    def attempt() -> None:
        try:
            make().send(message)
            told.append("")
        except NotifierError as error:
            told.append(str(error))
        except Exception as error:  # its text may hold an address or a password
            told.append(_named(error))

    thread = threading.Thread(target=attempt, name="notifier", daemon=True)
    thread.start()
    thread.join(LONGEST)
    return told[0] if told else f"it did not end within {LONGEST} seconds"


def _named(error: Any) -> str:
    """Return the type of an error, and of what lies under it: a server that is away hides in URLError."""
    under = getattr(error, "reason", None)
    inner = f" ({type(under).__name__})" if isinstance(under, Exception) else ""
    return f"{type(error).__name__}{inner}"
