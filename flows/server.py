"""A Prefect server of our own, on loopback, for who has configured none.

Everything here works through the environment, because Prefect reads its settings when it is imported:
nothing in this module may import it.
"""

from __future__ import annotations

import base64
import contextlib
import fcntl
import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

from review.site import load_site

START_SECONDS = 180  # a fresh home on a busy machine needs 30
STOP_SECONDS = 30
OURS = "/admin/version"  # answers who knows the password, which no other server has

# Servers that this process started, so that it collects them when they have ended.
_children: list[subprocess.Popen[bytes]] = []


class ServerError(RuntimeError):
    """The Prefect server could not be started or reached."""


def configure(home: Path, console: str) -> None:
    """Set what Prefect reads at import: its home, no telemetry, no stored results, how long history is kept …

    What the operator has set stays as it is.
    """
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    settings = {
        "DO_NOT_TRACK": "1",
        "PREFECT_HOME": str(home),
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "PREFECT_RESULTS_PERSIST_BY_DEFAULT": "false",
        "PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL": console,
        "PREFECT_LOGGING_HANDLERS_DEBUG_LEVEL": console,
        # Kept in memory, as by default, the leases of a server that dies leave their limits taken for ever.
        "PREFECT_SERVER_CONCURRENCY_LEASE_STORAGE": "prefect.server.concurrency.lease_storage.filesystem",
        # Our own lines stand on the run's page too; outside of a run there is no page for them.
        "PREFECT_LOGGING_EXTRA_LOGGERS": "spinetriage",
        "PREFECT_LOGGING_TO_API_WHEN_MISSING_FLOW": "ignore",
    }
    if days := load_site().retention_days.prefect_history:
        settings["PREFECT_SERVER_SERVICES_DB_VACUUM_ENABLED"] = "events,flow_runs"
        settings["PREFECT_SERVER_SERVICES_DB_VACUUM_RETENTION_PERIOD"] = str(days * 86_400)
    for name, value in settings.items():
        os.environ.setdefault(name, value)


@contextlib.contextmanager
def prefect_api(home: Path, say: Callable[[str], None], console: str = "WARNING") -> Iterator[str]:
    """Give the address of a Prefect API: the configured one, a running one of ours, or a new one.

    The last of its users stops our server. Users hold a shared lock on a file, which the kernel releases
    even after `kill -9`, so a server left behind by a killed process is used and then stopped by the next.

    Parameters
    ----------
    home
        Prefect's home; made with mode 0700.
    say
        Called with a line for people when something takes time.
    console
        The least level of what Prefect logs that is printed as well.

    Raises
    ------
    ServerError
        When the configured server does not answer, or ours not within `START_SECONDS`.
    """
    configure(home, console)
    if url := os.environ.get("PREFECT_API_URL"):
        if not is_healthy(url):
            raise ServerError(
                f"PREFECT_API_URL is {url!r}, and no Prefect server answers there. Start it, correct the "
                "address (it ends with /api), or unset it: then a server is started here."
            )
        yield url
        return
    with (home / "users.lock").open("w") as users:
        with _exclusive(home / "start.lock"):
            _authenticate(home)
            fcntl.flock(users, fcntl.LOCK_SH)
            url = _running(home) or _start(home, say)
        os.environ["PREFECT_API_URL"] = url
        try:
            yield url
        finally:
            del os.environ["PREFECT_API_URL"]
            with _exclusive(home / "start.lock"):
                if _last(users):
                    _stop(home)


def _authenticate(home: Path) -> None:
    """Let server and clients share a password that stands only in a file of ours."""
    file = home / "auth"
    if not file.exists():
        _put(file, f"spinetriage:{secrets.token_urlsafe(24)}")
    password = file.read_text()
    os.environ["PREFECT_API_AUTH_STRING"] = os.environ["PREFECT_SERVER_API_AUTH_STRING"] = password
    os.environ["PREFECT_SERVER_CSRF_PROTECTION_ENABLED"] = "true"


def _running(home: Path) -> str | None:
    noted = _noted(home)
    return noted[1] if noted and is_healthy(noted[1], OURS) else None


def _start(home: Path, say: Callable[[str], None]) -> str:
    say("Starting a Prefect server (the first time takes about half a minute) ...")
    for port in _free_ports():
        url = f"http://127.0.0.1:{port}/api"
        if _comes_up(_launch(home, port, url), url):
            return url
        _stop(home)  # somebody else was quicker to take the port, or the time is up
    raise ServerError(
        f"The Prefect server did not come up within {START_SECONDS} s; its log is {home / 'server.log'}. "
        "Mend what it says there, or set PREFECT_API_URL to a server of your own."
    )


