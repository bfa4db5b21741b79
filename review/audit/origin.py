"""From where somebody acts: kept by the web, by commands and by flows for what they record."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache

_origin: ContextVar[str] = ContextVar("origin", default="")
_LENGTH = 60  # of the column


@contextmanager
def coming_from(origin: str) -> Iterator[None]:
    """Let what is recorded within say that it was done from there: an address or an id, nobody's name."""
    before = _origin.set(origin[:_LENGTH])
    try:
        yield
    finally:
        _origin.reset(before)


def by_command() -> None:
    """Let everything that this process records from now on say that a command did it."""
    _origin.set(f"command {_process()}"[:_LENGTH])


def origin() -> str:
    """Return from where is acted now; where nobody said it, the process itself: its user's number and host.

    `web ADDRESS`, `command USER@HOST`, `flow run:ID@HOST`, or `program USER@HOST`.
    """
    return _origin.get() or f"program {_process()}"[:_LENGTH]


def of_run(run: int) -> str:
    """Return the origin of what a flow does in a run of the ledger."""
    return f"flow run:{run}@{socket.gethostname()}"


@cache
def _process() -> str:
    return f"{os.getuid()}@{socket.gethostname()}"
