"""The pages by the rules of axe-core, and that nothing runs out of a usual screen."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page

from tests.browser.conftest import Site

Enter = Callable[..., Page]
# Where `.ci/run` puts it; by hand: npm install axe-core, then name its axe.min.js.
AXE = Path(os.environ.get("SPINETRIAGE_AXE") or "node_modules/axe-core/axe.min.js")
GRAVE = {"serious", "critical"}
READERS = ("/worklist/", "/case/{case}/", "/statistics/")
KEEPERS = ("/runs/", "/rejected/")
PAGES = [("lead", path) for path in (*READERS, *KEEPERS, "/password/")]


@pytest.mark.skipif(not AXE.exists(), reason="needs axe-core: npm install axe-core")
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_no_serious_fault(site: Site, enter: Enter, scheme: str) -> None:
    faults: list[tuple[str, str, str]] = []
    for role, paths in _by_role().items():
        page = enter(role, color_scheme=scheme)
        for path in paths:
            page.goto(site.address + path.format(case=_case(site)))
            faults += [(path, fault["id"], fault["nodes"][0]["html"]) for fault in _faults(page)]
    assert faults == []


@pytest.mark.skipif(not AXE.exists(), reason="needs axe-core: npm install axe-core")
def test_axe_would_find_one(site: Site, enter: Enter) -> None:
    page = enter()
    page.evaluate("document.querySelector('main').innerHTML = '<img src=\"/static/icon.svg\"><input>'")
    assert {fault["id"] for fault in _faults(page)} >= {"image-alt", "label"}


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_page_is_wider_than_a_usual_screen(site: Site, enter: Enter, scheme: str) -> None:
    for role, paths in _by_role().items():
        page = enter(role, color_scheme=scheme)
        for path in paths:
            page.goto(site.address + path.format(case=_case(site)))
            assert page.evaluate("document.documentElement.scrollWidth") <= 1280, path


def _by_role() -> dict[str, list[str]]:
    return {role: [path for other, path in PAGES if other == role] for role, _ in PAGES}


def _case(site: Site) -> int:
    return int(site.rows("SELECT min(id) FROM review_case WHERE state = 'waiting'")[0][0])


def _faults(page: Page) -> list[dict[str, Any]]:
    page.evaluate(AXE.read_text())
    found = page.evaluate("axe.run({resultTypes: ['violations']})")
    assert found["passes"] or found["violations"]  # it looked at something
    return [fault for fault in found["violations"] if fault["impact"] in GRAVE]
