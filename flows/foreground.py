"""One run in the foreground: in this process, with a progress bar, recorded by Prefect before it ends."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from django.db import Error, connection
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from flows import display, tasks
from flows.triage import triage
from review import ledger

LOOK_SECONDS = 0.5
Take = Callable[[int], int]
Far = Callable[[int], tuple[int, int]]


def carry_out(run: int, prefect_url: str, flow: Take = triage, progress: Far = ledger.progress) -> None:
    """Carry out a run that is open in the ledger, and wait until Prefect has recorded it.

    One that fails is not raised: the ledger holds its state and reason.

    Parameters
    ----------
    flow
        What carries it out.
    progress
        Returns of a run how many reports it has taken, and how many of them are done.
    """
    try:
        # The flow closes its run itself; here it is closed when Prefect does not get as far as the flow.
        with suppress(tasks.StepError), _progress_bar(run, progress), tasks.closing(run):
            flow(run)
    finally:
        if not tasks.recorded(ledger.summary(run)["prefect_flow_run"], prefect_url):
            display.complaints.print("Prefect's record of this run is not complete; the ledger's is.")


@contextmanager
def _progress_bar(run: int, progress: Far) -> Iterator[None]:
    """Show how far the run is by asking the ledger, as any other process could."""
    ended = threading.Event()
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("reports"),
        TimeRemainingColumn(),
    )
    bar = Progress(*columns, console=display.complaints, disable=not display.complaints.is_terminal)

    def watch() -> None:
        line = bar.add_task(f"Run {run}", total=None)
        while not ended.wait(LOOK_SECONDS):
            with suppress(Error):  # a database that is away is for the run to tell
                taken, done = progress(run)
                bar.update(line, total=taken or None, completed=done)
        with suppress(Error):
            taken, done = progress(run)
            bar.update(line, total=taken, completed=done)
        connection.close()  # this thread's own

    thread = threading.Thread(target=watch, name="progress", daemon=True)
    with bar:
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join()
