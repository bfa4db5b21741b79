"""Intake that is late, failed or never was says so; what waits beside the list is counted."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from review import caseload, ledger
from review.ledger import Waiting
from review.models import Case, Input, Run
from review.records import NewOutcome, NewPortion

pytestmark = [pytest.mark.database, pytest.mark.django_db]
Make = Callable[..., Any]
NOTHING = Waiting(0, None)


@pytest.fixture(autouse=True)
def _clock() -> Any:
    with time_machine.travel(datetime(2026, 3, 1, 3, 0, tzinfo=timezone.get_fixed_timezone(60)), tick=False):
        yield


def after(minutes: float) -> datetime:
    return timezone.now() + timedelta(minutes=minutes)


def test_an_installation_that_never_ran_says_so() -> None:
    found = ledger.intake(timezone.now(), None)
    assert found.never_ran
    assert not found.is_late
    assert (found.last_completed_at, found.rejected, found.unread) == (None, NOTHING, NOTHING)


def test_intake_is_late_when_no_run_has_completed_for_longer_than_the_site_allows(run: Make) -> None:
    ledger.close_run(run(), "completed")
    for minutes, late in ((0, False), (15, False), (15.1, True), (600, True)):
        found = ledger.intake(after(minutes), None)
        assert found.is_late == late
        assert found.last_completed_minutes == int(minutes)
    assert found.last_completed_at == timezone.now()
    assert not found.failure


def test_a_run_that_goes_on_is_not_late_while_its_heart_beats(run: Make) -> None:
    ledger.close_run(run(), "completed")
    with time_machine.travel(after(30), tick=False):
        number = run()
        found = ledger.intake(after(4), None)
        assert (found.is_running, found.is_late) == (True, False)
        found = ledger.intake(after(6), None)
        assert (found.is_running, found.is_late) == (False, True)
        ledger.beat(number)
    with time_machine.travel(after(60), tick=False):
        ledger.beat(number)
        assert not ledger.intake(after(2), None).is_late


def test_runs_that_all_fail_are_late_and_tell_the_last_reason(run: Make) -> None:
    ledger.close_run(run(), "failed", "StepError: sources that cannot be listed: north")
    found = ledger.intake(after(1), None)
    assert found.is_late
    assert found.failure == "StepError: sources that cannot be listed: north"
    ledger.close_run(run(), "failed")
    assert ledger.intake(after(1), None).failure == "failed"
    ledger.close_run(run(), "completed")
    found = ledger.intake(after(1), None)
    assert (found.is_late, found.failure) == (False, "")


def test_a_failure_is_told_while_the_next_run_goes_on(run: Make) -> None:
    ledger.close_run(run(), "failed", "OSError")
    run()
    assert ledger.intake(after(1), None).failure == "OSError"


def test_a_run_of_one_source_says_nothing_of_the_others(run: Make) -> None:
    ledger.close_run(run(scope="north"), "completed")
    assert ledger.intake(after(1), None).never_ran


def test_a_completion_is_found_behind_many_failures(run: Make) -> None:
    ledger.close_run(run(), "completed")
    with time_machine.travel(after(60), tick=False):
        for _ in range(30):
            ledger.close_run(run(), "failed")
        found = ledger.intake(timezone.now(), None)
    assert (found.last_completed_minutes, found.is_late) == (60, True)


def test_what_waits_beside_the_list_is_counted_with_the_oldest(deliver: Make, version: Make) -> None:
    deliver("binary", "empty_row", version("A1", "unread"), source="north")
    with time_machine.travel(after(30), tick=False):
        deliver("binary", version("A2", "unread"), version("A3", "stat"), source="south")
    found = ledger.intake(after(40), None)
    assert found.rejected == Waiting(3, 40)
    assert found.unread == Waiting(2, 40)
    assert found.untold == NOTHING


def test_an_input_that_is_tried_again_counts_by_its_latest_attempt(
    deliver: Make, version: Make, run: Make
) -> None:
    deliver("binary")
    new = [NewPortion(kind="reports", source="inbox", path="away.txt", fingerprint="f")]

    def attempt(**outcome: Any) -> None:
        shard = ledger.add_shard(run(), new)
        assert shard is not None
        portion = ledger.shard_portions(shard)[0].id
        assert counted() == before  # nothing counts until the shard is stored
        ledger.store_shard(shard, [NewOutcome(portion=portion, item=0, **outcome)])

    def counted() -> int:
        count = ledger.intake(timezone.now(), None).rejected.count
        assert count == Input.objects.standing().filter(outcome="rejected").count()
        return count

    for outcome, expected in (
        ({"reason": "unreadable"}, 2),
        ({"reason": "vanished"}, 2),
        ({"version": version("A1")}, 1),
    ):
        before = counted()
        attempt(**outcome)
        assert counted() == expected


def test_counts_are_of_the_sources_that_a_person_may_see(deliver: Make, version: Make, person: Make) -> None:
    deliver("binary", "empty_row", version("A1", "unread"), source="north")
    deliver("binary", source="south")
    found = ledger.intake(timezone.now(), person(sources=("south",)))
    assert (found.rejected.count, found.unread) == (1, NOTHING)
    found = ledger.intake(timezone.now(), person())
    assert (found.rejected.count, found.unread.count) == (3, 1)


def test_confirmed_cases_that_nobody_communicates_are_counted_once_they_were_called_out(
    deliver: Make, version: Make, case_of: Make, person: Make
) -> None:
    deliver(version("A1", "stat"))
    account, case = person(), case_of("A1")
    caseload.claim(account, case.pk)
    caseload.decide(account, case.pk, case.reading.version_id, "confirmed")
    assert ledger.intake(after(600), None).untold == NOTHING
    caseload.escalate_untold(after(600))
    assert ledger.intake(after(601), None).untold == Waiting(1, 601)


def test_the_number_of_queries_does_not_grow(deliver: Make, version: Make, run: Make) -> None:
    counts = []
    for _ in range(3):
        deliver("binary", version(f"A{Case.objects.count()}", "unread"))
        for number in Run.objects.filter(state="running").values_list("id", flat=True):
            ledger.close_run(number, "failed")
        with CaptureQueriesContext(
            connection,
        ) as asked:
            ledger.intake(timezone.now(), None)
        counts.append(len(asked))
    assert counts == [5, 5, 5]
