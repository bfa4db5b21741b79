"""What monitors are told: whether the pages live, can be worked with, and whether the queue moves."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.db import OperationalError, connection, connections
from django.db.migrations.recorder import MigrationRecorder
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from review import audit, caseload, ledger
from review.models import Case

pytestmark = [pytest.mark.database, pytest.mark.django_db]
Make = Callable[..., Any]
PAGES = ("/health/", "/health/ready/", "/health/queue/")


def after(minutes: float) -> Any:
    return time_machine.travel(timezone.now() + timedelta(minutes=minutes))


def told(page: str = "/health/queue/", status: int = 200) -> Any:
    response = Client().get(page)
    assert response.status_code == status, response.content
    return response.json()


@pytest.fixture
def away(monkeypatch: pytest.MonkeyPatch) -> None:
    """The database does not answer, and its error quotes what it was asked."""

    def fail(*_: Any) -> None:
        raise OperationalError("could not connect: user=jane password=4711")

    monkeypatch.setattr(connections["default"], "cursor", fail)


@pytest.mark.parametrize("page", PAGES)
def test_answers_are_never_kept_and_only_asked_for_by_get(page: str) -> None:
    response = Client().get(page)
    assert response["Cache-Control"] == "no-store"
    assert response["Content-Type"] == "application/json"
    assert Client().post(page).status_code == 405


def test_being_alive_asks_no_database(away: None) -> None:
    assert told("/health/") == {"ok": True}


def test_an_installation_in_order_is_ready(deliver: Make, version: Make) -> None:
    assert told("/health/ready/") == {"ok": True, "reasons": []}
    deliver(version("A1"))
    assert told("/health/ready/") == {"ok": True, "reasons": []}


def test_a_database_that_is_away_is_told_without_its_words(away: None) -> None:
    for page, key in (("/health/ready/", "reasons"), ("/health/queue/", "faults")):
        assert told(page, 503) == {"ok": False, key: ["the database cannot be used"]}


def test_tables_that_are_behind_are_not_ready() -> None:
    newest = MigrationRecorder.Migration.objects.filter(app="review").order_by("-id")[0]
    newest.delete()
    assert "not up to date" in told("/health/ready/", 503)["reasons"][0]


def test_another_audit_key_is_not_ready(deliver: Make, version: Make, settings: Any) -> None:
    deliver(version("A1"))
    settings.AUDIT_KEY = "x" * 40
    assert "audit key" in told("/health/ready/", 503)["reasons"][0]


def test_the_queue_tells_counts_by_tier(deliver: Make, version: Make, run: Make) -> None:
    run_id = run()
    deliver(version("A1", "stat"), version("A2", "unread"), "binary", run_id=run_id)
    with after(30):
        deliver(version("A3", "stat"), version("A4", "stat"), run_id=run_id)
        ledger.close_run(run_id, "completed")
    with after(40):
        found = told()
    assert found == {
        "ok": True,
        "faults": [],
        "late": False,
        "minutes_since_completed_run": 10,
        "open": {"stat": 3, "urgent": 0, "soon": 0, "unread": 1},
        "oldest_minutes": {"stat": 40, "urgent": None, "soon": None, "unread": 40},
        "overdue": {"stat": 1, "urgent": 0, "soon": 0, "unread": 0},
        "unread": 1,
        "rejected": 1,
        "not_communicated": 0,
        "alerts": 0,
    }


def test_an_installation_that_never_ran_is_a_fault() -> None:
    assert told()["faults"] == ["no run has ever started"]


def test_late_and_failed_runs_are_faults_in_words_without_their_error(run: Make) -> None:
    ledger.close_run(run(), "failed", "StepError: /mnt/jane-doe")
    found = told()
    assert found["ok"] is False
    assert found["late"] is True
    assert found["faults"] == ["no run has completed for too long", "the last run did not complete"]


def test_overdue_cases_that_nobody_calls_out_are_a_fault(deliver: Make, version: Make, run: Make) -> None:
    run_id = run()
    deliver(version("A1", "stat"), run_id=run_id)
    with after(29):  # 15 minutes and 15 until the leads hear of it
        ledger.close_run(run_id, "completed")
        assert told()["ok"]
    with after(46):
        ledger.close_run(run(), "completed")
        assert "the flow `deadlines` does not run" in told()["faults"][0]
        caseload.escalate(timezone.now())
        assert told()["ok"]


def test_nothing_of_a_patient_is_told(deliver: Make, version: Make) -> None:
    deliver(version("KEY-4711", patient_id="PATIENT-4711", accession="ACC-4711"), "binary")
    for page in PAGES:
        assert "4711" not in Client().get(page).content.decode()


def test_the_queue_costs_the_same_few_queries_however_much_waits(deliver: Make, version: Make) -> None:
    counts = []
    for _ in range(3):
        deliver("binary", *(version(f"A{Case.objects.count()}{tier}", tier) for tier in ("stat", "unread")))
        with CaptureQueriesContext(connection) as asked:
            told()
        counts.append(len(asked))
    assert counts == [7, 7, 7]


def test_a_chain_of_one_row_fits_its_key(run: Make) -> None:
    assert audit.key_fits()
    run()
    assert audit.key_fits()
