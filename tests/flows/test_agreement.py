"""The ledger's and Prefect's histories are compared, and Prefect is told of runs that died."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from django.utils import timezone
from prefect.client.schemas.objects import State

from flows import agreement
from review import ledger
from review.models import Run, Shard

pytestmark = [pytest.mark.database, pytest.mark.django_db]
RUN = "0b1e2d3c-4b5a-4968-8776-655443322110"
OTHER = "1b1e2d3c-4b5a-4968-8776-655443322110"
LATER = timedelta(minutes=5)


class Prefect:
    """A server that holds these flow runs and task runs, and answers as Prefect's does."""

    def __init__(self) -> None:
        self.flow_runs: list[dict[str, Any]] = []
        self.task_runs: list[dict[str, Any]] = []
        self.told: dict[UUID, str] = {}

    def request(self, _method: str, path: str, json: dict[str, Any]) -> Prefect:
        self.asked = (path, json)
        return self

    def json(self) -> list[dict[str, Any]]:
        path, query = self.asked
        rows = self.flow_runs if path == "/flow_runs/filter" else self.task_runs
        which = query.get("flow_runs", {})
        if identities := which.get("id"):
            key = "id" if path == "/flow_runs/filter" else "flow_run_id"
            rows = [row for row in rows if row[key] in identities["any_"]]
        if names := query.get("flows"):
            rows = [row for row in rows if row["flow"] in names["name"]["any_"]]
        kinds = query.get(path.split("/")[1], {}).get("state", {}).get("type", {}).get("any_")
        rows = [row for row in rows if kinds is None or row["state_type"] in kinds]
        return rows[query["offset"] : query["offset"] + query["limit"]]

    def set_flow_run_state(self, identity: UUID, state: State[Any], force: bool) -> None:
        assert force
        self.told[identity] = state.type.value

    set_task_run_state = set_flow_run_state

    def flow_run(self, identity: str, name: str, state: str, flow: str = "triage") -> None:
        start = datetime(2026, 1, 1, tzinfo=UTC).isoformat()
        self.flow_runs.append(
            {"id": identity, "name": name, "state_type": state, "flow": flow, "expected_start_time": start}
        )


@pytest.fixture
def prefect(monkeypatch: pytest.MonkeyPatch) -> Prefect:
    made = Prefect()

    @contextmanager
    def client(sync_client: bool) -> Iterator[Prefect]:
        yield made

    monkeypatch.setattr(agreement, "get_client", client)
    return made


def a_run(state: str = "completed", flow_run: str = RUN) -> Run:
    number = ledger.open_run(
        trigger="schedule", rules_version="r", code_version="1", actor="system", prefect_flow_run=flow_run
    )
    if state in {"completed", "failed"}:
        ledger.close_run(number, state)
    else:
        Run.objects.filter(pk=number).update(
            state=state, ended_at=None if state == "running" else timezone.now()
        )
    return Run.objects.get(pk=number)


def stored(run: Run) -> int:
    shard = Shard.objects.create(
        run=run, number=1, kind="reports", source="inbox", state="done", created_at=timezone.now()
    )
    return shard.pk


def faults() -> list[str]:
    return [fault["what"] for fault in agreement.compare(timezone.now() + LATER)[1]]


def test_histories_that_agree_have_no_fault(prefect: Prefect) -> None:
    run = a_run()
    shard = stored(run)
    prefect.flow_run(RUN, f"run-{run.pk}: 40 inputs", "COMPLETED")
    prefect.task_runs = [
        {"id": OTHER, "flow_run_id": RUN, "name": f"reports of shard {shard}", "state_type": "COMPLETED"}
    ]
    assert agreement.compare(timezone.now() + LATER) == (1, [])


@pytest.mark.parametrize(
    ("ours", "theirs", "agree"),
    [
        ("completed", "FAILED", False),
        ("completed", "RUNNING", False),
        ("failed", "COMPLETED", False),
        ("crashed", "RUNNING", False),
        ("failed", "CRASHED", True),
        ("crashed", "FAILED", True),
    ],
)
def test_another_end_is_a_fault(prefect: Prefect, ours: str, theirs: str, agree: bool) -> None:
    run = a_run(ours)
    prefect.flow_run(RUN, f"run-{run.pk}", theirs)
    expected = [] if agree else [f"run {run.pk} {ours}, but Prefect says {theirs.lower()}"]
    assert faults() == expected


def test_a_run_that_prefect_does_not_hold_is_a_fault(prefect: Prefect) -> None:
    run = a_run()
    assert faults() == [f"run {run.pk} completed, but Prefect does not hold it"]


def test_a_run_that_died_before_prefect_knew_of_it_is_none(prefect: Prefect) -> None:
    a_run("crashed", flow_run="")
    assert faults() == []


def test_a_flow_run_of_another_run_is_a_fault(prefect: Prefect) -> None:
    run = a_run()
    prefect.flow_run(RUN, f"run-{run.pk}1", "COMPLETED")
    assert faults() == [f"run {run.pk} names a flow run of Prefect's that has the name of another"]


def test_a_run_taken_out_of_the_ledger_is_a_fault(prefect: Prefect) -> None:
    prefect.flow_run(RUN, "run-7", "COMPLETED")
    prefect.flow_run(OTHER, "brave-otter", "CANCELLED")  # one that met another and never began
    assert faults() == ["Prefect holds the flow run 'run-7', which no run of the ledger names"]


@pytest.mark.parametrize("flow", ["triage", "retry", "reread"])
def test_each_flow_that_the_ledger_holds_is_compared(prefect: Prefect, flow: str) -> None:
    prefect.flow_run(RUN, "run-7", "COMPLETED", flow=flow)
    assert faults() == ["Prefect holds the flow run 'run-7', which no run of the ledger names"]


def test_a_shard_that_only_one_of_them_stored_is_a_fault(prefect: Prefect) -> None:
    run = a_run()
    shard = stored(run)
    prefect.flow_run(RUN, f"run-{run.pk}", "COMPLETED")
    prefect.task_runs = [
        {"id": OTHER, "flow_run_id": RUN, "name": f"reports of shard {shard + 1}", "state_type": "COMPLETED"}
    ]
    assert faults() == [
        f"run {run.pk} stored shard {shard}, but Prefect holds no task run that did",
        f"Prefect says that run {run.pk} stored shard {shard + 1}, the ledger does not",
    ]


def test_what_prefect_lets_go_is_not_compared(prefect: Prefect) -> None:
    a_run()
    assert agreement.compare(timezone.now() + timedelta(days=90)) == (0, [])


def test_prefect_is_told_how_runs_ended_that_it_takes_for_running(prefect: Prefect) -> None:
    dead, alive = a_run("crashed"), a_run("running", OTHER)
    prefect.flow_run(RUN, f"run-{dead.pk}", "RUNNING")
    prefect.flow_run(OTHER, f"run-{alive.pk}", "RUNNING")
    old = "2b1e2d3c-4b5a-4968-8776-655443322110"
    prefect.flow_run(old, "deadlines", "RUNNING", flow="deadlines")
    task = "3b1e2d3c-4b5a-4968-8776-655443322110"
    prefect.task_runs = [
        {"id": task, "flow_run_id": RUN, "name": "reports of shard 1", "state_type": "RUNNING"}
    ]
    assert agreement.mend() == 2
    assert prefect.told == {UUID(RUN): "CRASHED", UUID(task): "CRASHED", UUID(old): "CRASHED"}
