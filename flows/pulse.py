"""The heartbeat of a run: it beats with each sign of life of the work, not with a clock beside it.

A run whose work hangs falls silent, and the next one takes over.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress

from django.db import DatabaseError, InterfaceError

from review import ledger

BEAT_SECONDS = 20  # at most so often, however often there is a sign of life
Beat = Callable[[], None]


def pulse(shard: int) -> Beat:
    """Return what the work at a shard is to call with each sign of life."""
    return of_run(ledger.run_of(shard))


def of_run(run: int) -> Beat:
    """Return what the work of a run is to call with each sign of life."""
    last = time.monotonic()

    def beat() -> None:
        nonlocal last
        if time.monotonic() - last >= BEAT_SECONDS:
            with suppress(DatabaseError, InterfaceError):  # the work itself will meet it, and wait
                ledger.beat(run)
            last = time.monotonic()

    return beat
