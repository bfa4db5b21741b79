"""Prefect wrappers: retries, names, progress, and what must never reach Prefect. No decisions."""

from __future__ import annotations

import contextlib
import functools
import logging
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, ParamSpec, TypeVar, cast
from uuid import UUID

from django.db import Error, InterfaceError, OperationalError, connection
from httpx import HTTPError
from prefect import task
from prefect.artifacts import create_progress_artifact, update_progress_artifact
from prefect.cache_policies import NO_CACHE
from prefect.client.orchestration import get_client
from prefect.client.schemas.objects import TERMINAL_STATES
from prefect.events.worker import EventsWorker
from prefect.exceptions import PrefectException
from prefect.logging import get_run_logger
from prefect.logging.handlers import APILogWorker
from prefect.runtime import flow_run

from flows import agreement
from flows.server import is_healthy
from review import audit, ledger, logs
from review.outage import outage

P = ParamSpec("P")
R = TypeVar("R")
Counts = dict[str, int]

# The database was busy or away: trying again can help, and every step may be repeated.
TRANSIENT = (OperationalError, InterfaceError)
RECORD_SECONDS = 120
log = logging.getLogger("spinetriage.flows")
RETRY_SECONDS: list[float] = [1, 5, 15, 30, 60, 90, 100]  # five minutes: a database that is started anew

# Task runs begun by this process, by flow run: what the server must have recorded before it may stop.
_begun: Counter[str] = Counter()


class StepError(RuntimeError):
    """A step failed; the text says where in our code and with which type of error, nothing of the data."""

    transient = False


def _failure(step: str, error: BaseException, transient: tuple[type[Exception], ...] = ()) -> StepError:
    place = traceback.extract_tb(error.__traceback__)[-1]
    cause = outage(error)
    what = f"{cause}, {type(error).__name__}" if cause else type(error).__name__
    failure = StepError(f"{step}: {what} at {Path(place.filename).name}:{place.lineno}")
    failure.transient = isinstance(error, transient)
    return failure


def step(name: str, transient: tuple[type[Exception], ...]) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Make a task of a plain function that takes and returns ids and counts only.

    Prefect stores parameters, exception texts and returned values in clear: so nothing is cached or
    persisted, and an exception leaves the task as `StepError`, without its message and its causes.

    Parameters
    ----------
    name
        Of the task run; may name the function's parameters in braces.
    transient
        Errors after which trying again can help.
    """

    def wrap(function: Callable[P, R]) -> Callable[P, R]:
        @functools.wraps(function)
        def guarded(*args: P.args, **kwargs: P.kwargs) -> R:
            try:
                return function(*args, **kwargs)
            except Exception as error:
                failure = _failure(function.__name__, error, transient)
            if failure.transient:  # a broken connection stays so: the next attempt begins with a new one
                connection.close()
            raise failure  # outside the except block: no chained cause that carries data

        def worth_retrying(_task: Any, _run: Any, state: Any) -> bool:
            error = state.result(raise_on_failure=False)
            return isinstance(error, StepError) and error.transient

        made = task(
            task_run_name=name,
            cache_policy=NO_CACHE,
            persist_result=False,
            retries=len(RETRY_SECONDS),
            retry_delay_seconds=RETRY_SECONDS,
            retry_condition_fn=worth_retrying,
        )(guarded)

        @functools.wraps(function)
        def call(*args: P.args, **kwargs: P.kwargs) -> R:
            _begun[flow_run.get_id() or ""] += 1
            return made(*args, **kwargs)

        return call

    return wrap


def name_flow_run(name: str) -> str:
    """Give the current flow run a name made of ids and counts; return its Prefect id."""
    identity = str(flow_run.get_id())
    with get_client(sync_client=True) as client:
        client.update_flow_run(UUID(identity), name=name)
    return identity


def every_step(
    flow_name: str, steps: Iterable[Callable[[], Counts]], idle: str = "nothing was due"
) -> Counts:
    """Take each step, also when another fails; return their counts, which the flow run's new name tells too.

    Raises
    ------
    StepError
        When steps failed, with what each of them says.
    """
    counts: Counts = {}
    failures = []
    for take in steps:
        try:
            counts |= take()
        except StepError as failure:
            failures.append(str(failure))
    told = ", ".join(f"{number} {what.replace('_', ' ')}" for what, number in counts.items() if number)
    name_flow_run(f"{flow_name}: {told or idle}")
    if failures:
        raise StepError("; ".join(failures))
    return counts


def tell_prefect() -> None:
    """Tell Prefect of runs that died; should that fail, a later run will do it."""
    try:
        if number := agreement.mend():
            get_run_logger().warning("%s runs had died; Prefect knows now", number)
    except (HTTPError, PrefectException) as error:
        get_run_logger().warning("Prefect could not be told of runs that died: %s", type(error).__name__)


@contextlib.contextmanager
def closing(run: int) -> Iterator[None]:
    """Close the ledger's run as completed or failed, and let no text of an exception reach Prefect."""
    with audit.coming_from(audit.of_run(run)), _closed_at_last(run):
        yield


