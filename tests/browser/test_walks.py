"""What people do on the pages, from the login on."""

from __future__ import annotations

import re
from collections.abc import Callable

from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import Site
from tests.installation import STAT

Enter = Callable[..., Page]


def test_who_is_not_logged_in_sees_nothing(browser: Browser, site: Site) -> None:
    page = browser.new_page()
    for path in ("worklist/", "case/1/", "runs/", "rejected/"):
        page.goto(f"{site.address}/{path}")
        assert "/login/" in page.url
        assert "STAT" not in page.content()
    page.close()


def test_a_case_is_claimed_corrected_confirmed_and_the_next_one_taken_by_keyboard_alone(
    site: Site, enter: Enter
) -> None:
    page = enter()
    keys = page.keyboard
    page.wait_for_selector("tr[aria-current=true]")
    keys.press("j")
    keys.press("k")
    keys.press("n")  # claims the first free case
    page.wait_for_url("**/case/*/")
    case = page.url
    assert "STAT" in page.locator("h1").inner_text()
    assert "Yours" in page.locator(".acts").inner_text()
    reach(page, "details:not([open]) > summary:has-text('Correct')")
    keys.press("Enter")
    reach(page, "details[open] button:has-text('Not a lesion')")
    with page.expect_navigation():
        keys.press("Enter")
    assert page.url.partition("#")[0] == case
    assert "not a lesion" in page.locator("main").inner_text()
    keys.press("c")
    keys.type("seen with the trauma team")
    keys.press("Enter")  # confirms and takes the next
    page.wait_for_url(lambda url: "/case/" in url and url.partition("#")[0] != case)
    assert "Yours" in page.locator(".acts").inner_text()
    number = int(case.rstrip("/").rpartition("/")[2])
    kept = site.rows("SELECT case_id, verdict, comment FROM review_decision ORDER BY id DESC LIMIT 1")
    assert kept == [(number, "confirmed", "seen with the trauma team")]
    corrected = site.rows("SELECT case_id, kind FROM review_correction ORDER BY id DESC LIMIT 1")
    assert corrected == [(number, "not_a_lesion")]
    keys.press("r")  # lets go of the one that was taken
    page.wait_for_url("**/worklist/**")


def test_a_letter_that_is_typed_presses_nothing(site: Site, enter: Enter) -> None:
    page = enter()
    page.keyboard.press("/")
    page.keyboard.type("njk?cd")
    assert page.url.endswith("/worklist/")
    assert page.locator("dialog[open]").count() == 0
    assert page.locator("input:focus").input_value() == "njk?cd"


def test_a_new_stat_case_announces_itself_without_losing_the_place(site: Site, enter: Enter) -> None:
    page = enter()
    page.wait_for_selector("tr[aria-current=true]")
    page.keyboard.press("j")
    at = page.locator("tr[aria-current=true]").get_attribute("id")
    site.drop("L1", STAT.format(number=77), Accession="L1")
    site.take_in()
    expect(page).to_have_title(re.compile("STAT"), timeout=40_000)
    assert "STAT" in page.locator("[aria-live]").first.inner_text()
    assert page.locator("tr[aria-current=true]").get_attribute("id") == at


def test_a_dictated_script_shows_as_text(site: Site, enter: Enter) -> None:
    page = enter()  # a dialog fails the test
    page.goto(f"{site.address}/case/{case_of(site, 'N1')}/")
    assert "<script>alert(1)</script>" in page.locator("#report").inner_text()


def case_of(site: Site, accession: str) -> int:
    query = "SELECT c.id FROM review_case c JOIN review_reportversion v ON v.report_id = c.report_id "
    found = dict(site.rows(query.replace("c.id", "v.accession, c.id")))
    return int(found[accession])


def reach(page: Page, selector: str) -> None:
    """Go on with the Tab key until the focus is on the first such element."""
    for _ in range(300):
        page.keyboard.press("Tab")
        if page.evaluate(
            "(wanted) => document.activeElement === wanted", page.locator(selector).first.element_handle()
        ):
            return
    raise AssertionError(f"the Tab key does not reach {selector}")
