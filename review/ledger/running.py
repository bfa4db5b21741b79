"""Opening, keeping alive and closing runs, and taking over from dead ones."""

from __future__ import annotations

import logging
import os
import socket
import time
from datetime import timedelta
from pathlib import Path

from django.db import connection, transaction
from django.db.models import Max
from django.utils import timezone

from review import audit
from review.digests import digest_of
from review.models import Account, RuleSet, Run, Shard

log = logging.getLogger("spinetriage.ledger")
# A run on another host whose heart has not beaten for so long is dead.
SILENCE = timedelta(minutes=5)
# A run whose process is there but has not beaten for so long hangs, or its process went on to other things.
HANGING = timedelta(hours=1)


def open_run(
    *,
    trigger: str,
    rules_version: str,
    code_version: str,
    actor: str,
    scope: str = "",
    prefect_flow_run: str = "",
    kind: str = Run.Kind.TRIAGE,
    account: Account | None = None,
    reason: str = "",
) -> int:
    """Record that this process starts a batch, and return the run's id.

    Parameters
    ----------
    trigger
        What started it: `command`, `schedule` …
    actor
        `account:ID` of the person who started it, or `audit.SYSTEM`.
    scope
        The name of the one source to take from, or somebody's own folder; "" = every configured source.
    prefect_flow_run
        The id of Prefect's flow run.
    account, reason
        Who started it and why, where a person must say so.
    """
    now = timezone.now()
    with transaction.atomic():
        run = Run.objects.create(
            kind=kind,
            account=account,
            reason=reason,
            trigger=trigger,
            scope=scope,
            started_at=now,
            heartbeat_at=now,
            heartbeat_uptime=_uptime(),
            rules_version=rules_version,
            code_version=code_version,
            prefect_flow_run=prefect_flow_run,
            host=socket.gethostname(),
            pid=os.getpid(),
            process_start=_process_start(os.getpid()),
        )
        audit.record(
            audit.Action.RUN_OPENED,
            actor=actor,
            subject=f"run:{run.pk}",
            trigger=trigger,
            rules_version=rules_version,
            code_version=code_version,
            prefect_flow_run=prefect_flow_run,
            row=digest_of("run_begun", run),
            rules_kept=RuleSet.objects.filter(pk=rules_version).exists(),
        )
    log.info("run %s begins, started by %s", run.pk, trigger)
    return run.pk


def name_prefect_run(run_id: int, flow_run: str) -> None:
    """Record which of Prefect's flow runs carries out the run."""
    Run.objects.filter(pk=run_id).update(prefect_flow_run=flow_run)


def scope(run_id: int) -> str:
    """Return what the run was asked to take from: a source's name, a folder, or "" for everything."""
    return Run.objects.values_list("scope", flat=True).get(pk=run_id)


def scopes() -> list[str]:
    """Return every source or folder that a run was ever asked for by name."""
    return list(Run.objects.exclude(scope="").values_list("scope", flat=True).distinct().order_by("scope"))


def beat(run_id: int) -> None:
    """Say that the run is alive; to be called at least once a minute."""
    running = Run.objects.filter(pk=run_id, state=Run.State.RUNNING)
    running.update(heartbeat_at=timezone.now(), heartbeat_uptime=_uptime())


def close_run(run_id: int, state: str, error: str = "") -> None:
    """End a run as `completed` or `failed`; a run that has already ended stays as it is.

    Parameters
    ----------
    error
        A type name and ids, never the text of an exception: that may quote a report.
    """
    if state not in (Run.State.COMPLETED, Run.State.FAILED):
        raise ValueError(f"a run cannot be closed as {state!r}; expected 'completed' or 'failed'")
    with transaction.atomic():
        now = timezone.now()
        running = Run.objects.filter(pk=run_id, state=Run.State.RUNNING)
        ended = running.update(state=state, ended_at=now, heartbeat_at=now, error=error[:500])
        if ended:
            audit.record(
                audit.Action.RUN_CLOSED,
                actor=audit.SYSTEM,
                subject=f"run:{run_id}",
                state=state,
                row=digest_of("run", Run.objects.get(pk=run_id)),
            )
    if ended:
        grave = logging.ERROR if error else logging.INFO
        log.log(grave, "run %s %s%s", run_id, state, f": {error}" if error else "")
    if connection.vendor == "sqlite" and Shard.objects.filter(run=run_id).exists():
        _weigh_tables()


