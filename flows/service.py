"""The long-running form: schedules and review pages under one command."""

from __future__ import annotations

import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from prefect import serve as serve_deployments
from prefect.client.schemas.objects import ConcurrencyLimitConfig, ConcurrencyLimitStrategy
from prefect.schedules import Interval

from flows import display
from flows.server import ServerError
from flows.triage import triage
from review import accounts

EVERY = timedelta(minutes=5)
WEB_SECONDS = 60


def serve(port: int, prefect_url: str) -> None:
    """Serve the schedules and the pages until interrupted; print the addresses and, once, a login.

    Raises
    ------
    ServerError
        When the pages do not come up.
    """
    soon = datetime.now().astimezone() + timedelta(seconds=5)
    deployment = triage.to_deployment(
        name="every-5-minutes",
        schedule=Interval(EVERY, anchor_date=soon),
        # A run takes everything unprocessed, so a second one at the same time would find nothing to do.
        concurrency_limit=ConcurrencyLimitConfig(
            limit=1, collision_strategy=ConcurrencyLimitStrategy.CANCEL_NEW
        ),
    )
    with pages(port) as address:
        display.console.print(f"Review pages:  {address}\nPrefect:       {prefect_url.removesuffix('/api')}")
        if not accounts.has_admin():
            password = accounts.add_user("admin", "admin")
            display.console.print("First login:   admin, password ", end="")
            display.console.print(password, markup=False, highlight=False)
        display.console.print("Ctrl-C ends both.")
        serve_deployments(deployment, print_starting_message=False, limit=1)


@contextmanager
def pages(port: int) -> Iterator[str]:
    """Run the review pages in a process of their own, which never imports Prefect or spaCy."""
    address = f"http://127.0.0.1:{port}/"
    process = subprocess.Popen(  # noqa: S603 - our own interpreter, fixed arguments
        [sys.executable, "-m", "waitress", f"--listen=127.0.0.1:{port}", "review.wsgi:application"],
        env={key: value for key, value in os.environ.items() if not key.startswith("PREFECT_")},
        start_new_session=True,
    )
    try:
        deadline = time.monotonic() + WEB_SECONDS
        while not _answers(address):
            if process.poll() is not None or time.monotonic() > deadline:
                raise ServerError(
                    f"The review pages did not come up on port {port}; is it taken? Try --port."
                )
            time.sleep(0.2)
        yield address
    finally:
        process.terminate()
        process.wait(10)


def _answers(address: str) -> bool:
    try:
        with urllib.request.urlopen(f"{address}health/", timeout=5) as answer:  # noqa: S310
            return bool(answer.status == 200)
    except OSError:
        return False
