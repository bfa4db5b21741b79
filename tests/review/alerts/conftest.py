"""Time as the alerts see it, and a notifier that keeps what it is told."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from review.alert_settings import Causes
from review.alerts import notifiers
from review.alerts.message import Message, NotifierError
from review.models import Run

Make = Callable[..., Any]


class Told:
    """Stands for all notifiers; `wrong` makes it fail."""

    def __init__(self) -> None:
        self.messages: list[Message] = []
        self.wrong = ""

    def send(self, message: Message) -> None:
        if self.wrong:
            raise NotifierError(self.wrong)
        self.messages.append(message)


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> Told:
    """One notifier, named `pager`, is configured."""
    one = Told()
    monkeypatch.setattr(notifiers, "configured", lambda: {"pager": lambda: one})
    monkeypatch.setattr(notifiers, "PAUSES", (0.0, 0.0))
    return one


@pytest.fixture
def limits(settings: Any) -> Make:
    """Set values of a cause, such as `limits("no_run", minutes=5)`; or of the whole, without a cause."""

    def change(cause: str = "", **values: Any) -> None:
        if not cause:
            settings.ALERTS = replace(settings.ALERTS, **values)
            return
        causes: Causes = settings.ALERTS.causes
        changed = replace(getattr(causes, cause), **values)
        settings.ALERTS = replace(settings.ALERTS, causes=replace(causes, **{cause: changed}))

    return change


@pytest.fixture
def ran() -> Make:
    """Make a run that began `ago` minutes before now and ended at once, unless it is running."""

    def make(state: str = "completed", ago: float = 0, **other: Any) -> Run:
        at = timezone.now() - timedelta(minutes=ago)
        ended: datetime | None = None if state == "running" else at
        values = {
            "state": state,
            "trigger": "schedule",
            "started_at": at,
            "ended_at": ended,
            "heartbeat_at": at,
            "rules_version": "sha256:one",
            "code_version": "1",
            "host": "h",
            "pid": 1,
        }
        return Run.objects.create(**values | other)

    return make
