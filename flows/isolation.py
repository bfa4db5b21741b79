"""Handing tasks to the process that may die of them, and finding the item that killed it."""

from __future__ import annotations

import atexit
import os
import signal
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from multiprocessing.reduction import send_handle
from typing import Any

from flows import places
from flows.intake.guard import Key, Refusal
from flows.intake.report import Reason
from flows.intake.sources import Batch
from flows.isolated import NO_MEMORY, NO_TASK, Task
from review.site import ROOT, config_folder

PROGRAM = ("-m", "flows.isolated")
START_SECONDS = 120
GRACE_SECONDS = 30  # beyond the limit of an item, for a process that cannot even be killed by its own alarm
# It takes apart what strangers sent, and needs none of these.
SECRETS = (
    "SPINETRIAGE_DATABASE_URL",
    "SPINETRIAGE_SECRET_KEY",
    "SPINETRIAGE_AUDIT_KEY",
    "SPINETRIAGE_OIDC_SECRET",
    "SPINETRIAGE_LDAP_PASSWORD",
    "SPINETRIAGE_SMTP_PASSWORD",
    "SPINETRIAGE_WEBHOOK_TOKEN",
    "SPINETRIAGE_WEBHOOK_SECRET",
    "SPINETRIAGE_LOG_KEY",
)


class IsolationError(RuntimeError):
    """The reader's process does not start: no item is to blame."""


class _DeathError(Exception):
    """The process died, or stalled, with an item in flight."""

    def __init__(self, at: Key | None, reason: Reason, detail: str) -> None:
        super().__init__(reason)
        self.at = at
        self.refusal = Refusal(reason, detail)


def carry_out(tasks: Sequence[Task], beat: Callable[[], object] = lambda: None) -> list[Any]:
    """Have tasks done, and return the result of each, in order.

    What was in flight when the process died is tried again by a fresh one, which begins with that task. An
    item that was in flight twice is refused from then on, and its task done without it; a task that kills
    even so falls as a whole. Everything else is done.

    Parameters
    ----------
    beat
        Is called with each sign of life.

    Raises
    ------
    IsolationError
        When the process cannot be started.
    """
    global _worker  # noqa: PLW0603
    waiting, results = list(tasks), list[Any]()
    deaths = Counter[tuple[int, Key | None]]()
    with _lock:
        while (place := len(results)) < len(waiting):
            try:
                for result in _running().do(waiting[place:], beat):
                    results.append(result)
            except _DeathError as death:
                _worker = None
                beat()
                place, task = len(results), waiting[len(results)]
                deaths[place, death.at] += 1
                if deaths[place, death.at] < 2:
                    continue
                if death.at is None or death.at in task.refused:
                    results.append(task.fallen(death.refusal))
                else:
                    waiting[place] = task.without(death.at, death.refusal)
            except BaseException:  # Ctrl-C: what it still says would be taken for the answer to another task
                close()
                raise
    return results


class _Nursery:
    """The process that has everything ready, and forks the workers."""

    def __init__(self, limits: Batch) -> None:
        self.limits = limits
        self._control, theirs = Pipe()
        keep_silent = os.environ.get("SPINETRIAGE_DEBUG") != "1"
        with theirs:
            self._process = subprocess.Popen(  # noqa: S603 - our own interpreter, fixed arguments
                [
                    *(sys.executable, *PROGRAM, str(theirs.fileno())),
                    *(str(limits.item_seconds), str(limits.memory_mb)),
                ],
                pass_fds=[theirs.fileno()],
                cwd=ROOT,  # the very code of this process
                env=_environment(),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL if keep_silent else None,  # a traceback may carry report text
                start_new_session=True,
            )
        self._answer(START_SECONDS)

    def fork(self) -> Connection:
        """Return the connection to a new worker; the one before has ended."""
        ours, theirs = Pipe()
        with theirs:
            try:
                send_handle(self._control, theirs.fileno(), self._process.pid)
            except OSError:
                raise self._gone() from None
        return ours

    def status(self) -> int:
        """Return the exit status of the worker that has ended."""
        return int(self._answer(GRACE_SECONDS))

    def end(self) -> None:
        self._control.close()
        self._process.kill()
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(GRACE_SECONDS)

    def _answer(self, seconds: int) -> Any:
        try:
            if self._control.poll(seconds):
                return self._control.recv()
        except (EOFError, OSError):
            pass
        raise self._gone()

    def _gone(self) -> IsolationError:
        self.end()
        return IsolationError(
            f"The process that reads reports does not work (exit status {self._process.returncode})."
        )


class _Worker:
    """A process that may die of an item."""

    def __init__(self, nursery: _Nursery) -> None:
        self._nursery, self._limits = nursery, nursery.limits
        self._connection = nursery.fork()
        try:
            _, self.pid = self._receive(START_SECONDS)
        except _DeathError as death:
            raise IsolationError(
                f"A process that reads reports ends at once ({death.refusal.detail})."
            ) from None

    def do(self, tasks: Sequence[Task], beat: Callable[[], object]) -> Iterator[Any]:
        """Yield the result of each task."""
        at: Key | None = None
        try:
            self._connection.send(tasks)
        except OSError:
            raise self._death(at) from None
        for _ in tasks:
            kind, value = self._receive(self._limits.item_seconds + GRACE_SECONDS, at)
            while kind == "at":
                beat()
                at = value
                kind, value = self._receive(self._limits.item_seconds + GRACE_SECONDS, at)
            beat()
            at = None
            yield value

    def end(self) -> None:
        self._connection.close()
        with suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)

    def _receive(self, seconds: int, at: Key | None = None) -> tuple[str, Any]:
        try:
            if self._connection.poll(seconds):
                message: tuple[str, Any] = self._connection.recv()
                return message
        except (EOFError, OSError):
            raise self._death(at) from None
        self.end()  # its own alarm could not
        raise self._death(at, is_stalled=True)

    def _death(self, at: Key | None, *, is_stalled: bool = False) -> _DeathError:
        status = self._nursery.status()
        if status == NO_TASK:
            raise IsolationError("The process that reads reports did not understand its task.")
        if is_stalled or status == -signal.SIGALRM:
            return _DeathError(at, Reason.READER_STALLED, f"{self._limits.item_seconds} s")
        if status == NO_MEMORY:
            return _DeathError(at, Reason.OUT_OF_MEMORY, f"{self._limits.memory_mb} MiB")
        detail = signal.Signals(-status).name if status < 0 else f"exit status {status}"
        return _DeathError(at, Reason.READER_KILLED, detail)


_lock = threading.RLock()
_nursery: _Nursery | None = None
_worker: _Worker | None = None


def _running() -> _Worker:
    global _nursery, _worker  # noqa: PLW0603 - one of each for this process, kept for many shards
    _nursery = _nursery or _Nursery(places.configured()[0])
    _worker = _worker or _Worker(_nursery)
    return _worker


def close() -> None:
    """End the processes, if there are any; the next task starts others."""
    global _nursery, _worker  # noqa: PLW0603
    if _worker is not None:
        _worker.end()
    if _nursery is not None:
        _nursery.end()
    _nursery = _worker = None


atexit.register(close)


def _environment() -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name not in SECRETS}
    kept = {name: value for name, value in kept.items() if not name.startswith("PREFECT_")}
    return kept | {"SPINETRIAGE_CONFIG": str(config_folder().resolve()), "OPENBLAS_NUM_THREADS": "1"}
