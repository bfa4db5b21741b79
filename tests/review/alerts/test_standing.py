"""One cause is one alert: opened once, kept, told once, and closed when it is over."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import OperationalError, connection
from django.utils import timezone

from review import alerts, audit
from review.alerts import causes, notifiers, standing, telling
from review.models import Alert, AuditRow, Notice
from tests.review.alerts.conftest import Told

pytestmark = [pytest.mark.database, pytest.mark.django_db]
Make = Callable[..., Any]


@pytest.fixture(autouse=True)
def no_run_is_off(limits: Make) -> None:
    """The clock of these tests goes on, and no run with it."""
    limits("no_run", on=False)


def later(minutes: float = 0) -> datetime:
    return timezone.now() + timedelta(minutes=minutes)


def round_(minutes: float = 0) -> dict[str, int]:
    """What the flow does, so long from now."""
    return alerts.look(later(minutes)) | alerts.tell(later(minutes))


def subjects(told: Told) -> list[str]:
    return [message.subject.partition("] ")[2] for message in told.messages]


def test_a_thousand_failed_runs_are_one_alert_told_once(ran: Make, told: Told) -> None:
    for _ in range(3):
        ran("failed")
        round_()
    assert Alert.objects.count() == 1
    assert subjects(told) == ["NEW: A run failed or died"]
    assert "3 runs failed or died" in alerts.open_alerts()[0]["what"]
    assert Alert.objects.get().told_at is not None


def test_it_is_closed_when_it_was_gone_for_long_enough_and_told_as_over(ran: Make, told: Told) -> None:
    ran("failed")
    round_()
    ran()
    assert round_(29)["open"] == 1
    assert round_(31) == {"opened": 0, "closed": 1, "open": 0, "told": 1, "not_told": 0}
    assert subjects(told) == ["NEW: A run failed or died", "OVER: A run failed or died"]
    assert round_(32)["told"] == 0
    actions = list(AuditRow.objects.order_by("number").values_list("action", flat=True))
    assert actions == [audit.Action.ALERT_OPENED, audit.Action.ALERT_CLOSED]


def test_what_fails_and_works_in_turn_is_one_alert(ran: Make, told: Told) -> None:
    for minute in range(0, 120, 10):
        ran("failed")
        round_(minute)
        ran()
        round_(minute + 5)
    assert Alert.objects.count() == 1
    assert len(told.messages) == 1


def test_a_cause_that_comes_back_after_it_was_over_is_a_new_alert(ran: Make, told: Told) -> None:
    for minute in (0, 100):
        ran("failed")
        round_(minute)
        ran()
        round_(minute + 40)
    assert Alert.objects.count() == 2
    assert len(told.messages) == 4


def test_people_are_reminded_while_it_is_open(ran: Make, told: Told) -> None:
    ran("failed")
    for hours in (0, 1, 11, 13, 14, 24, 26):
        round_(60 * hours)
    assert subjects(told) == ["NEW: A run failed or died", *["STILL OPEN: A run failed or died"] * 2]


def test_all_news_of_a_round_are_one_message(
    ran: Make, deliver: Make, version: Make, told: Told, limits: Make
) -> None:
    limits("no_run", on=True)
    ran("failed")
    deliver(version("A1", "stat"))
    round_(60)
    assert subjects(told) == ["Alerts: 3 new"]
    assert [alert["cause"] for alert in told.messages[0].data["alerts"]] == [
        "run_failed",
        "no_run",
        "overdue",
    ]


def test_a_notifier_that_fails_tells_in_the_next_round_and_shows_meanwhile(
    ran: Make, told: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = Told()
    monkeypatch.setattr(notifiers, "configured", lambda: {"pager": lambda: told, "mail": lambda: other})
    told.wrong = "it answered with status 503"
    ran("failed")
    assert round_()["not_told"] == 1
    assert len(other.messages) == 1
    round_(5)
    failing, fine = alerts.tellings()
    assert (failing.name, failing.waiting, failing.tries, failing.error) == ("pager", 1, 2, told.wrong)
    assert (fine.waiting, fine.error) == (0, "")
    told.wrong = ""
    round_(10)
    assert len(told.messages) == len(other.messages) == 1
    assert not alerts.tellings()[0].error


def test_nobody_counts_as_told_while_every_notifier_fails(ran: Make, told: Told) -> None:
    told.wrong = "away"
    ran("failed")
    round_()
    assert Alert.objects.get().told_at is None
    assert Notice.objects.filter(told_at=None).count() == 1


def test_who_could_not_be_told_hears_once_that_it_was_and_is_over(ran: Make, told: Told) -> None:
    told.wrong = "away"
    ran("failed")
    round_()
    ran()
    round_(31)
    told.wrong = ""
    round_(35)
    assert subjects(told) == ["OVER: A run failed or died"]
    assert "It was so since" in told.messages[0].text


def test_a_notifier_that_is_added_later_tells_what_is_open(
    ran: Make, told: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(notifiers, "configured", dict)
    ran("failed")
    assert round_()["told"] == 0
    monkeypatch.setattr(notifiers, "configured", lambda: {"pager": lambda: told})
    round_(5)
    assert subjects(told) == ["STILL OPEN: A run failed or died"]


def test_a_cause_that_cannot_be_asked_stops_no_other_and_closes_nothing(
    ran: Make, told: Told, limits: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    limits("no_run", on=True)
    ran("failed", ago=40)
    round_()

    def fail(now: datetime) -> None:
        raise OperationalError("user=jane")

    monkeypatch.setitem(causes.CAUSES, "run_failed", fail)
    with pytest.raises(OperationalError):
        alerts.look(later(60))
    assert sorted(Alert.objects.filter(closed_at=None).values_list("cause", flat=True)) == [
        "no_run",
        "run_failed",
    ]


def test_a_cause_that_is_switched_off_is_over(ran: Make, told: Told, limits: Make) -> None:
    ran("failed")
    round_()
    limits("run_failed", on=False)
    assert round_(31)["open"] == 0


def test_no_message_is_sent_twice_by_one_that_is_still_sending(ran: Make, told: Told) -> None:
    """The second process finds the news taken, also before the first has told them."""
    ran("failed")
    alerts.look(later())

    class Slow(Told):
        def send(self, message: Any) -> None:
            pass

    assert telling._taken("pager", later())
    assert alerts.tell(later(1))["told"] == 0
    assert alerts.tell(later(10))["told"] == 1  # the first one died


@pytest.mark.django_db(transaction=True)
def test_two_at_once_open_one_alert_and_tell_it_once(
    ran: Make, told: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran("failed")
    both = threading.Barrier(2, timeout=20)
    for module, name in ((standing, "_keep"), (telling, "_taken")):
        plain: Callable[..., Any] = getattr(module, name)

        def together(*args: Any, plain: Callable[..., Any] = plain) -> Any:
            both.wait()
            return plain(*args)

        monkeypatch.setattr(module, name, together)
    faults: list[BaseException] = []

    def work() -> None:
        try:
            round_()
        except BaseException as fault:
            faults.append(fault)
        finally:
            connection.close()

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert faults == []
    assert Alert.objects.count() == 1
    assert len(told.messages) == 1
    assert AuditRow.objects.filter(action="alert.opened").count() == 1
