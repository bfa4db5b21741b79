"""The pages in a real browser, over a batch that a real run took in."""

from __future__ import annotations

import shutil
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from tests.installation import ROUTINE, STAT, Installation, wait_for

CHROMIUM = shutil.which("chromium")
pytestmark = [
    pytest.mark.browser,
    pytest.mark.prefect,
    pytest.mark.usefixtures("prefect_server"),
    pytest.mark.skipif(CHROMIUM is None, reason="needs Debian's chromium: apt-get install chromium"),
]
QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        yield started
        started.close()


@pytest.fixture
def address(site: Installation) -> Iterator[str]:
    """The pages, served as `spinetriage up` serves them, after one batch."""
    site.drop("R1", ROUTINE.format(number=1))
    site.drop("R2", "A suspicious lytic lesion of the L3 vertebral body. <script>alert(1)</script>")
    site.drop("R3", STAT.format(number=3))
    site.run("run")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    command = [sys.executable, "-m", "review.serve", str(port)]
    with subprocess.Popen(command, env=site.environment, text=True, stdin=subprocess.PIPE) as server:
        wait_for(lambda: urllib.request.urlopen(f"{url}/health/", timeout=5).status == 200, server)
        yield url
        server.terminate()


def test_a_radiologist_logs_in_takes_the_stat_case_and_confirms_it(
    site: Installation, browser: Browser, address: str
) -> None:
    password = site.run("user", "add", "rad", "--role", "radiologist").split()[-1]
    page = browser.new_page()
    page.on("dialog", lambda dialog: pytest.fail(f"the page ran a script: {dialog.message}"))
    log_in(page, address, password)
    rows = page.locator("table.list tbody tr")
    assert rows.count() == 2
    assert "STAT" in rows.nth(0).inner_text()
    assert "soon" in rows.nth(1).inner_text()
    page.get_by_role("button", name="Take the next case").click()
    assert "in review by rad" in page.locator("main").inner_text()
    assert "Report 3." in page.locator("main").inner_text()
    page.get_by_role("button", name="Confirm").click()
    page.goto(f"{address}/worklist/")
    assert rows.count() == 1
    rows.nth(0).get_by_role("link").click()
    assert "<script>alert(1)</script>" in page.locator("main").inner_text()
    page.close()
    assert [case["status"] for case in site.json("queue")] == ["waiting"]
    assert site.json("audit", "verify")["ok"]


def test_who_is_not_logged_in_sees_nothing(browser: Browser, address: str) -> None:
    page = browser.new_page()
    for path in ("worklist/", "case/1/", "runs/", "rejected/"):
        page.goto(f"{address}/{path}")
        assert "/login/" in page.url
        assert "STAT" not in page.content()
    page.close()


def log_in(page: Page, address: str, first_password: str) -> None:
    """Log in for the first time, which asks for a new password."""
    page.goto(address)
    page.locator("[name=username]").fill("rad")
    page.locator("[name=password]").fill(first_password)
    page.get_by_role("button").last.click()
    page.locator("[name=old_password]").fill(first_password)
    for field in ("new_password1", "new_password2"):
        page.locator(f"[name={field}]").fill("Zebra-crossing-42")
    page.locator("main").get_by_role("button").click()
    page.wait_for_url(f"{address}/worklist/")
