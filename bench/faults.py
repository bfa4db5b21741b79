"""A process that kills itself at a chosen step of writing to the database, and how its runs are started.

Nothing of this stands in the product: the steps are found by Django's own wrappers of statements.
"""

from __future__ import annotations

import os
import signal
import sys
import traceback
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import psutil
from django.db import connection
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created

WRITES = ("INSERT", "UPDATE", "DELETE", "SAVEPOINT", "RELEASE")


class Fuse:
    """Counts the steps of writing; at the chosen one the process dies as if the power had gone."""

    def __init__(self, at: int) -> None:
        self.count, self._at = 0, at
        real = BaseDatabaseWrapper._commit

        def commit(wrapper: BaseDatabaseWrapper) -> Any:
            self._step()
            done = real(wrapper)
            self._step()  # committed, but nobody was told
            return done

        BaseDatabaseWrapper._commit = commit
        connection_created.connect(self._watch, weak=False)

    def _watch(self, connection: BaseDatabaseWrapper, **_: Any) -> None:
        connection.execute_wrappers.append(self._statement)

    def _statement(self, execute: Callable[..., Any], sql: str, *rest: Any) -> Any:
        if sql.lstrip().upper().startswith(WRITES):
            self._step()
        return execute(sql, *rest)

    def _step(self) -> None:
        self.count += 1
        if self.count == self._at:
            os.kill(os.getpid(), signal.SIGKILL)


class ForkedNursery:
    """Stands for `subprocess.Popen` of the isolated reader: a fork of this process, which has it loaded."""

    def __init__(self, command: list[str], **_: Any) -> None:
        self.returncode: int | None = None
        self.pid = os.fork()
        if self.pid == 0:
            from tests.flows import poison

            sys.argv = command[-4:]
            # As `Popen` does: a connection kept open here would outlive its process, with its locks.
            control = int(sys.argv[1])
            os.closerange(3, control)
            os.closerange(control + 1, os.sysconf("SC_OPEN_MAX"))
            try:
                poison.main()
            finally:
                os._exit(1)

    def kill(self) -> None:
        os.kill(self.pid, signal.SIGKILL)

    def wait(self, _timeout: float) -> None:
        os.waitpid(self.pid, 0)
        self.returncode = -signal.SIGKILL


def start(work: Callable[[], Any]) -> int:
    """Do some work in a fork of this process; return its id. It ends with 0, or 1 after an error."""
    connection.close()
    sys.stdout.flush()
    process = os.fork()
    if process == 0:
        try:
            os.setpgid(0, 0)
            work()
            status = 0
        except BaseException:
            traceback.print_exc()
            status = 1
        sys.stdout.flush()
        from flows import isolation

        isolation.close()
        os._exit(status)
    return process


def ended(process: int) -> int:
    """Wait for a process; return its exit status, negative for a signal."""
    return os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])


def crash_postgresql(server: Any) -> None:
    """Kill PostgreSQL with all its processes at once, as if the power had gone, and start it again."""
    postmaster = psutil.Process(server.get_pid())
    for process in (postmaster, *postmaster.children()):
        with suppress(psutil.NoSuchProcess):
            process.kill()
    postmaster.wait(10)
    server.ensure_postgres_running()
