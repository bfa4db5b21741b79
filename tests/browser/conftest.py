"""The pages as `spinetriage up` serves them, over a batch of reports, in Debian's Chromium."""

from __future__ import annotations

import itertools
import shutil
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from tests.installation import ROUTINE, STAT, Installation, wait_for

CHROMIUM = shutil.which("chromium")
QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PASSWORD = "Zebra-crossing-42"
SOON = "FINDINGS: Indeterminate lytic lesion of the L3 body. <script>alert(1)</script> Series {number}."
_numbers = itertools.count(1)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what lies in this folder."""
    for item in items:
        if "tests/browser/" in item.path.as_posix():
            item.add_marker(pytest.mark.browser)
            reason = "needs Debian's chromium: apt-get install chromium"
            item.add_marker(pytest.mark.skipif(CHROMIUM is None, reason=reason))


# Playwright keeps an event loop running, in which Django refuses its database: so it ends with each file.
@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        yield started
        started.close()


class Site(Installation):
    """An installation whose pages are served at `address`."""

    address = ""


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Some reports of each kind, taken in; tests that decide cases drop reports of their own."""
    site = Site(tmp_path_factory.mktemp("site"))
    for number in range(3):
        site.drop(f"R{number}", ROUTINE.format(number=number), Patient_ID="P-1", Accession=f"A{number}")
        site.drop(f"S{number}", STAT.format(number=number), Patient_ID="P-1", Accession=f"S{number}")
        site.drop(f"N{number}", SOON.format(number=number), Patient_ID="P-2", Accession=f"N{number}")
    site.drop("E1", "   ")
    (site.inbox / "junk.txt").write_bytes(b"\0\1\2junk" * 50)
    site.take_in()
    site.drop("S0", STAT.format(number=0) + " Addition: also T8.", Patient_ID="P-1", Accession="S0")
    site.take_in()
    with served(site) as site.address:
        yield site


@contextmanager
def served(site: Installation) -> Iterator[str]:
    """Serve an installation's pages on a free port; the address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    address = f"http://127.0.0.1:{port}"
    command = [sys.executable, "-m", "review.serve", str(port)]
    with subprocess.Popen(command, env=site.environment, text=True, stdin=subprocess.PIPE) as server:
        wait_for(lambda: urllib.request.urlopen(f"{address}/health/", timeout=5).status == 200, server)
        yield address
        server.terminate()


Enter = Callable[..., Page]


@pytest.fixture
def enter(site: Site, browser: Browser) -> Iterator[Enter]:
    """Make an account of a role and log it in, as on its first day; return its page."""
    contexts: list[BrowserContext] = []

    def make(role: str = "radiologist", **options: object) -> Page:
        name = f"{role}{next(_numbers)}"
        first = site.run("user", "add", name, "--role", role).split()[-1]
        context = browser.new_context(viewport={"width": 1280, "height": 800}, **options)  # type: ignore[arg-type]
        contexts.append(context)
        page = context.new_page()
        page.on("dialog", lambda dialog: pytest.fail(f"the page ran a script: {dialog.message}"))
        page.goto(site.address)
        page.set_default_timeout(10_000)
        page.locator("[name=username]").fill(name)
        page.locator("[name=password]").fill(first)
        page.get_by_role("button", name="Log in").click()
        page.locator("[name=old_password]").fill(first)
        for field in ("new_password1", "new_password2"):
            page.locator(f"[name={field}]").fill(PASSWORD)
        page.get_by_role("button", name="Change it").click()
        page.wait_for_load_state()
        return page

    yield make
    for context in contexts:
        context.close()
