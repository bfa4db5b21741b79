"""Runs take portions once, and what a dead run left is taken over."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import pytest
import time_machine
from django.db import connection
from django.db.models import F
from django.utils import timezone

from review import audit, ledger
from review.models import Case, Portion, Run, Shard
from review.records import NewOutcome, NewPortion

pytestmark = [pytest.mark.database, pytest.mark.django_db]
Make = Callable[..., Any]

# A process that takes a shard, says which, and then hangs until it is killed.
TAKER = """
import sys, time
from review.setup import setup
setup()
from review import ledger
from review.records import NewPortion
run = ledger.open_run(trigger="command", rules_version="r", code_version="1", actor="system")
portion = NewPortion(kind="reports", source="inbox", path="a.txt", fingerprint="f")
print(run, ledger.add_shard(run, [portion]), flush=True)
time.sleep(60)
"""


def portion(path: str = "a.txt", **other: Any) -> NewPortion:
    return NewPortion(**{"kind": "reports", "source": "inbox", "path": path, "fingerprint": "f"} | other)


def database_url() -> str:
    """Return the address under which another process reaches the database of this test."""
    name = str(connection.settings_dict["NAME"])
    if connection.vendor == "sqlite":
        return f"sqlite:///{name}"
    return urlunsplit(urlsplit(os.environ["SPINETRIAGE_DATABASE_URL"])._replace(path=f"/{name}"))


def test_a_run_tells_how_it_went(run: Make, deliver: Make, version: Make) -> None:
    number = run(prefect_flow_run="7e57", trigger="schedule")
    deliver(version("A1", "stat"), "no_text", run_id=number)
    for _ in range(2):  # a step that is repeated counts once
        ledger.count_unchanged(number, 40)
    ledger.close_run(number, "completed")
    summary = ledger.summary(number)
    assert (summary["state"], summary["trigger"], summary["prefect_flow_run"]) == (
        "completed",
        "schedule",
        "7e57",
    )
    assert summary["inputs"] == sum(summary["outcomes"].values()) == 42
    assert summary["outcomes"]["duplicate"] == 40
    assert summary["tiers"] == {"stat": 1, "urgent": 0, "soon": 0}
    assert summary["started_at"] < summary["ended_at"]


def test_runs_come_newest_first(run: Make) -> None:
    numbers = [run() for _ in range(3)]
    assert [row["run"] for row in ledger.runs(2)] == [numbers[2], numbers[1]]


def test_a_run_ends_once(run: Make) -> None:
    number = run()
    ledger.close_run(number, "failed", "OSError in shard 3")
    ledger.close_run(number, "completed")
    assert ledger.summary(number)["state"] == "failed"
    with pytest.raises(ValueError, match="'done'"):
        ledger.close_run(number, "done")


def test_a_portion_is_taken_once(run: Make) -> None:
    number = run()
    first = ledger.add_shard(number, [portion("a.txt"), portion("b.txt")])
    second = ledger.add_shard(number, [portion("b.txt"), portion("c.txt"), portion("b.txt", fingerprint="g")])
    assert first is not None
    assert second is not None
    assert [(p.path, p.fingerprint) for p in ledger.shard_portions(second)] == [
        ("b.txt", "g"),
        ("c.txt", "f"),
    ]
    assert ledger.add_shard(number, [portion("a.txt")]) is None
    assert ledger.unfinished(number, "reports") == [first, second]


@pytest.mark.parametrize("portions", [[], [portion(), portion("x", kind="studies")]])
def test_a_shard_holds_portions_of_one_kind(run: Make, portions: list[NewPortion]) -> None:
    with pytest.raises(ValueError, match="one kind"):
        ledger.add_shard(run(), portions)


def test_known_counts_the_items_that_have_their_outcome(run: Make) -> None:
    number = run()
    done = ledger.add_shard(number, [portion("t.csv", items=3)])
    assert done is not None
    ledger.add_shard(number, [portion("t.csv", offset=9000, first=3, items=2)])
    ledger.store_shard(done, [])
    paths = ["t.csv", "u.csv", *(f"{number}.txt" for number in range(1200))]
    assert ledger.known("inbox", paths) == {("t.csv", "f"): 3}
    assert ledger.known("outbox", paths) == {}


def test_a_portion_that_failed_is_taken_again_once_and_its_latest_attempt_counts(
    run: Make, version: Make
) -> None:
    first = ledger.add_shard(run(), [portion("a.txt"), portion("b.txt")])
    assert first is not None
    [kept, _] = ledger.shard_portions(first)
    ledger.store_shard(first, [NewOutcome(portion=kept.id, item=0, version=version())])
    [failed] = ledger.failed("inbox", ["a.txt", "b.txt", "c.txt"])["b.txt", "f"]
    assert (failed.path, failed.failures) == ("b.txt", {("not_delivered", "")})
    second = ledger.add_shard(run(), [portion("a.txt"), portion("b.txt")])
    assert second is not None
    [taken] = ledger.shard_portions(second)
    assert taken.path == "b.txt"
    assert ledger.add_shard(run(), [portion("a.txt"), portion("b.txt")]) is None
    assert audit.verify()["outcomes"]["rejected"] == 1  # while the next attempt waits
    ledger.store_shard(second, [NewOutcome(portion=taken.id, item=0, version=version("A2"))])
    assert ledger.failed("inbox", ["b.txt"]) == {}
    assert ledger.known("inbox", ["b.txt"]) == {("b.txt", "f"): 1}
    proof = audit.verify()
    assert proof["ok"]
    assert (proof["inputs"], proof["outcomes"]["queued"]) == (2, 2)


def test_progress_counts_items_taken_and_done(run: Make, shard: Make) -> None:
    number = run()
    ledger.store_shard(shard(2, run_id=number)[0], [])
    shard(3, run_id=number)
    assert ledger.progress(number) == (5, 2)
    assert ledger.progress(run()) == (0, 0)


def test_what_runs_were_asked_for_is_remembered(run: Make) -> None:
    numbers = [run(), run(scope="north"), run(scope="north")]
    assert [ledger.scope(number) for number in numbers] == ["", "north", "north"]
    assert ledger.scopes() == ["north"]


@pytest.mark.django_db(transaction=True)
def test_two_runs_that_reach_for_the_same_portions_share_them(run: Make) -> None:
    runs, barrier = [run(), run()], threading.Barrier(2)
    portions = [portion(f"{number}.txt") for number in range(200)]

    def take(number: int, some: list[NewPortion]) -> None:
        barrier.wait()
        for start in range(0, 200, 20):
            ledger.add_shard(number, some[start : start + 20])
        connection.close()

    threads = [
        threading.Thread(target=take, args=args)
        for args in zip(runs, (portions, portions[::-1]), strict=True)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert Portion.objects.count() == 200
    assert not Shard.objects.filter(portions=None).exists()


@pytest.mark.django_db(transaction=True)
def test_a_killed_run_is_marked_as_crashed_and_its_shards_are_taken_over(run: Make, version: Make) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", TAKER],
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"SPINETRIAGE_DATABASE_URL": database_url()},
    )
    with process:
        assert process.stdout is not None
        dead, shard = map(int, process.stdout.readline().split())
        successor = run()
        assert ledger.take_over(successor) == []  # it is still alive
        process.send_signal(signal.SIGKILL)
    assert ledger.take_over(successor) == [shard]
    assert ledger.summary(dead)["state"] == "crashed"
    assert ledger.unfinished(successor, "reports") == [shard]
    [taken] = ledger.shard_portions(shard)
    ledger.store_shard(shard, [NewOutcome(portion=taken.id, item=0, version=version())])
    ledger.close_run(successor, "completed")
    assert Case.objects.count() == 1
    assert ledger.take_over(run()) == []
    assert audit.verify()["ok"]


@pytest.mark.django_db(transaction=True)
def test_two_runs_that_take_over_at_once_share_what_was_left(run: Make) -> None:
    """Each looks at the other, and both reach for the same shards: no deadlock, each shard is somebody's."""
    for attempt in range(10):
        dead = run()
        shards = [ledger.add_shard(dead, [portion(f"{attempt}-{number}.txt")]) for number in range(5)]
        ledger.close_run(dead, "failed")
        runs, barrier, taken = [run(), run()], threading.Barrier(2), list[int]()

        def take(number: int, barrier: threading.Barrier = barrier, taken: list[int] = taken) -> None:
            try:
                barrier.wait()
                taken += ledger.take_over(number)
            finally:
                connection.close()

        threads = [threading.Thread(target=take, args=(number,)) for number in runs]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(taken) == shards