def can_be_reached(home: Path) -> bool:
    """Tell whether the configured server answers, or else one of our own that runs already."""
    if url := os.environ.get("PREFECT_API_URL"):
        return is_healthy(url)
    if not (home / "auth").exists():
        return False
    _authenticate(home)
    return _running(home) is not None


def is_own(home: Path, url: str) -> bool:
    """Tell whether this is the address of the server that has its home here."""
    noted = _noted(home)
    return noted is not None and noted[1] == url


def revive(home: Path, url: str, say: Callable[[str], None]) -> None:
    """Start our server anew, where it was, if its process has ended.

    Raises
    ------
    ServerError
        When it does not come up.
    """
    with _exclusive(home / "start.lock"):
        if (noted := _noted(home)) and not _gone(noted[0], 0):
            return
        say("The Prefect server has ended; it is started anew.")
        process = _launch(home, int(url.removesuffix("/api").rpartition(":")[2]), url)
        if not _comes_up(process, url):
            raise ServerError(f"The Prefect server did not come up again; its log is {home / 'server.log'}.")


def _comes_up(process: subprocess.Popen[bytes], url: str) -> bool:
    deadline = time.monotonic() + START_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        if is_healthy(url, OURS):
            return True
        time.sleep(0.2)
    return False


def _launch(home: Path, port: int, url: str) -> subprocess.Popen[bytes]:
    with (home / "server.log").open("ab") as log:
        process = subprocess.Popen(  # noqa: S603 - our own interpreter, fixed arguments
            [sys.executable, "-m", "prefect", "server", "start", "--host", "127.0.0.1", "--port", str(port)],
            stdout=log,
            stderr=log,
            stdin=subprocess.DEVNULL,
            env={key: value for key, value in os.environ.items() if key != "PREFECT_API_URL"}
            | {"PREFECT_UI_API_URL": url},
            start_new_session=True,  # Ctrl-C must reach us first: we let it record everything
        )
    _children.append(process)
    try:
        _put(home / "server.json", json.dumps({"pid": process.pid, "url": url}))
    except BaseException:  # nobody would know of it, and nobody end it
        process.kill()
        raise
    return process


def _put(file: Path, text: str) -> None:
    """Write a small file whole or not at all, also where the disk is full or the power goes."""
    draft = file.with_name(f".{file.name}.draft")
    try:
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as handle:
            handle.write(text)
            handle.flush()
            os.fsync(handle.fileno())
        draft.replace(file)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise


def _noted(home: Path) -> tuple[int, str] | None:
    """Return process id and address of the server that we started last, unless it was stopped."""
    try:
        state = json.loads((home / "server.json").read_text())
        return int(state["pid"]), str(state["url"])
    except (FileNotFoundError, ValueError):  # none, or half a file of an earlier edition
        return None


def _stop(home: Path) -> None:
    """End our server, first kindly; its process group, because it runs a child."""
    if (noted := _noted(home)) is None:
        return
    pid, _ = noted
    for number, seconds in ((signal.SIGTERM, STOP_SECONDS), (signal.SIGKILL, 5)):
        try:
            os.killpg(pid, number)
        except ProcessLookupError:
            break
        if _gone(pid, seconds):
            break
    (home / "server.json").unlink(missing_ok=True)


def _gone(pid: int, seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while True:
        for child in _children:
            child.poll()  # a child of ours that is not collected would seem to live on
        try:
            os.killpg(pid, 0)
        except ProcessLookupError:
            return True
        if time.monotonic() >= deadline:
            return False
        time.sleep(0.1)


def is_healthy(url: str, path: str = "/health") -> bool:
    """Tell whether a Prefect server answers at this address; with `OURS` as path, whether it is our own."""
    password = os.environ.get("PREFECT_API_AUTH_STRING", "")
    basic = base64.b64encode(password.encode()).decode()
    try:
        request = urllib.request.Request(  # noqa: S310 - the operator's own address
            url + path, headers={"Authorization": f"Basic {basic}"}
        )
        with urllib.request.urlopen(request, timeout=5) as answer:  # noqa: S310
            return bool(answer.status == 200)
    except (ValueError, OSError):  # not an address, or nobody there
        return False


def _free_ports() -> Iterator[int]:
    """Give Prefect's usual port, so that a bookmark works, then two that are free at this moment."""
    for port in (4200, 0, 0):
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            free = int(probe.getsockname()[1])
            probe.close()
            yield free


@contextlib.contextmanager
def _exclusive(path: Path) -> Iterator[None]:
    with path.open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def _last(users: IO[str]) -> bool:
    try:
        fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
