"""Whether the ledger and Prefect tell the same of each run, and what makes them agree again after a crash.

The ledger is the record: Prefect is told what the ledger knows, never the other way round.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any, Literal
from uuid import UUID

from django.conf import settings
from django.db.models import Q
from django.utils import timezone
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.objects import State, StateType
from prefect.states import Crashed

from review import audit
from review.models import Run, Shard

Fault = dict[str, Any]
Rows = list[dict[str, Any]]
Kept = Literal["/flow_runs/filter", "/task_runs/filter"]

RECORDED = ["triage", "retry", "reread"]  # the flows whose runs the ledger holds
OTHERS = ["deadlines", "quality-sample", "alerts", "housekeeping"]
# What Prefect may say of a run that the ledger says ended so. Who interrupts a run fails it here, and crashes
# or cancels it there.
ENDS = {
    Run.State.COMPLETED: {"COMPLETED"},
    Run.State.FAILED: {"FAILED", "CRASHED", "CANCELLED"},
    Run.State.CRASHED: {"CRASHED", "FAILED", "CANCELLED"},
}
GOING_ON = ["PENDING", "RUNNING", "CANCELLING"]
PAGE = 200  # rows in an answer of Prefect's, its own limit
SETTLED = timedelta(minutes=1)  # a run that ended just now is still telling Prefect so
FORGOTTEN = timedelta(days=1)  # none of the other flows takes so long
NUMBER = re.compile(r"\brun-(\d+)\b")
SHARD = re.compile(r" of shard (\d+)$")


def tag() -> str:
    """Return what flow runs of this ledger are told by from those of others on the same server."""
    return f"ledger:{audit.identity()}"


def compare(now: datetime) -> tuple[int, list[Fault]]:
    """Compare the ended runs of the ledger with Prefect's, as far back as Prefect keeps them.

    Returns
    -------
    tuple
        How many runs were compared, and what differs, as `audit.verify` tells its faults.
    """
    runs = Run.objects.exclude(state=Run.State.RUNNING).filter(ended_at__lt=now - SETTLED)
    since = None
    if days := settings.SITE.retention_days.prefect_history:
        since = now - timedelta(days=max(days - 1, 0))  # Prefect's clean-up may be ahead of us by hours
        runs = runs.filter(started_at__gte=since)
    compared, faults, last = 0, list[Fault](), 0
    with get_client(sync_client=True) as client:
        while some := list(runs.filter(pk__gt=last).order_by("id")[:PAGE]):
            faults += [{"row": None, "what": what} for what in _differences(client, some)]
            compared, last = compared + len(some), some[-1].pk
        faults += [{"row": None, "what": what} for what in _unknown(client, since)]
    return compared, faults


def mend() -> int:
    """Tell Prefect of runs that it takes for running how they ended; return how many there were.

    So it is after `kill -9` or a power cut: nobody was left to say it. A run of a flow that the ledger does
    not hold is taken for dead after a day.
    """
    now = timezone.now()
    with get_client(sync_client=True) as client:
        going_on = {row["id"]: row for row in _flow_runs(client, RECORDED, type={"any_": GOING_ON})}
        over = Q(state=Run.State.CRASHED) | Q(ended_at__lt=now - SETTLED)
        ended = Run.objects.filter(over, prefect_flow_run__in=list(going_on))
        states = {
            run.prefect_flow_run: State(
                type=StateType[run.state.upper()], message=f"As the ledger says of run {run.pk}."
            )
            for run in ended.exclude(state=Run.State.RUNNING)
        }
        states |= {
            row["id"]: Crashed(message="It did not end within a day.")
            for row in _flow_runs(client, OTHERS, type={"any_": GOING_ON})
            if datetime.fromisoformat(row["expected_start_time"]) < now - FORGOTTEN
        }
        for identity, state in states.items():
            _set_state(client, identity, state)
    return len(states)


def _set_state(client: SyncPrefectClient, flow_run: str, state: State[Any]) -> None:
    client.set_flow_run_state(UUID(flow_run), state, force=True)
    lost: State[Any] = Crashed(message="Its flow run ended without it.")
    for row in _task_runs(client, [flow_run], {"state": {"type": {"any_": GOING_ON}}}):
        client.set_task_run_state(UUID(row["id"]), lost, force=True)


def _differences(client: SyncPrefectClient, runs: list[Run]) -> Iterator[str]:
    """Yield what differs between runs of the ledger and their flow runs and task runs."""
    identities = [str(UUID(run.prefect_flow_run)) for run in runs if run.prefect_flow_run]
    held = {
        row["id"]: row
        for row in _all(client, "/flow_runs/filter", {"flow_runs": {"id": {"any_": identities}}})
    }
    shards: dict[int, list[Shard]] = defaultdict(list)
    for shard in Shard.objects.filter(run__in=runs, state=Shard.State.DONE).only("id", "run_id", "kind"):
        shards[shard.run_id].append(shard)
    tasks: dict[str, set[int]] = defaultdict(set)
    for row in _task_runs(client, identities, {"state": {"type": {"any_": ["COMPLETED"]}}}):
        if found := SHARD.search(row["name"]):
            tasks[row["flow_run_id"]].add(int(found[1]))
    done = set(
        Shard.objects.filter(
            pk__in={shard for found in tasks.values() for shard in found}, state=Shard.State.DONE
        ).values_list("id", flat=True)
    )
    for run in runs:
        flow_run = held.get(run.prefect_flow_run)
        if flow_run is None:
            if run.prefect_flow_run or run.state == Run.State.COMPLETED:
                yield f"run {run.pk} {run.state}, but Prefect does not hold it"
            continue
        yield from _of_one(run, flow_run)
        stored = tasks[run.prefect_flow_run]
        if run.state == Run.State.COMPLETED:  # one that died had no time to tell Prefect of its last shards
            for shard in shards[run.pk]:
                if shard.pk not in stored:
                    yield f"run {run.pk} stored shard {shard.pk}, but Prefect holds no task run that did"
        for number in sorted(stored - done):
            yield f"Prefect says that run {run.pk} stored shard {number}, the ledger does not"


def _of_one(run: Run, flow_run: dict[str, Any]) -> Iterator[str]:
    named = NUMBER.search(flow_run["name"])
    if named is None or int(named[1]) != run.pk:
        yield f"run {run.pk} names a flow run of Prefect's that has the name of another"
    if flow_run["state_type"] not in ENDS[Run.State(run.state)]:
        yield f"run {run.pk} {run.state}, but Prefect says {flow_run['state_type'].lower()}"


def _unknown(client: SyncPrefectClient, since: datetime | None) -> Iterator[str]:
    """Yield flow runs that bear this ledger's tag and the name of one of its runs, but that it lacks."""
    times = {"start_time": {"after_": since.isoformat()}} if since else {}
    ours = {"tags": {"all_": [tag()]}}
    pages = _pages(client, RECORDED, {"state": {"type": {"not_any_": ["SCHEDULED"]}}, **ours, **times})
    for rows in pages:
        ids = [row["id"] for row in rows]
        known = set(Run.objects.filter(prefect_flow_run__in=ids).values_list("prefect_flow_run", flat=True))
        for row in rows:
            if row["id"] not in known and NUMBER.search(row["name"]):
                yield f"Prefect holds the flow run {row['name'][:40]!r}, which no run of the ledger names"


def _flow_runs(client: SyncPrefectClient, flows: list[str], **state: Any) -> Rows:
    return [row for rows in _pages(client, flows, {"state": state}) for row in rows]


def _pages(client: SyncPrefectClient, flows: list[str], which: dict[str, Any]) -> Iterator[Rows]:
    yield from _read(client, "/flow_runs/filter", {"flows": {"name": {"any_": flows}}, "flow_runs": which})


def _task_runs(client: SyncPrefectClient, flow_runs: list[str], which: dict[str, Any]) -> Rows:
    return _all(client, "/task_runs/filter", {"flow_runs": {"id": {"any_": flow_runs}}, "task_runs": which})


def _all(client: SyncPrefectClient, what: Kept, query: dict[str, Any]) -> Rows:
    return [row for rows in _read(client, what, query) for row in rows]


def _read(client: SyncPrefectClient, what: Kept, query: dict[str, Any]) -> Iterator[Rows]:
    offset = 0
    while True:
        asked = query | {"limit": PAGE, "offset": offset, "sort": "ID_DESC"}
        rows: Rows = client.request("POST", what, json=asked).json()
        yield rows
        if len(rows) < PAGE:
            return
        offset += PAGE