@contextlib.contextmanager
def _closed_at_last(run: int) -> Iterator[None]:
    try:
        with logs.about(run=run):
            yield
    except BaseException as error:
        failure = error if isinstance(error, StepError) else _failure(f"run {run}", error)
        with contextlib.suppress(Error):  # then the next run finds this one dead
            ledger.close_run(run, "failed", str(failure))
        if not isinstance(error, Exception):
            raise  # an interrupt keeps its meaning
    else:
        ledger.close_run(run, "completed")
        return
    raise failure from None  # the cause may carry data, and Prefect logs tracebacks


def each(take: Callable[[int], Any], shards: list[int], run: int, what: str) -> int:
    """Take every shard, with a progress artifact; return how many failed.

    One that fails does not stop the others: the next run takes it over. A database that is away or full even
    after all the attempts at one does stop them: the others would wait as long, each.
    """
    failed = shown = 0
    title = f"Run {run}: shards of {what}"
    # This call answers at once where no event loop runs; its type promises a coroutine as well.
    artifact = cast(UUID, create_progress_artifact(0.0, key=f"{what}-progress", description=title))
    for number, shard in enumerate(shards, 1):
        try:
            with logs.about(shard=shard):
                log.info("shard stored: %s", _counted(take(shard)))
        except StepError as failure:
            failed += 1
            log.error("shard %s failed, the next run takes it over: %s", shard, failure)
            with contextlib.suppress(Error):  # it may be the database that fails
                ledger.fail_shard(shard, str(failure))
            if failure.transient:
                raise StepError(f"stopped: {failure}") from None
        with contextlib.suppress(Error):  # the next step meets it, and waits
            ledger.beat(run)
        if (percent := 100 * number // len(shards)) > shown:  # a call a percent, not a call a shard
            shown = percent
            update_progress_artifact(artifact, progress=float(percent))
    return failed


def _counted(counts: Any) -> str:
    """Say what a step came to: counts by name."""
    named = counts if isinstance(counts, dict) else {}
    return ", ".join(f"{number} {name}" for name, number in named.items() if number) or "nothing new"


def recorded(flow_run_id: str, url: str) -> bool:
    """Wait until the server holds every task run that this process began; tell whether it does.

    Prefect's client sends task-run events from a thread, and its server writes them later: a server
    stopped at once would lose most of them.
    """
    if not flow_run_id or not is_healthy(url):
        return False
    EventsWorker.drain_all(timeout=RECORD_SECONDS)
    APILogWorker.drain_all(timeout=RECORD_SECONDS)
    deadline = time.monotonic() + RECORD_SECONDS
    query = {
        "flow_runs": {"id": {"any_": [flow_run_id]}},
        "task_runs": {"state": {"type": {"any_": [state.value for state in TERMINAL_STATES]}}},
    }
    # A server that dies here, or another that took its port, records nothing of ours.
    with contextlib.suppress(HTTPError, PrefectException), get_client(sync_client=True) as client:
        while time.monotonic() < deadline:
            if int(client.request("POST", "/task_runs/count", json=query).json()) >= _begun[flow_run_id]:
                return True
            time.sleep(0.1)
    return False
