"""Where a case stands in its wait: how long, of how long, who holds it and for how long yet."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.conf import settings

from review.models import Case


@dataclass(frozen=True, slots=True)
class Standing:
    """The clocks of a case that waits."""

    waited: str
    limit: str
    overdue_by: str  # "" while it is in time
    minutes_left: int  # of the claim


def standing(case: Case, now: datetime) -> Standing:
    """Return the clocks of a case at a time; its deadline's begins with `waiting_since`."""
    waited = max(0, int((now - case.waiting_since).total_seconds() // 60))
    limit = settings.WAITING_MINUTES[case.get_tier_display()]
    left = 0
    if case.is_claimed and case.claim_expires is not None:
        left = max(0, int((case.claim_expires - now).total_seconds() // 60))
    return Standing(
        waited=duration(waited),
        limit=duration(limit),
        overdue_by=duration(waited - limit) if waited > limit else "",
        minutes_left=left,
    )


def duration(minutes: int) -> str:
    """Say a time in minutes as people do."""
    days, rest = divmod(minutes, 24 * 60)
    parts = zip((days, rest // 60, rest % 60), ("d", "h", "min"), strict=True)
    return " ".join(f"{number} {unit}" for number, unit in parts if number) or "0 min"
