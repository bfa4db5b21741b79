"""The long-running form: schedules and review pages under one command."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from typing import Any, cast
from uuid import UUID

from django.conf import settings
from prefect import Flow, get_client
from prefect.client.schemas.objects import ConcurrencyLimitConfig, ConcurrencyLimitStrategy
from prefect.deployments.runner import RunnerDeployment
from prefect.runner import Runner

from flows import display
from flows.alerts import alerts
from flows.deadlines import deadlines
from flows.quality_sample import quality_sample
from flows.server import ServerError
from flows.triage import triage
from review import accounts

# Each has its key in `every_minutes` of site.toml.
SERVED: tuple[Flow[..., Any], ...] = (triage, deadlines, quality_sample, alerts)
WEB_SECONDS = 60


def serve(port: int, prefect_url: str) -> None:
    """Serve the schedules and the pages until interrupted; print the addresses and, once, a login.

    Raises
    ------
    ServerError
        When the pages do not come up.
    """
    with pages(port) as address:
        display.console.print(f"Review pages:  {address}\nPrefect:       {prefect_url.removesuffix('/api')}")
        if not accounts.has_login():
            password = accounts.add_user("lead", "lead")
            display.console.print("First login:   lead, password ", end="")
            display.console.print(password, markup=False, highlight=False)
        served = ", ".join(f"{served.name} every {_in_words(_minutes(served))}" for served in SERVED)
        display.console.print(f"On schedule:   {served}\nCtrl-C ends all of it.")
        with suppress(KeyboardInterrupt):
            asyncio.run(_scheduled().start())


class _Runner(Runner):
    """Prefect's runner, ended by SIGTERM as by Ctrl-C: its own handler leaves work unfinished."""

    def handle_sigterm(self, *_args: Any, **_kwargs: Any) -> None:
        signal.raise_signal(signal.SIGINT)


def _scheduled() -> Runner:
    """Return a runner of the schedules, with a first run of each that begins at once.

    Every run is a process of its own, and each flow has room for one: a long or failing one stops no other.
    """
    runner = _Runner(limit=len(SERVED))
    # A run does everything that is due, so a second one at the same time would find nothing to do.
    alone = ConcurrencyLimitConfig(limit=1, collision_strategy=ConcurrencyLimitStrategy.CANCEL_NEW)
    with get_client(sync_client=True) as client:
        for served in SERVED:
            every = timedelta(minutes=_minutes(served))
            # These calls answer at once where no event loop runs; their types promise a coroutine as well.
            # The name stays when the interval changes, so that no schedule of before stays behind.
            deployment = cast(
                RunnerDeployment,
                served.to_deployment(name="on-schedule", interval=every, concurrency_limit=alone),
            )
            client.create_flow_run_from_deployment(cast(UUID, runner.add_deployment(deployment)))
    return runner


def _minutes(served: Flow[..., Any]) -> int:
    return int(settings.SITE.every_minutes[served.name.replace("-", "_")])


def _in_words(minutes: int) -> str:
    units = (("day", 24 * 60), ("hour", 60), ("minute", 1))
    unit, length = next(unit for unit in units if minutes % unit[1] == 0)
    number = minutes // length
    return unit if number == 1 else f"{number} {unit}s"


@contextmanager
def pages(port: int) -> Iterator[str]:
    """Run the review pages in a process of their own, which never imports Prefect or spaCy."""
    address = f"http://127.0.0.1:{port}/"
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as the server itself will
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise ServerError(
                f"Port {port} cannot be used for the review pages ({error.strerror}); choose another: --port."
            ) from None
    process = subprocess.Popen(  # noqa: S603 - our own interpreter, fixed arguments
        [sys.executable, "-m", "review.serve", str(port)],
        stdin=subprocess.PIPE,
        env={key: value for key, value in os.environ.items() if not key.startswith("PREFECT_")},
        start_new_session=True,
    )
    try:
        deadline = time.monotonic() + WEB_SECONDS
        while not _answers(address):
            if process.poll() is not None or time.monotonic() > deadline:
                raise ServerError(f"The review pages did not come up on port {port}.")
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
