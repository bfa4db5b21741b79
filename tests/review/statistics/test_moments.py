"""Times counted by the database, against the same counted by Python."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from django.utils import timezone

from review.models import Run
from review.statistics import Period
from review.statistics.moments import Microseconds, local_day, microseconds

pytestmark = [pytest.mark.database, pytest.mark.django_db]
AROUND = [timedelta(microseconds=n) for n in (-1_000_000, -400, -1, 0, 1, 1_000_000)]


def begin_runs(moments: list[datetime]) -> None:
    Run.objects.bulk_create(Run(started_at=at, heartbeat_at=at, pid=1) for at in moments)


def test_a_time_is_counted_to_the_microsecond() -> None:
    begin = datetime(2026, 10, 24, 23, 59, 59, 999_999, tzinfo=UTC)
    begin_runs([begin + later for later in AROUND])
    found = Run.objects.annotate(n=Microseconds("started_at")).values_list("started_at", "n")
    assert len(found) == len(AROUND)
    assert [n for _, n in found] == [microseconds(at) for at, _ in found]


@pytest.mark.parametrize(
    ("place", "first"),
    [
        ("UTC", date(2026, 10, 23)),
        ("Europe/London", date(2026, 10, 23)),  # a day of 25 hours
        ("Europe/London", date(2026, 3, 27)),  # of 23
        ("Asia/Kathmandu", date(2026, 10, 23)),  # 5:45 before UTC
        ("America/Santiago", date(2026, 9, 4)),  # a day without a midnight
        ("America/Havana", date(2026, 10, 30)),  # with two
    ],
)
def test_a_time_falls_on_the_day_of_the_place(place: str, first: date) -> None:
    period = Period(first, first + timedelta(days=4))
    with timezone.override(place):
        hours = int((period.end - period.start) / timedelta(hours=1)) + 2
        begin = period.start.astimezone(UTC)
        at = [begin + timedelta(hours=n) + near for n in range(hours) for near in AROUND]
        begin_runs([moment for moment in at if period.start <= moment < period.end])
        days = Run.objects.filter(started_at__gte=period.start, started_at__lt=period.end)
        found = list(days.annotate(day=local_day("started_at", period)).values_list("started_at", "day"))
        assert {day for _, day in found} == set(period.days)
        assert [day for _, day in found] == [timezone.localdate(at) for at, _ in found]
