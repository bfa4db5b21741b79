"""The flow `deadlines`: every step is tried, Prefect sees counts, and a kill leaves nothing half done."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.installation import STAT, Installation, sqlite_rows

pytestmark = [pytest.mark.prefect, pytest.mark.database, pytest.mark.usefixtures("prefect_server")]
CASES = 3
# The cases arrived long ago, and one is held by a claim that expired long ago.
AGED = """
from datetime import timedelta
from django.utils import timezone
from flows.deadlines import deadlines
from review import audit, caseload
from review.models import Account, Case
past = timezone.now() - timedelta(days=1)
Case.objects.filter(escalation=0).update(waiting_since=past)
Case.objects.filter(pk=Case.objects.order_by("id")[0].pk, escalation=0).update(
    claimed_by=Account.objects.get(username="tester"), claim_expires=past
)
"""
FAILING = """
def fail(now):
    raise ValueError("Jane Doe, 4711")
caseload.escalate = fail
"""
DYING = """
import os
record = audit.record
def die(*args, **detail):
    record(*args, **detail)
    os._exit(9)
audit.record = die
"""


@pytest.fixture
def aged(site: Installation) -> Installation:
    for number in range(CASES):
        site.drop(f"R{number}", STAT.format(number=number))
    site.run("run")
    return site


def flow(site: Installation, change: str = "", status: int = 0) -> str:
    site.entry = f"{AGED}{change}deadlines()"
    try:
        return site.run(status=status)
    finally:
        del site.entry


def flow_runs(home: Path) -> list[tuple[str, str, str]]:
    """Return name, state and message of the newest run of the flow."""
    query = (
        "SELECT r.name, r.state_type, s.message FROM flow_run r JOIN flow f ON f.id = r.flow_id "
        "JOIN flow_run_state s ON s.id = r.state_id WHERE f.name = 'deadlines' "
        "ORDER BY r.start_time DESC LIMIT 1"
    )
    return sqlite_rows(home / "prefect.db", query)


def test_the_flow_calls_out_what_is_overdue_frees_claims_and_names_itself_by_counts(
    aged: Installation, prefect_home: Path
) -> None:
    flow(aged)
    told = {case["escalation"]: case["status"] for case in aged.json("queue")}
    assert told == {"lead": "waiting"}
    shown = aged.run("queue")
    assert "overdue, limit" in shown
    assert "brought to leads" in shown
    assert aged.rows("SELECT count(*) FROM review_case WHERE claimed_by_id IS NULL") == [(CASES,)]
    assert flow_runs(prefect_home)[0][:2] == (
        f"deadlines: {CASES} brought to the leads, 1 expired claims freed",
        "COMPLETED",
    )
    flow(aged)
    assert flow_runs(prefect_home)[0][0] == "deadlines: nothing was due"
    assert aged.json("audit", "verify")["ok"]


def test_what_was_searched_for_is_forgotten_when_the_session_is_over(aged: Installation) -> None:
    sessions = """
from django.contrib.sessions.backends.db import SessionStore
for age in (-60, 60):
    session = SessionStore()
    session["searches"] = {"1": "Jane Doe"}
    session.set_expiry(age)
    session.save()
"""
    flow(aged, sessions)
    assert aged.rows("SELECT count(*) FROM django_session") == [(1,)]


def test_a_step_that_fails_stops_no_other_and_tells_prefect_nothing_of_its_data(
    aged: Installation, prefect_home: Path
) -> None:
    assert "ValueError at" in flow(aged, FAILING, status=1)
    assert aged.rows("SELECT count(*) FROM review_case WHERE claimed_by_id IS NULL") == [(CASES,)]
    name, state, message = flow_runs(prefect_home)[0]
    assert (name, state) == ("deadlines: 1 expired claims freed", "FAILED")
    assert "ValueError at" in message
    for table in ("flow_run_state", "task_run_state", "log"):
        query = f"SELECT count(*) FROM {table} WHERE message LIKE '%Jane%'"  # noqa: S608 - names of ours
        assert sqlite_rows(prefect_home / "prefect.db", query) == [(0,)]


def test_a_flow_that_is_killed_after_a_case_is_finished_by_the_next(aged: Installation) -> None:
    # It dies before its transaction ends, so that even this case is untouched.
    flow(aged, DYING, status=9)
    assert aged.rows("SELECT count(*) FROM review_case WHERE escalation > 0") == [(0,)]
    assert aged.rows("SELECT count(*) FROM review_caseevent WHERE kind = 'lead'") == [(0,)]
    flow(aged)
    assert aged.rows("SELECT count(*) FROM review_caseevent WHERE kind = 'lead'") == [(CASES,)]
    assert aged.json("audit", "verify")["ok"]
