"""Every input of a shard ends in one recorded outcome, however often and by whomever it is stored."""

from __future__ import annotations

import threading
import zlib
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from review import audit, ledger
from review.models import Case, Input, Reading, Report, ReportVersion, Shard
from review.records import NewOutcome
from tests.review.conftest import TEXT

pytestmark = [pytest.mark.database, pytest.mark.django_db]
Make = Callable[..., Any]


def outcomes_of(key: str) -> list[str]:
    return list(
        Input.objects.filter(version__report__key=key).order_by("id").values_list("outcome", flat=True)
    )


def test_each_kind_of_outcome_is_counted(deliver: Make, version: Make) -> None:
    held = version("A0", "soon")
    deliver(held)
    counts = deliver(
        version("A1", "stat"),
        version("A2", "urgent"),
        version("A3", "soon"),
        version("A4", "routine"),
        version("A5", "unread"),
        version("A6", None, "deleted"),
        held,
        version("A0", None, "preliminary"),
        "no_text",
    )
    assert counts == {
        "queued": 3,
        "stat": 1,
        "urgent": 1,
        "soon": 1,
        "routine": 2,
        "unreadable_text": 1,
        "duplicate": 1,
        "superseded": 1,
        "rejected": 1,
    }
    assert ledger.conservation(None) == []
    assert audit.verify()["ok"]


def test_an_unreadable_report_becomes_an_unread_case(deliver: Make, version: Make, case_of: Make) -> None:
    deliver(version("A1", "unread"))
    assert case_of("A1").get_tier_display() == "unread"
    assert Input.objects.get().reason == "empty"


def test_a_routine_report_is_kept_with_its_reading_and_makes_no_case(deliver: Make, version: Make) -> None:
    deliver(version("A1", "routine"))
    assert Reading.objects.get().content["tier"] == "routine"
    assert not Case.objects.exists()


def test_storing_a_done_shard_again_changes_nothing(shard: Make, version: Make) -> None:
    number, portions = shard(1)
    outcome = NewOutcome(portion=portions[0], item=0, version=version())
    first = ledger.store_shard(number, [outcome])
    rows = audit.verify()["rows"]
    assert ledger.store_shard(number, [outcome]) == first
    assert ledger.store_shard(number, []) == first
    assert (Input.objects.count(), ReportVersion.objects.count(), audit.verify()["rows"]) == (1, 1, rows)


def test_an_item_without_an_outcome_is_rejected_and_not_lost(shard: Make, version: Make) -> None:
    number, portions = shard(3)
    counts = ledger.store_shard(number, [NewOutcome(portion=portions[1], item=0, version=version())])
    assert counts == {"queued": 1, "stat": 1, "rejected": 2}
    assert set(Input.objects.filter(outcome="rejected").values_list("reason", flat=True)) == {"not_delivered"}
    assert ledger.conservation(None) == []


@pytest.mark.parametrize("items", [(0, 0), (1,), (-1,)])
def test_an_outcome_too_many_is_refused_and_nothing_is_stored(
    shard: Make, version: Make, items: tuple[int, ...]
) -> None:
    number, portions = shard(1)
    with pytest.raises(ValueError, match=f"shard {number}"):
        ledger.store_shard(
            number, [NewOutcome(portion=portions[0], item=i, version=version()) for i in items]
        )
    assert not Input.objects.exists()
    assert Shard.objects.get(pk=number).state == "waiting"


def test_a_version_that_needs_a_reading_and_has_none_is_refused(deliver: Make, version: Make) -> None:
    with pytest.raises(ledger.OvertakenError, match="read it again"):
        deliver(version("A1", None))
    assert not Report.objects.exists()


@pytest.mark.parametrize("statuses", [("final", "addendum"), ("addendum", "final")])
def test_a_version_read_without_what_it_adds_to_is_refused(
    deliver: Make, version: Make, statuses: tuple[str, str]
) -> None:
    deliver(version("A1", "soon", statuses[0], text="The parent's words, or the addition's."))
    alone = version("A1", "soon", statuses[1], text="The other's words.")
    with pytest.raises(ledger.OvertakenError, match="read it again"):
        deliver(alone)
    together = "The parent's words, or the addition's. The other's words."
    deliver(version("A1", "soon", statuses[1], text=together))
    assert ReportVersion.objects.get(is_current=True).text == together


def test_a_rejected_input_keeps_its_bytes_for_another_attempt(shard: Make) -> None:
    number, portions = shard(1)
    raw = b"\0junk" * 1000
    ledger.store_shard(number, [NewOutcome(portion=portions[0], item=0, reason="binary", raw=raw)])
    kept = Input.objects.get().raw
    assert kept is not None
    assert len(kept) < 100
    assert zlib.decompress(kept) == raw


def test_versions_of_one_report_within_a_shard_follow_each_other(deliver: Make, version: Make) -> None:
    first = version("A1", "soon")
    counts = deliver(first, first, version("A1", "stat", "corrected"), version("A1", None, "preliminary"))
    assert outcomes_of("A1") == ["queued", "duplicate", "queued", "superseded"]
    assert counts["queued"] == 2
    current = ReportVersion.objects.get(report__key="A1", is_current=True)
    assert (current.number, current.status) == (2, "corrected")
    assert Case.objects.count() == 1