def _weigh_tables() -> None:
    """Let SQLite look at samples of its tables, by which it chooses indexes; PostgreSQL does so by itself."""
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA analysis_limit = 400")
        cursor.execute("ANALYZE")


def count_unchanged(run_id: int, number: int) -> None:
    """Record how many known, unchanged items the run met again: duplicates without a row each.

    Said again, as after a step that was repeated, the new number takes the place of the old one.
    """
    Run.objects.filter(pk=run_id).update(unchanged=number)


def take_over(run_id: int) -> list[int]:
    """Mark dead runs as crashed and move every shard that an ended run left unfinished to this run.

    A run is dead when its process is gone or has been silent for an hour (on the same host), or silent for
    five minutes (on another host, or where the start of a process cannot be told). Of two runs that take
    over at once, the second waits and finds what the first left. Should a run that was taken for dead still
    store a shard, the second storing finds it done and changes nothing. A batch takes over from batches, a
    reread from those with the same rules.

    Returns
    -------
    list of int
        The ids of the shards that are now this run's.
    """
    now = timezone.now()
    with transaction.atomic():
        # No key: moving shards to this run must not wait for somebody who looks at it in the same way.
        others = Run.objects.select_for_update(no_key=True).filter(state=Run.State.RUNNING).exclude(pk=run_id)
        dead = [run.pk for run in others.order_by("id") if is_dead(run)]
        Run.objects.filter(pk__in=dead).update(
            state=Run.State.CRASHED, ended_at=now, error="the process died"
        )
        left = (
            Shard.objects.select_for_update(of=("self",))
            .exclude(state=Shard.State.DONE)
            .exclude(run__state=Run.State.RUNNING)
            .order_by("id")
        )
        own = Run.objects.get(pk=run_id)
        if own.kind == Run.Kind.REREAD:  # a shard is read again with the rules for which it was taken
            left = left.filter(run__kind=own.kind, run__rules_version=own.rules_version)
        else:  # what a run of retries left is taken in the same way
            left = left.exclude(run__kind=Run.Kind.REREAD)
        shards = list(left.values_list("id", flat=True))
        last = Shard.objects.filter(run=run_id).aggregate(n=Max("number"))["n"] or 0
        for number, shard in enumerate(shards, start=last + 1):
            Shard.objects.filter(pk=shard).update(run=run_id, number=number, state=Shard.State.WAITING)
        if dead or shards:
            audit.record(
                audit.Action.RUN_TAKEN_OVER,
                actor=audit.SYSTEM,
                subject=f"run:{run_id}",
                crashed=dead,
                runs=[[run.pk, digest_of("run", run)] for run in Run.objects.filter(pk__in=dead)],
                shards=shards,
            )
    if dead or shards:
        log.warning("took over %s shards, and runs that died: %s", len(shards), dead or "none")
    return shards


def is_dead(run: Run) -> bool:
    """Tell whether nobody carries out a running run any more; see `take_over`."""
    silent = timezone.now() - run.heartbeat_at
    if run.host != socket.gethostname() or not run.process_start:
        return silent > SILENCE
    if _process_start(run.pid) != run.process_start:
        return True
    if (
        run.heartbeat_uptime is not None
    ):  # of this very boot, as the process is: a clock that jumps says nothing
        silent = timedelta(seconds=_uptime() - run.heartbeat_uptime)
    return silent > HANGING


def _uptime() -> float:
    return time.clock_gettime(time.CLOCK_BOOTTIME)


def _process_start(pid: int) -> str:
    """Return what tells one process from a later one with the same id: this boot and the start in its ticks.

    "" when there is no such process, it has ended and only waits to be collected, or the system has no /proc.
    """
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        # The name of the process stands in brackets and may itself hold brackets and spaces.
        state, *fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return ""
    return "" if state in "ZX" else f"{boot} {fields[18]}"
