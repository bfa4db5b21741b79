"""Where a case stands in its wait: how long, of how long, and how long a claim lasts yet."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings

from review.duration import duration
from review.models import Case


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """The clocks of a case, the same on the list and on its page."""

    waited: timedelta  # until now, or until it was decided
    limit_minutes: int
    is_overdue: bool
    minutes_left: int  # of the claim

    @property
    def waiting_minutes(self) -> int:
        """How long the case has waited, in whole minutes."""
        return int(self.waited.total_seconds() // 60)

    @property
    def percent(self) -> int:
        """How much of the time that its tier allows has gone, at most 100."""
        return min(100, int(100 * self.waited / timedelta(minutes=self.limit_minutes)))

    @property
    def waiting(self) -> str:
        """How long the case has waited, in words."""
        return duration(self.waiting_minutes)

    @property
    def limit(self) -> str:
        """How long a case of this tier may wait, in words."""
        return duration(self.limit_minutes)

    @property
    def over(self) -> str:
        """By how much the case is overdue, in words."""
        whole = self.waiting_minutes - self.limit_minutes
        return duration(whole) if whole else "under 1 min"


def standing(case: Case, now: datetime) -> Standing:
    """Return the clocks of a case at a time; its deadline's begins with `waiting_since`."""
    waited = max(timedelta(0), (case.decided_at or now) - case.waiting_since)
    limit = settings.WAITING_MINUTES[case.get_tier_display()]
    left = (case.claim_expires - now).total_seconds() // 60 if case.claim_expires else 0
    return Standing(
        waited=waited,
        limit_minutes=limit,
        # To the second, as `deadlines.overdue` asks the database.
        is_overdue=case.state == Case.State.WAITING and waited > timedelta(minutes=limit),
        minutes_left=max(0, int(left)),
    )