def test_a_reading_given_for_a_superseded_version_is_not_shown_as_newer(
    deliver: Make, version: Make, case_of: Make
) -> None:
    deliver(version("A1", "soon", "final"))
    deliver(version("A1", "stat", "preliminary"))
    assert outcomes_of("A1") == ["queued", "superseded"]
    assert case_of("A1").get_tier_display() == "soon"


def test_nothing_follows_a_deletion(deliver: Make, version: Make, case_of: Make) -> None:
    held = version("A1", "stat")
    deliver(held)
    deliver(version("A1", None, "deleted", text=held.text, text_digest=held.text_digest))
    deliver(version("A1", None, "corrected"), version("A1", None, "deleted"), held)
    assert outcomes_of("A1") == ["queued", "routine", "superseded", "duplicate", "duplicate"]
    assert case_of("A1").state == "withdrawn"
    assert audit.verify()["ok"]


def test_a_correction_that_is_taken_back_is_the_current_version_again(
    deliver: Make, version: Make, case_of: Make
) -> None:
    ten, eleven, twelve = (datetime(2026, 1, 1, hour, tzinfo=UTC) for hour in (10, 11, 12))
    first = version("A1", "stat", result_time=ten)
    calm = version("A1", "routine", "corrected", result_time=eleven)
    back = version("A1", "stat", "corrected", result_time=twelve, text_digest=first.text_digest)
    deliver(first)
    deliver(calm)
    deliver(back)
    deliver(first, calm, back)  # the export lies there unchanged
    assert outcomes_of("A1") == ["queued", "routine", "queued", "duplicate", "duplicate", "duplicate"]
    current = ReportVersion.objects.get(report__key="A1", is_current=True)
    assert (current.number, current.text_digest) == (3, first.text_digest)
    assert case_of("A1").reading.version == current
    assert audit.verify()["ok"]


def test_holdings_say_what_the_corridor_needs(deliver: Make, version: Make) -> None:
    final, addendum = version("A1", "soon"), version("A1", "soon", "addendum", text=TEXT + " More.")
    early = version("A1", None, "preliminary")
    deliver(final, addendum, early)
    held = ledger.holdings(["A1", "A2"])
    assert list(held) == ["A1"]
    assert held["A1"].digests == {final.text_digest, addendum.text_digest, early.text_digest}
    assert (held["A1"].status, held["A1"].text, held["A1"].number) == ("addendum", TEXT + " More.", 3)
    assert not held["A1"].only_addenda


def test_the_text_and_the_reading_are_kept_to_the_letter(deliver: Make, version: Make, reading: Make) -> None:
    text = "Straße \u2028 <b>5 µm</b> \U0001f9e0\r\n\ttab"
    read = reading("soon", findings=[], score=50, extra={"b": 1e-7, "a": [1.0, None, "ü"]})
    deliver(version("A1", text=text, reading=read))
    assert ReportVersion.objects.get().text == text
    assert Reading.objects.get().content == read
    assert audit.verify()["ok"]


def test_overlong_values_of_a_sender_are_cut_and_stop_nothing(deliver: Make, version: Make) -> None:
    long = "x" * 5000
    deliver(
        version(
            "A1", accession=long, patient_id=long, modality=long, sex=long, birth_date=long, description=long
        )
    )
    assert ReportVersion.objects.get().accession == "x" * 256


def test_a_large_shard_takes_no_more_queries_than_a_small_one(shard: Make, version: Make) -> None:
    taken = []
    for size in (5, 60):
        number, portions = shard(size)
        outcomes = [
            NewOutcome(
                portion=portion,
                item=0,
                version=version(f"{size}-{portion}", ("stat", "routine")[portion % 2]),
            )
            for portion in portions
        ]
        with CaptureQueriesContext(connection) as queries:
            ledger.store_shard(number, outcomes)
        taken.append(len(queries))
    assert taken[1] <= taken[0] + 2  # SQLite cuts long inserts


@pytest.mark.django_db(transaction=True)
def test_two_shards_with_versions_of_the_same_reports_at_once(shard: Make, version: Make) -> None:
    """The same reports in opposite order: none lost, none twice, no deadlock, each text read once."""
    news = [version(f"K{number}", "soon") for number in range(20)]
    later = [replace(new, text_digest=new.text_digest[::-1], status="corrected") for new in news]
    shards = [(shard(40), [*news, *later]), (shard(40), [*reversed(later), *reversed(news)])]
    barrier, errors = threading.Barrier(2), []

    def store(number: int, outcomes: list[NewOutcome]) -> None:
        try:
            barrier.wait()
            ledger.store_shard(number, outcomes)
        except Exception as error:
            errors.append(error)
        finally:
            connection.close()

    threads = [
        threading.Thread(
            target=store,
            args=(
                number,
                [
                    NewOutcome(portion=p, item=0, version=new)
                    for p, new in zip(portions, versions, strict=True)
                ],
            ),
        )
        for (number, portions), versions in shards
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert Input.objects.count() == 80
    assert ReportVersion.objects.filter(is_current=True, status="corrected").count() == 20
    assert Case.objects.count() == 20
    assert audit.verify()["ok"]
