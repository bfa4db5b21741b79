"""Lengths of time in words, and the clocks of a case that say them."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from review.caseload.standing import standing
from review.duration import duration
from review.models import Case, Tier


@pytest.mark.parametrize(
    ("minutes", "said"),
    [
        (0, "0 min"),
        (0.4, "under 1 min"),
        (59, "59 min"),
        (60, "1 h"),
        (75, "1 h 15 min"),
        (1440, "1 d"),
        (1445, "1 d"),
        (2 * 1440 + 3 * 60 + 5, "2 d 3 h"),
    ],
)
def test_a_time_is_said_in_its_two_largest_units(minutes: float, said: str) -> None:
    assert duration(minutes) == said


def test_a_case_is_overdue_from_the_second_on_at_which_the_list_counts_it() -> None:
    now = timezone.now()
    in_time = Case(tier=Tier.STAT, waiting_since=now - timedelta(minutes=15))
    late = Case(tier=Tier.STAT, waiting_since=now - timedelta(minutes=15, seconds=1))
    assert not standing(in_time, now).is_overdue
    assert standing(late, now).is_overdue
    assert standing(late, now).over == "under 1 min"
