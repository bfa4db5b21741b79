"""Which days are asked for, and how a slip is told."""

from __future__ import annotations

from datetime import date

import pytest
from django.utils import timezone

from review.statistics import Period, PeriodError

TODAY = date(2026, 11, 27)


@pytest.mark.parametrize(
    ("asked", "since", "until"),
    [
        ({}, "2026-10-29", "2026-11-27"),
        ({"days": "7"}, "2026-11-21", "2026-11-27"),
        ({"since": "2026-11-01"}, "2026-11-01", "2026-11-27"),
        ({"until": "2026-11-10"}, "2026-10-12", "2026-11-10"),
        ({"since": "2026-11-27", "until": "2026-11-27"}, "2026-11-27", "2026-11-27"),
        ({"since": "", "until": ""}, "2026-10-29", "2026-11-27"),
    ],
)
def test_days_are_those_asked_for(asked: dict[str, str], since: str, until: str) -> None:
    period = Period.asked(asked, TODAY)
    assert (str(period.since), str(period.until)) == (since, until)
    assert len(period.days) == (period.until - period.since).days + 1


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ({"since": "yesterday"}, "since is 'yesterday'; a day such as"),
        ({"since": "2026-02-30"}, "a day such as"),
        ({"since": "20261101"}, "a day such as"),
        ({"since": "٢٠٢٦-١١-٠١"}, "a day such as"),
        ({"since": "2026-11-01\0"}, "a day such as"),
        ({"since": "0001-01-01"}, "from 1970 on"),
        ({"until": "9999-12-31"}, "lies in the future"),
        ({"since": "2026-11-10", "until": "2026-11-09"}, "comes after until"),
        ({"since": "2020-01-01"}, "too long"),
        ({"days": "8"}, "one of 7, 30, 90"),
        ({"days": "x" * 10_000}, "one of 7, 30, 90"),
    ],
)
def test_a_slip_is_told_with_what_was_expected(asked: dict[str, str], told: str) -> None:
    with pytest.raises(PeriodError, match=told) as refused:
        Period.asked(asked, TODAY)
    assert len(str(refused.value)) < 150


def test_a_day_is_that_of_the_place() -> None:
    with timezone.override("America/New_York"):
        period = Period(date(2026, 11, 1), date(2026, 11, 1))  # clocks go back on this day: it has 25 hours
        assert period.start.isoformat() == "2026-11-01T00:00:00-04:00"
        assert (period.end.timestamp() - period.start.timestamp()) / 3600 == 25


def test_the_month_before_ends_where_the_period_begins() -> None:
    period = Period(date(2026, 11, 1), date(2026, 11, 7))
    assert (period.before.since, period.before.until) == (date(2026, 10, 2), date(2026, 10, 31))
    assert period.before.end == period.start
