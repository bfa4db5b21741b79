"""A small history that can be counted by hand."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine

from review import caseload
from review.models import Account, Case
from review.statistics import SUBJECTS, Period, Scope, Table

Make = Callable[..., Any]
NOON = datetime(2026, 11, 10, 12, 0, tzinfo=UTC)  # of a Tuesday
TEN_DAYS = ("2026-11-06", "2026-11-15")


@pytest.fixture
def at() -> Callable[..., Any]:
    """Set the clock: so long after noon of the day from which the tests count."""

    def make(**later: float) -> time_machine.travel:
        return time_machine.travel(NOON + timedelta(**later), tick=False)

    return make


@pytest.fixture
def decide(case_of: Make) -> Make:
    """Claim and decide the case of a report at this moment."""

    def make(account: Account, key: str, verdict: str = "confirmed", given: int | None = None) -> None:
        case: Case = case_of(key)
        assert caseload.claim(account, case.pk)
        seen = case.reading.version_id
        if verdict == "dismissed":
            caseload.decide(account, case.pk, seen, verdict, reason="no_lesion")
        else:
            caseload.decide(account, case.pk, seen, verdict, tier_given=given)

    return make


@pytest.fixture
def figures() -> Callable[..., Table]:
    """Make the table of a subject, seen from so long after noon, over the ten days around it."""

    def make(name: str, account: Account, period: tuple[str, str] = TEN_DAYS, **later: float) -> Table:
        since, until = (datetime.fromisoformat(day).date() for day in period)
        scope = Scope(account=account, period=Period(since, until), now=NOON + timedelta(**later))
        return SUBJECTS[name](scope)

    return make
