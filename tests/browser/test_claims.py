"""What the script of the case page does: keeps a claim, tells that it was lost, counts as Python does."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import Page, expect

from tests.browser.conftest import PASSWORD, Site
from tests.installation import STAT

Enter = Callable[..., Page]
SELECT = """words => {
  const walker = document.createTreeWalker(document.querySelector("#report"), NodeFilter.SHOW_TEXT);
  for (let node; (node = walker.nextNode()); ) {
    const at = node.data.indexOf(words);
    if (at >= 0) return getSelection().setBaseAndExtent(node, at, node, at + words.length);
  }
}"""


def claim(page: Page, site: Site, name: str, text: str) -> int:
    """Take a report in and claim its case on this page; its id."""
    site.drop(name, text, Patient_ID=name, Accession=name)
    site.take_in()
    number = int(site.rows("SELECT max(id) FROM review_case")[0][0])
    page.goto(f"{site.address}/case/{number}/")
    page.keyboard.press("t")
    expect(page.locator("#claim")).to_contain_text("Yours")
    return number


def test_words_marked_with_the_mouse_are_kept_where_they_stand(site: Site, enter: Enter) -> None:
    page = enter()
    beside = "Marker \U0001f9b4 placed beside the widened foramen.\nIMPRESSION"
    text = STAT.format(number=1).replace("IMPRESSION", beside, 1)
    claim(page, site, "M1", text)
    page.evaluate(SELECT, "widened foramen")
    page.keyboard.press("m")
    expect(page.locator("[name=words]").first).to_have_value("widened foramen")
    page.locator("[name=category]").select_option("benign_other")
    page.locator("form[data-marking] [name=certainty]").select_option("present")
    page.keyboard.press("Control+Enter")
    expect(page.locator(".message")).to_contain_text("is marked")
    ((start, end),) = site.rows('SELECT start, "end" FROM review_correction ORDER BY id DESC LIMIT 1')
    assert text[start:end] == "widened foramen"


def test_a_claim_is_kept_while_somebody_looks_and_its_loss_is_told_without_losing_a_word(
    site: Site, enter: Enter
) -> None:
    page, other = enter(), enter("lead")
    page.clock.install()
    number = claim(page, site, "M2", STAT.format(number=2))
    page.keyboard.press("c")
    page.keyboard.type("half a thought")
    with page.expect_response("**/beat/"):
        page.clock.fast_forward(61_000)
    expect(page.locator("#claim")).to_contain_text("14 min left")
    other.goto(f"{site.address}/case/{number}/")
    other.keyboard.press("x")
    expect(other.locator("[name=note]").first).to_be_focused()
    other.keyboard.type("urgent")
    other.keyboard.press("Enter")
    expect(other.locator("#claim")).to_contain_text("Yours")
    with page.expect_response("**/beat/"):
        page.clock.fast_forward(61_000)
    expect(page.locator("#claim-news")).to_contain_text("took it over")
    expect(page.locator("[name=comment]").first).to_have_value("half a thought")


def test_what_was_typed_outlasts_the_login_and_is_sent_after_a_new_one(site: Site, enter: Enter) -> None:
    page = enter()
    name = page.locator(".who span").inner_text()
    number = claim(page, site, "M3", STAT.format(number=3))
    page.keyboard.press("d")
    page.keyboard.type("no")
    page.keyboard.press("Tab")
    page.keyboard.type("half a thought")
    page.context.clear_cookies()
    page.keyboard.press("Enter")
    expect(page.locator("#claim-news")).to_contain_text("logged out")
    expect(page.locator("details[open] [name=comment]")).to_have_value("half a thought")
    other = page.context.new_page()
    other.goto(site.address)
    other.locator("[name=username]").fill(name)
    other.locator("[name=password]").fill(PASSWORD)
    other.get_by_role("button", name="Log in").click()
    other.wait_for_url("**/worklist/")
    page.locator("details[open] [name=comment]").press("Enter")
    expect(page.locator(".message").first).to_contain_text(f"C{number}: dismissed")
    assert site.rows("SELECT comment FROM review_decision ORDER BY id DESC LIMIT 1") == [("half a thought",)]


def test_a_server_that_is_away_loses_no_word(site: Site, enter: Enter) -> None:
    page = enter()
    claim(page, site, "M4", STAT.format(number=4))
    page.keyboard.press("w")
    page.keyboard.type("a comment")
    page.context.set_offline(True)
    page.keyboard.press("Control+Enter")
    expect(page.locator("#claim-news")).to_contain_text("does not answer")
    expect(page.locator("[name=text]")).to_have_value("a comment")
    page.context.set_offline(False)
    page.keyboard.press("Control+Enter")
    expect(page.locator(".message").first).to_contain_text("written down")


def test_enter_on_the_chosen_reason_dismisses_and_the_next_case_begins_at_its_top(
    site: Site, enter: Enter
) -> None:
    page = enter()
    claim(page, site, "M5", STAT.format(number=5))
    page.keyboard.press("d")
    page.keyboard.press("Enter")  # no reason is chosen yet
    page.keyboard.type("no")
    with page.expect_navigation():
        page.keyboard.press("Enter")
    expect(page.locator(".message").first).to_contain_text("dismissed. Back to C")
    assert page.evaluate("[scrollY, document.activeElement.tagName]") == [0, "BODY"]
    page.keyboard.press("u")
    expect(page.locator("#decided-title")).to_contain_text("Dismissed")
