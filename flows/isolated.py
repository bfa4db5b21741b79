"""What may die of an item: taking files apart and reading texts, in a process of its own.

`flows.isolation` starts it and hands it tasks. It has no database and no secrets; what it says goes through
one connection, and nothing of an item goes any other way: no output, no core dump.
"""

from __future__ import annotations

import gc
import os
import resource
import signal
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from multiprocessing.connection import Connection
from multiprocessing.reduction import recv_handle
from pathlib import Path
from typing import Any, Protocol, Self

from flows.intake import formats
from flows.intake.dicom import Fault
from flows.intake.guard import Guard, Key, Refusal
from flows.intake.report import Reason, Rejected, Report
from flows.intake.sources import Source
from flows.verdict import verdict
from nlp import reader
from review.records import NewPortion, NewStudy

WARM_UP = "FINDINGS: Metastasis of T6."  # builds what is built once, which counts for no item
# Exit statuses: death for want of memory; and a task that could not be understood, which is our own fault.
NO_MEMORY, NO_TASK = 70, 71
Refused = Mapping[Key, Refusal]


class Task(Protocol):
    """One piece of work; `refused` are the items in it that must not be touched."""

    @property
    def refused(self) -> Refused: ...

    def perform(self, guard: Guard) -> Any:
        """Do the work, and tell the guard of each item."""

    def fallen(self, refusal: Refusal) -> Any:
        """Return the result where the work cannot be done even without the items that are refused."""

    def without(self, key: Key, refusal: Refusal) -> Self:
        """Return the same work with one more item refused."""


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class _Portion:
    source: Source
    portion: NewPortion
    refused: Refused = field(default_factory=dict)

    def without(self, key: Key, refusal: Refusal) -> Self:
        return replace(self, refused={**self.refused, key: refusal})


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class LoadReports(_Portion):
    """Take a portion of reports apart: exactly `portion.items` reports or rejections."""

    kept: bytes | None = None  # of a rejected input: taken instead of its file

    def perform(self, guard: Guard) -> list[Report | Rejected]:
        return list(formats.load_reports(self.source, self.portion, guard, self.kept))

    def fallen(self, refusal: Refusal) -> list[Report | Rejected]:
        return [Rejected(reason=refusal.reason, detail=refusal.detail)] * self.portion.items


class LoadStudies(_Portion):
    """Take the headers of a DICOM folder: its studies, and the files that could not be used."""

    def perform(self, guard: Guard) -> tuple[list[NewStudy], list[Fault]]:
        return formats.load_studies(self.source, self.portion, guard)

    def fallen(self, refusal: Refusal) -> tuple[list[NewStudy], list[Fault]]:
        return [], [Fault(self.portion.path, *refusal)]


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Read:
    """Read one version: what is stored of its reading, or why there is none."""

    text: str
    context: Mapping[str, Any]
    warnings: tuple[str, ...] = ()
    refused: Refused = field(default_factory=dict, init=False)  # it is one item: it falls as a whole

    def perform(self, _guard: Guard) -> dict[str, Any] | Refusal:
        return verdict(self.text, self.context, self.warnings)

    def fallen(self, refusal: Refusal) -> dict[str, Any] | Refusal:
        return refusal

    def without(self, _key: Key, _refusal: Refusal) -> Self:
        return self


def perform(task: Task, tell: Callable[[Key], object] | None = None) -> Any:
    """Do a task; an item on which the code fails is refused, and the rest goes on."""
    while True:
        guard = Guard(task.refused, tell)
        try:
            return task.perform(guard)
        except MemoryError:
            raise
        except Exception as error:  # one item must not stop the others; a person gets to see it
            refusal = Refusal(Reason.READER_FAILED, type(error).__name__)
            if guard.at is None or guard.at in task.refused:
                return task.fallen(refusal)
            task = task.without(guard.at, refusal)


def main() -> None:
    """Import and build everything once, then fork one worker after the other for whoever started us.

    It sends us its connection to each worker, and is told with which status the worker ended. Thus a worker
    that an item killed is replaced at once, and begins like the first.
    """
    control = Connection(int(sys.argv[1]))
    seconds, megabytes = map(int, sys.argv[2:])
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for whoever started us
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    reader.read(WARM_UP)
    gc.freeze()  # what is there now is never garbage: workers share it
    control.send("ready")
    while True:
        try:
            handle = recv_handle(control)
        except (EOFError, OSError, RuntimeError):  # whoever started us is gone
            return
        if (worker := os.fork()) == 0:
            control.close()
            _work(Connection(handle), seconds, megabytes)
            os._exit(0)
        os.close(handle)
        control.send(os.waitstatus_to_exitcode(os.waitpid(worker, 0)[1]))


def _work(connection: Connection, seconds: int, megabytes: int) -> None:
    """Do tasks until the other end of the connection is closed.

    Sends our process id, then for each task any number of ("at", key) and one ("done", result).
    """
    _limit_memory(megabytes)

    def tell(key: Key) -> None:
        connection.send(("at", key))
        signal.alarm(seconds)  # which kills, wherever the code is

    connection.send(("ready", os.getpid()))
    while True:
        try:
            tasks: list[Task] = connection.recv()
        except EOFError:
            return
        except Exception:  # not the fault of an item
            os._exit(NO_TASK)
        for task in tasks:
            signal.alarm(seconds)
            try:
                result = perform(task, tell)
            except MemoryError:
                os._exit(NO_MEMORY)
            signal.alarm(0)  # the other side may be slow to take it
            connection.send(("done", result))


def _limit_memory(megabytes: int) -> None:
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    most = pages * resource.getpagesize() + megabytes * 2**20
    resource.setrlimit(resource.RLIMIT_AS, (most, most))


if __name__ == "__main__":
    main()
