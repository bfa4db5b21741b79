"""The long-running form: schedules and review pages under one command, each started anew when it ends."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, cast
from uuid import UUID

from prefect import get_client
from prefect.runner import Runner

from flows import display, server
from flows.deployments import free_slots, planned
from flows.server import ServerError
from review import accounts

WEB_SECONDS = 60
LOOK_SECONDS = 10  # how often it is seen whether everything still runs


def serve(port: int, prefect_url: str, home: Path) -> None:
    """Serve the schedules and the pages until interrupted; print the addresses and, once, a login.

    Raises
    ------
    ServerError
        When the pages do not come up.
    """
    is_own = server.is_own(home, prefect_url)
    with pages(port, prefect_url) as web:
        display.console.print(
            f"Review pages:  {web.address}\nPrefect:       {prefect_url.removesuffix('/api')}"
        )
        if not accounts.has_login():
            password = accounts.add_user("lead", "lead")
            display.console.print("First login:   lead, password ", end="")
            display.console.print(password, markup=False, highlight=False)
        served = ", ".join(f"{one.deployment.flow_name} {one.when}" for one in planned())
        display.console.print(f"On schedule:   {served}\nCtrl-C ends all of it.")
        with suppress(KeyboardInterrupt), _watched(web, prefect_url, home if is_own else None):
            _run_schedules(is_own)


class _Runner(Runner):
    """Prefect's runner, ended by SIGTERM as by Ctrl-C: its own handler leaves work unfinished."""

    def handle_sigterm(self, *_args: Any, **_kwargs: Any) -> None:
        signal.raise_signal(signal.SIGINT)


def _run_schedules(is_own: bool) -> None:
    """Run what is due until interrupted; a Prefect server that is away is waited for."""
    while True:
        try:
            asyncio.run(_scheduled(is_own).start())
        except Exception as error:  # Prefect's runner gives up after some minutes without its server
            display.complaints.print(f"The schedules stopped ({type(error).__name__}); they start again.")
            time.sleep(LOOK_SECONDS)


def _scheduled(is_own: bool) -> Runner:
    """Return a runner of the schedules, with a first run of each that begins at once.

    Every run is a process of its own, and each deployment has room for one: a long or failing one stops no
    other. On a server of others these schedules go on when we end: another machine may serve them too.
    """
    plan = planned()
    runner = _Runner(limit=len(plan), pause_on_shutdown=is_own)
    # These calls answer at once where no event loop runs; their types promise a coroutine as well.
    identities = [cast(UUID, runner.add_deployment(one.deployment)) for one in plan]
    free_slots(f"{one.deployment.flow_name}/{one.deployment.name}" for one in plan)
    with get_client(sync_client=True) as client:
        for identity, one in zip(identities, plan, strict=True):
            if one.at_start is not None:
                client.create_flow_run_from_deployment(identity, parameters=dict(one.at_start))
    return runner


@contextmanager
def _watched(web: Pages, prefect_url: str, home: Path | None) -> Iterator[None]:
    """See meanwhile that the pages and our Prefect server, whose home is given, go on."""
    ended = threading.Event()

    def watch() -> None:
        while not ended.wait(LOOK_SECONDS):
            try:
                web.revive()
                if home:
                    server.revive(home, prefect_url, display.complaints.print)
            except (
                ServerError,
                OSError,
                ValueError,
            ) as error:  # no memory, no disk, half a file: it may come back
                display.complaints.print(f"{error} It is tried again.", markup=False)

    thread = threading.Thread(target=watch, name="watch", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


class Pages:
    """The process of the review pages, which never imports Prefect or spaCy."""

    def __init__(self, port: int, prefect_url: str) -> None:
        self.port = port
        self.address = f"http://127.0.0.1:{port}/"
        self._environment = {
            key: value for key, value in os.environ.items() if not key.startswith("PREFECT_")
        }
        self._environment.setdefault("SPINETRIAGE_PREFECT_PAGES", prefect_url.removesuffix("/api"))
        self._process = self._start()

    def revive(self) -> None:
        """Start the process anew if it has ended."""
        if self._process.poll() is not None:
            display.complaints.print("The review pages ended; they are started anew.")
            self._process = self._start()

    def wait(self) -> None:
        """Wait until the pages answer, or raise a ServerError."""
        deadline = time.monotonic() + WEB_SECONDS
        while not _answers(self.address):
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise ServerError(f"The review pages did not come up on port {self.port}.")
            time.sleep(0.2)

    def stop(self) -> None:
        """End the process."""
        self._process.terminate()
        self._process.wait(10)

    def _start(self) -> subprocess.Popen[bytes]:
        return subprocess.Popen(  # noqa: S603 - our own interpreter, fixed arguments
            [sys.executable, "-m", "review.serve", str(self.port)],
            stdin=subprocess.PIPE,
            env=self._environment,
            start_new_session=True,
        )


@contextmanager
def pages(port: int, prefect_url: str) -> Iterator[Pages]:
    """Run the review pages; they answer when this yields."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as the server itself will
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise ServerError(
                f"Port {port} cannot be used for the review pages ({error.strerror}); choose another: --port."
            ) from None
    web = Pages(port, prefect_url)
    try:
        web.wait()
        yield web
    finally:
        web.stop()


def _answers(address: str) -> bool:
    try:
        with urllib.request.urlopen(f"{address}health/", timeout=5) as answer:  # noqa: S310
            return bool(answer.status == 200)
    except OSError:
        return False
