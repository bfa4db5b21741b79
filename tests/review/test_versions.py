"""Which of two versions of a report counts."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from review.records import NewVersion
from review.versions import Holding, place

EARLY, LATE = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 2, tzinfo=UTC)


def new(status: str, digest: str = "n", time: datetime | None = None) -> NewVersion:
    return NewVersion(key="A1", status=status, text="", text_digest=digest, result_time=time)  # type: ignore[arg-type]


def held(status: str, time: datetime | None = None, **other: Any) -> Holding:
    values: dict[str, Any] = {
        "digest": "h",
        "digests": frozenset({"h", "older"}),
        "status": status,
        "result_time": time,
        "text": "",
        "number": 1,
        "only_addenda": status == "addendum",
    }
    return Holding(**values | other)


@pytest.mark.parametrize(
    ("status", "time", "there", "there_time", "expected"),
    [
        ("preliminary", None, "preliminary", None, "version"),
        ("final", None, "preliminary", None, "version"),
        ("preliminary", None, "final", None, "superseded"),
        ("preliminary", LATE, "final", EARLY, "superseded"),
        ("final", EARLY, "preliminary", LATE, "version"),
        ("final", LATE, "final", EARLY, "version"),
        ("final", EARLY, "final", LATE, "superseded"),
        ("final", EARLY, "final", None, "version"),
        ("final", None, "final", LATE, "version"),
        ("final", LATE, "corrected", EARLY, "superseded"),
        ("corrected", EARLY, "final", LATE, "version"),
        ("corrected", EARLY, "corrected", LATE, "superseded"),
        ("addendum", EARLY, "final", LATE, "version"),
        ("addendum", EARLY, "corrected", LATE, "version"),
        ("addendum", EARLY, "addendum", LATE, "version"),
        ("addendum", LATE, "deleted", EARLY, "superseded"),
        ("final", LATE, "deleted", EARLY, "superseded"),
        ("deleted", EARLY, "final", LATE, "version"),
        ("deleted", EARLY, "addendum", LATE, "version"),
        ("deleted", LATE, "deleted", EARLY, "duplicate"),
    ],
)
def test_status_decides_then_result_time_then_arrival(
    status: str, time: datetime | None, there: str, there_time: datetime | None, expected: str
) -> None:
    assert place(new(status, time=time), held(there, there_time, only_addenda=False)) == expected


def test_a_report_never_seen_is_a_version() -> None:
    assert place(new("preliminary"), None) == "version"


@pytest.mark.parametrize("status", ["preliminary", "final", "corrected", "addendum"])
def test_a_text_held_before_is_a_duplicate_whatever_its_status(status: str) -> None:
    assert place(new(status, digest="h"), held("corrected")) == "duplicate"


@pytest.mark.parametrize(
    ("status", "time", "there", "there_time", "expected"),
    [
        ("corrected", LATE, "corrected", EARLY, "version"),
        ("corrected", EARLY, "corrected", LATE, "duplicate"),
        ("corrected", EARLY, "corrected", EARLY, "duplicate"),
        ("corrected", None, "corrected", EARLY, "duplicate"),
        ("corrected", LATE, "corrected", None, "duplicate"),
        ("final", EARLY, "preliminary", LATE, "version"),
        ("final", LATE, "corrected", EARLY, "duplicate"),
        ("addendum", LATE, "addendum", EARLY, "version"),
        ("corrected", LATE, "deleted", EARLY, "duplicate"),
    ],
)
def test_an_older_text_is_a_version_again_only_when_it_was_sent_after_the_current_one(
    status: str, time: datetime | None, there: str, there_time: datetime | None, expected: str
) -> None:
    assert place(new(status, "older", time), held(there, there_time)) == expected


def test_a_deletion_with_the_text_it_deletes_is_no_duplicate() -> None:
    assert place(new("deleted", digest="h"), held("final")) == "version"


@pytest.mark.parametrize("status", ["preliminary", "final", "corrected"])
def test_a_parent_that_comes_after_its_addendum_is_read(status: str) -> None:
    assert place(new(status, time=EARLY), held("addendum", LATE)) == "version"
