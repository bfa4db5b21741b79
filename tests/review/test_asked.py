"""Filters of the histories: spans of time in the site's zone, closed lists, and what is wrong with others."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from django.test import override_settings
from django.utils import timezone

from review.history.asked import AskedError, asked, number, one_of, span

pytestmark = pytest.mark.django_db(databases=[])


@pytest.fixture(autouse=True)
def berlin() -> object:
    with override_settings(TIME_ZONE="Europe/Berlin"):
        timezone.get_default_timezone.cache_clear()
        yield
    timezone.get_default_timezone.cache_clear()


@pytest.mark.parametrize(
    ("since", "until", "first", "last"),
    [
        # A day is the site's day, and the last one counts to its end.
        ("2026-11-01", "2026-11-01", "2026-10-31T23:00", "2026-11-01T23:00"),
        ("2026-07-01T08:30", "2026-07-01T09:00", "2026-07-01T06:30", "2026-07-01T07:00"),
        # The clock is put back at three: the hour from two comes twice, and all of it is meant.
        ("2026-10-25T02:30", "2026-10-25T02:30:01", "2026-10-25T00:30", "2026-10-25T01:30:01"),
        ("2026-10-25", "2026-10-25", "2026-10-24T22:00", "2026-10-25T23:00"),
        # The clock is put forward at two: the times between never were.
        ("2026-03-29T02:30", "2026-03-29T03:30", "2026-03-29T00:30", "2026-03-29T01:30"),
        # A time with its offset means what it says.
        ("2026-11-01T08:30Z", "2026-11-01T08:30-05:00", "2026-11-01T08:30", "2026-11-01T13:30"),
    ],
)
def test_a_span_is_meant_in_the_sites_time(since: str, until: str, first: str, last: str) -> None:
    found = span({"since": since, "until": until})
    assert found.since == datetime.fromisoformat(first).replace(tzinfo=UTC)
    assert found.until == datetime.fromisoformat(last).replace(tzinfo=UTC)


@pytest.mark.parametrize("name", ["since", "until"])
@pytest.mark.parametrize(
    "said",
    [
        "yesterday", "2026-13-01", "2026-02-30", "1.11.2026", "2026-11-01T25:00", "2026-11-01T08:30+99:00",
        "0001-01-01", "9999-12-31", "٢٠٢٦-11-01", "2026-11-01T08:30; DROP TABLE", "0", "2026-11-1",
    ],
)  # fmt: skip
def test_what_is_no_time_is_told_with_what_was_expected(name: str, said: str) -> None:
    with pytest.raises(AskedError, match=f"{name} is .*expected a day such as 2026-11-01"):
        span({name: said})


def test_a_span_that_ends_before_it_begins_is_refused() -> None:
    with pytest.raises(AskedError, match="give the earlier first"):
        span({"since": "2026-11-02", "until": "2026-11-01"})


def test_an_open_span_leaves_its_end_open() -> None:
    assert span({}).since is span({}).until is None
    assert span({"since": "2026-11-01"}).until is None


def test_a_filter_that_does_not_exist_is_told_with_those_that_do() -> None:
    with pytest.raises(AskedError, match="no filter 'patient'; known are state, kind"):
        asked({"patient": "x"}, ("state", "kind"))
    assert asked({"kind": " triage ", "state": "", "page": "2"}, ("state", "kind"), beside=("page",)) == {
        "kind": "triage"
    }


@pytest.mark.parametrize("value", ["Failed", "x" * 500, "failed' OR 1=1"])
def test_a_value_outside_of_a_closed_list_is_refused(value: str) -> None:
    with pytest.raises(AskedError, match="expected running, failed"):
        one_of({"state": value}, "state", ("running", "failed"))


@pytest.mark.parametrize("value", ["-1", "x", "9" * 30, "1.0", "٣"])
def test_what_is_no_id_is_refused(value: str) -> None:
    with pytest.raises(AskedError, match="expected a number"):
        number({"by": value}, "by")
