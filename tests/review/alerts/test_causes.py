"""Each cause is found when it is there, and not before."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from review import desk
from review.alerts.causes import CAUSES, Found
from review.alerts.wording import words
from review.models import Alert, AuditRow, Case, Input, RuleSet, Shard

pytestmark = [pytest.mark.database, pytest.mark.django_db]
Make = Callable[..., Any]


def found(cause: str, minutes: float = 0) -> list[Found]:
    return list(CAUSES[cause](timezone.now() + timedelta(minutes=minutes)))


def test_every_cause_is_asked_and_can_be_said_in_words() -> None:
    assert set(CAUSES) == set(Alert.Cause.values)


def test_an_installation_in_order_has_no_cause(ran: Make) -> None:
    ran()
    assert [one for cause in CAUSES for one in found(cause)] == []


def test_a_thousand_failed_runs_are_one_cause_with_its_numbers(ran: Make) -> None:
    ran()
    for _ in range(3):
        newest = ran("crashed")
    newest = ran("failed")
    assert found("run_failed") == [Found("", {"failed": 4, "newest_run": newest.pk})]


@pytest.mark.parametrize(
    ("failed", "completed", "is_found"),
    [("", "", False), ("inbox", "", False), ("inbox", "inbox", False), ("", "inbox", True), ("a", "b", True)],
)
def test_a_failed_run_is_made_good_by_one_that_takes_in_the_same(
    ran: Make, failed: str, completed: str, is_found: bool
) -> None:
    ran("failed", scope=failed)
    ran(scope=completed)
    assert bool(found("run_failed")) is is_found


def test_a_reread_that_fails_is_a_cause_of_its_own(ran: Make) -> None:
    ran("failed", kind="reread")
    ran()
    assert [one.about for one in found("run_failed")] == ["reread"]


def test_no_run_counts_from_the_last_completed_one(ran: Make) -> None:
    ran(ago=10)
    ran("failed", ago=1)
    assert found("no_run", 19) == []
    assert found("no_run", 21) == [Found(numbers={"minutes": 31, "limit": 30})]


def test_an_installation_that_never_ran_is_found_after_its_first_account(person: Make) -> None:
    assert found("no_run", 1000) == []
    person()
    assert found("no_run", 29) == []
    assert len(found("no_run", 31)) == 1


def test_a_long_batch_is_no_cause_while_it_stores_and_one_that_hangs_is(ran: Make) -> None:
    ran(ago=300)
    run = ran("running", ago=120)
    assert len(found("no_run")) == 1
    now = timezone.now()
    Shard.objects.create(run=run, number=1, kind="reports", source="a", created_at=now, ended_at=now)
    assert found("no_run", 29) == []
    run.heartbeat_at = now + timedelta(minutes=31)
    run.save()
    assert len(found("no_run", 31)) == 1


def test_stat_cases_count_so_long_beyond_their_limit(deliver: Make, version: Make) -> None:
    deliver(version("A1", "stat"), version("A2", "urgent"))
    assert found("overdue", 44) == []  # 15 minutes and 30
    assert found("overdue", 46) == [Found(numbers={"cases": 1, "oldest_minutes": 46, "limit": 45})]
    Case.objects.update(state=Case.State.CONFIRMED)
    assert found("overdue", 46) == []


def test_rejected_inputs_count_when_many_are_new_or_one_waits_for_days(
    deliver: Make, limits: Make, person: Make
) -> None:
    limits("rejected", new=2)
    deliver("binary", "binary")
    assert found("rejected") == []
    deliver("binary")
    assert found("rejected") == [Found("new", {"inputs": 3, "hours": 24, "limit": 2})]
    assert found("rejected", 71 * 60) == []
    assert found("rejected", 73 * 60) == [Found("waiting", {"inputs": 3, "hours": 72})]
    desk.discard(person("lead"), Input.objects.values_list("pk", flat=True), "junk")
    assert found("rejected") == found("rejected", 73 * 60) == []


def terms(ran: Make, days_ago: int, read: int, affirmed: int) -> None:
    at = timezone.now() - timedelta(days=days_ago)
    Shard.objects.create(
        run=ran(ago=days_ago * 1440),
        number=1,
        kind="reports",
        source="a",
        state="done",
        created_at=at,
        ended_at=at,
        terms={"": read, "META_SPINE": affirmed},
    )


@pytest.mark.parametrize(
    ("read", "affirmed", "is_found"),
    [
        (2000, 100, True),  # 50 of 1,000 instead of 20
        (2000, 60, False),  # half as many again, and likely enough by chance
        (2000, 40, False),
        (900, 90, False),  # clear, but too few were read
    ],
)
def test_a_drift_is_told_only_when_it_is_large_beyond_chance_and_of_enough_texts(
    ran: Make, read: int, affirmed: int, is_found: bool
) -> None:
    terms(ran, 20, 5000, 100)
    terms(ran, 3, read, affirmed)
    one = found("drift")
    assert bool(one) is is_found
    if one:
        assert one[0].numbers["concepts"] == 1
        assert one[0].numbers["named"][0]["concept"] == "META_SPINE"
        assert not one[0].numbers["rules_changed"]


def test_a_drift_is_computed_once_a_day(ran: Make) -> None:
    terms(ran, 20, 5000, 100)
    terms(ran, 3, 2000, 100)
    assert found("drift")
    with CaptureQueriesContext(connection) as asked:
        assert found("drift")
    assert not [query for query in asked if "review_shard" in query["sql"]]


def kept(version: str, ago: int, **other: Any) -> None:
    at = timezone.now() - timedelta(days=ago)
    RuleSet.objects.create(version=version, first_used=at, code_version="1", files=b"", **other)


def test_rules_that_nobody_let_go_live_are_a_cause_and_the_first_ones_are_not(ran: Make) -> None:
    kept("sha256:one", 9)
    ran(rules_version="sha256:one")
    assert found("rules") == []
    kept("sha256:two", 0)
    assert found("rules") == []  # kept, and not in use
    run = ran(rules_version="sha256:two")
    assert found("rules") == [Found("sha256:two", {"run": run.pk})]
    RuleSet.objects.filter(version="sha256:two").update(applied_at=timezone.now())
    assert found("rules") == []


def test_rules_of_another_machine_stay_a_cause_while_it_uses_them(ran: Make) -> None:
    kept("sha256:one", 9)
    kept("sha256:two", 0)
    ran(rules_version="sha256:two")
    ran(rules_version="sha256:one")
    assert [one.about for one in found("rules")] == ["sha256:two"]
    assert found("rules", 61) == []


def test_a_newest_row_of_the_audit_that_does_not_fit_is_a_cause(run: Make, settings: Any) -> None:
    run()
    assert found("audit") == []
    settings.AUDIT_KEY = "x" * 40
    assert found("audit") == [Found()]
    assert AuditRow.objects.count() == 1


def test_each_cause_is_asked_in_a_few_queries_however_much_there_is(
    ran: Make, deliver: Make, version: Make
) -> None:
    counts = []
    for _ in range(2):
        for number in range(5):
            ran("failed")
            deliver(version(f"A{Case.objects.count()}-{number}", "stat"), "binary")
        with CaptureQueriesContext(connection) as asked:
            for cause in CAUSES:
                found(cause, 60)
        counts.append(len(asked))
    assert counts[0] >= counts[1]  # what a day's drift came to is kept by then
    assert counts[1] <= 25


@pytest.mark.parametrize(
    ("cause", "about", "numbers", "said"),
    [
        ("run_failed", "", {"failed": 1, "newest_run": 7}, "1 run failed or died"),
        ("run_failed", "reread", {"failed": 2, "newest_run": 7}, "2 rereads failed or died"),
        ("no_run", "", {"minutes": 47, "limit": 30}, "No run has completed for 47 min (limit 30 min)"),
        ("overdue", "", {"cases": 1, "oldest_minutes": 90, "limit": 45}, "1 stat case has waited"),
        (
            "rejected",
            "new",
            {"inputs": 1234, "hours": 24, "limit": 20},
            "1,234 inputs were rejected within 1 d",
        ),
        ("rejected", "waiting", {"inputs": 1, "hours": 72}, "1 rejected input has waited for more than 3 d"),
        ("rules", "sha256:abc", {"run": 7}, "Run 7 read with the rules sha256:abc"),
        ("audit", "", {}, "not made with this installation's audit key"),
    ],
)
def test_a_cause_is_said_in_plain_words_with_its_numbers_and_a_way_out(
    cause: str, about: str, numbers: dict[str, Any], said: str
) -> None:
    told = words(Alert(cause=cause, about=about, numbers=numbers))
    assert said in told.what
    assert told.way_out.endswith(".")
    assert told.title[0].isupper()
