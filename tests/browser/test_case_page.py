"""The case page as a browser lays it out."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Site

Enter = Callable[..., Page]
# The text as a script finds it, which counts on it: every text node that is in no badge.
TEXT = """() => {
  const nodes = document.createTreeWalker(document.querySelector("#report"), NodeFilter.SHOW_TEXT);
  const texts = [];
  while (nodes.nextNode()) texts.push(nodes.currentNode);
  return texts.filter((text) => !text.parentElement.closest(".badge")).map((text) => text.data).join("");
}"""


@pytest.fixture
def stat(site: Site) -> int:
    """Return the case with two versions."""
    return int(
        site.rows(
            "SELECT c.id FROM review_case c JOIN review_reportversion v ON v.report_id = c.report_id "
            "WHERE v.number = 2"
        )[0][0]
    )


def test_the_report_in_the_browser_is_the_report_that_came(site: Site, enter: Enter) -> None:
    page = enter()
    texts = site.rows(
        "SELECT c.id, v.text FROM review_case c JOIN review_reading r ON r.id = c.reading_id "
        "JOIN review_reportversion v ON v.id = r.version_id"
    )
    assert len(texts) > 5
    for case, text in texts:
        page.goto(f"{site.address}/case/{case}/")
        assert page.evaluate(TEXT) == text


def test_what_one_decides_by_is_on_the_first_screen(site: Site, enter: Enter, stat: int) -> None:
    page = enter()
    page.goto(f"{site.address}/case/{stat}/")
    for seen in (".headline", ".because", "#report mark", ".spine svg", "aside button"):
        box = page.locator(seen).first.bounding_box()
        assert box is not None
        assert box["y"] + min(box["height"], 40) < 800, seen


def test_words_and_their_row_lead_to_each_other_by_keyboard(site: Site, enter: Enter, stat: int) -> None:
    page = enter()
    page.goto(f"{site.address}/case/{stat}/")
    badge = page.locator("#report .badge").first
    badge.focus()
    page.keyboard.press("Enter")
    row = page.locator("tr:target")
    expect(row).to_be_in_viewport()
    row.get_by_role("link").focus()
    page.keyboard.press("Enter")
    expect(page.locator("mark:target")).to_be_in_viewport()


def test_the_picture_of_the_spine_is_told_to_those_who_do_not_see_it(
    site: Site, enter: Enter, stat: int
) -> None:
    page = enter()
    page.goto(f"{site.address}/case/{stat}/")
    picture = page.get_by_role("img", name="Levels: ")
    expect(picture).to_be_visible()
    assert "T6" in str(picture.get_attribute("aria-label"))


def test_marking_words_takes_no_badge_along(site: Site, enter: Enter, stat: int) -> None:
    page = enter()
    page.goto(f"{site.address}/case/{stat}/")
    page.locator("#report").click(click_count=3)
    marked = page.evaluate("document.getSelection().toString()")
    badge = page.locator("#report .badge").first.inner_text()
    assert marked.strip()
    assert badge not in marked


def test_the_number_of_the_case_one_comes_from_is_no_row_of_the_findings(
    site: Site, enter: Enter, stat: int
) -> None:
    page = enter()
    page.goto(f"{site.address}/case/{stat}/", referer=f"{site.address}/case/0/")
    assert page.locator("tr#row-0").count() == 1
    assert page.evaluate("[scrollY, document.activeElement.tagName]") == [0, "BODY"]


def test_the_figure_stays_beside_the_text_and_off_the_tables(site: Site, enter: Enter, stat: int) -> None:
    page = enter()
    page.set_viewport_size({"width": 1280, "height": 500})
    page.goto(f"{site.address}/case/{stat}/")
    page.locator("#found-title").evaluate("title => title.scrollIntoView()")
    bottom, top = page.evaluate(
        """() => [
            document.querySelector(".spine svg").getBoundingClientRect().bottom,
            document.querySelector("#found-title").getBoundingClientRect().top,
        ]"""
    )
    assert bottom <= top


def test_keys_unfold_at_the_first_field_and_escape_folds(site: Site, enter: Enter) -> None:
    page = enter()
    page.keyboard.press("f")
    assert page.evaluate("document.activeElement.name") == "tier"
    page.keyboard.press("Escape")
    assert page.locator("details[open]").count() == 0
    page.keyboard.press("j")
    assert page.locator("tr[data-row]:focus").count() == 1