def test_a_reused_process_id_is_not_the_run(run: Make) -> None:
    number = run()
    Run.objects.filter(pk=number).update(process_start="another boot 1")
    successor = run()
    ledger.take_over(successor)
    assert ledger.summary(number)["state"] == "crashed"


@pytest.mark.parametrize(
    ("host", "minutes", "state"),
    [
        ("elsewhere", 4, "running"),
        ("elsewhere", 6, "crashed"),
        (socket.gethostname(), 59, "running"),
        (socket.gethostname(), 61, "crashed"),
    ],
)
def test_a_run_that_is_silent_is_dead_sooner_on_another_host(
    run: Make, host: str, minutes: int, state: str
) -> None:
    number = run()
    Run.objects.filter(pk=number).update(host=host)
    with time_machine.travel(timezone.now() + timedelta(minutes=20)):
        ledger.beat(number)
    # No test can travel in the time since the machine was started.
    silent = F("heartbeat_uptime") - minutes * 60
    Run.objects.filter(pk=number).update(heartbeat_uptime=silent)
    with time_machine.travel(timezone.now() + timedelta(minutes=20 + minutes)):
        ledger.take_over(run())
    assert ledger.summary(number)["state"] == state


@pytest.mark.parametrize("hours", [-1, 1, 24])
def test_a_clock_that_jumps_does_not_kill_a_living_run_of_this_host(run: Make, hours: int) -> None:
    number = run()
    with time_machine.travel(timezone.now() + timedelta(hours=hours)):
        ledger.take_over(run())
    assert ledger.summary(number)["state"] == "running"


def test_shards_that_an_ended_run_left_are_taken_over(run: Make) -> None:
    number = run()
    shards = [ledger.add_shard(number, [portion(f"{letter}.txt")]) for letter in "ab"]
    assert shards[0] is not None
    ledger.fail_shard(shards[0], "TimeoutError in shard 1")
    ledger.close_run(number, "failed")
    successor = run()
    ledger.add_shard(successor, [portion("c.txt")])
    assert ledger.take_over(successor) == shards
    assert list(Shard.objects.filter(run=successor).order_by("number").values_list("number", "state")) == [
        (1, "waiting"),
        (2, "waiting"),
        (3, "waiting"),
    ]


def test_attempts_at_a_shard_are_counted_until_it_is_done(shard: Make, version: Make) -> None:
    number, [only] = shard()
    ledger.shard_portions(number)
    ledger.store_shard(number, [NewOutcome(portion=only, item=0, version=version())])
    ledger.fail_shard(number, "too late")
    assert ledger.shard_portions(number) == []
    stored = Shard.objects.get(pk=number)
    assert (stored.attempts, stored.state) == (2, "done")
