"""What people do on the pages, from the login on."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import Browser, Page

from tests.browser.conftest import Site

Enter = Callable[..., Page]


def test_who_is_not_logged_in_sees_nothing(browser: Browser, site: Site) -> None:
    page = browser.new_page()
    for path in ("worklist/", "case/1/", "runs/", "rejected/"):
        page.goto(f"{site.address}/{path}")
        assert "/login/" in page.url
        assert "STAT" not in page.content()
    page.close()
