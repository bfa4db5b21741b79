"""From which day to which day, and for whom."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from django.utils import timezone

from review.models import Account

DAYS = (7, 30, 90)  # the lengths that the page offers
LONGEST = 731  # days; two years


class PeriodError(ValueError):
    """The days asked for cannot be used; the text says what came and what was expected."""


@dataclass(frozen=True, slots=True)
class Period:
    """Whole days in the site's time zone, the first and the last among them."""

    since: date
    until: date

    @classmethod
    def asked(cls, asked: Mapping[str, str], today: date) -> Period:
        """Return the period of an address or command: `days`, or `since` and `until`; 30 days without.

        Raises
        ------
        PeriodError
            When a value is no day or the days are in the wrong order, in the future or too many.
        """
        if days := asked.get("days"):
            if days not in map(str, DAYS):
                raise PeriodError(f"days is {days[:20]!r}; one of {', '.join(map(str, DAYS))} was expected")
            return cls(today - timedelta(days=int(days) - 1), today)
        until = day("until", asked["until"]) if asked.get("until") else today
        if until > today:
            raise PeriodError(f"until is {until}, which lies in the future; at latest today ({today})")
        since = day("since", asked["since"]) if asked.get("since") else until - timedelta(days=29)
        if since > until:
            raise PeriodError(f"since is {since} and comes after until, {until}; give the earlier day first")
        if (until - since).days >= LONGEST:
            raise PeriodError(f"from {since} to {until} is too long; at most {LONGEST} days can be shown")
        return cls(since, until)

    @property
    def start(self) -> datetime:
        """The first moment."""
        return midnight(self.since)

    @property
    def end(self) -> datetime:
        """The first moment after."""
        return midnight(self.until + timedelta(days=1))

    @property
    def days(self) -> list[date]:
        """Every day, also those on which nothing happened."""
        return [self.since + timedelta(days=n) for n in range((self.until - self.since).days + 1)]

    @property
    def before(self) -> Period:
        """The month before: the 30 days that end where this period begins."""
        return Period(self.since - timedelta(days=30), self.since - timedelta(days=1))

    @property
    def query(self) -> str:
        """The period as an address holds it."""
        return f"since={self.since}&until={self.until}"


@dataclass(frozen=True, slots=True)
class Scope:
    """Whose figures, of which time, seen from which moment."""

    account: Account
    period: Period
    now: datetime


def midnight(day: date) -> datetime:
    """Return the first moment of a day in the site's time zone."""
    return timezone.make_aware(datetime.combine(day, time.min))


def day(name: str, said: str) -> date:
    try:
        if not re.fullmatch(r"\d{4}-\d\d-\d\d", said, re.ASCII):
            raise ValueError
        day = date.fromisoformat(said)
    except ValueError:
        raise PeriodError(f"{name} is {said[:20]!r}; a day such as 2026-11-01 was expected") from None
    if day.year < 1970:
        raise PeriodError(f"{name} is {day}; a day from 1970 on was expected")
    return day
