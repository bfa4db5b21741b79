"""A walk by each role through everything it can reach: every link followed, every form sent.

Seeded, in this process, over a few cases. No page may break, none may offer what the role may not do, none
may show a patient of a source that the person does not see.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urljoin, urlsplit

import pytest
from django.test import Client
from django.urls import Resolver404, resolve

from review.models import Role

pytestmark = [pytest.mark.database, pytest.mark.django_db]
Make = Callable[..., Any]
HIDDEN = "HIDDEN-PATIENT"
STEPS = 40  # pages and forms of one walk
HOSTILE = (
    "", "0", "-1", "1", "9" * 30, "x" * 3000, "a\0b", "'\"><script>alert(1)</script>", "{{ 7 }}", "%s%n",
    "٣", "\u202eabc", "' OR 1=1 --", "../../etc/passwd", "😀",
)  # fmt: skip
ENDS = {"logout", "account_act"}  # a walk goes on; what administrators do to others has tests of its own
VOID = {"meta", "link", "br", "hr", "img", "input", "source", "col", "wbr", "area", "base"}
# Of SVG: written closed in itself.
LOOSE = {"path", "line", "rect", "circle", "use", "polygon", "polyline", "ellipse", "stop"}


class Page(HTMLParser):
    """The links and forms of a page, whose tags must close in the order in which they opened."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.forms: list[dict[str, Any]] = []
        self.open: list[str] = []
        self.feed(text)
        self.close()
        assert not self.open, f"never closed: {self.open}"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        at = {name: value or "" for name, value in attrs}
        assert len(at) == len(attrs), f"<{tag}> has an attribute twice"
        if tag not in VOID | LOOSE:
            self.open.append(tag)
        if tag == "a" and "href" in at:
            self.links.append(at["href"])
        elif tag == "form":
            self.forms.append(
                {"method": at.get("method", "get"), "action": at.get("action", ""), "fields": {}}
            )
        elif tag in ("input", "select", "textarea", "button") and self.forms and at.get("name"):
            self.forms[-1]["fields"].setdefault(at["name"], []).append(at.get("value", ""))
        elif tag == "option" and self.forms and self.forms[-1]["fields"]:
            list(self.forms[-1]["fields"].values())[-1].append(at.get("value", ""))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if self.open and self.open[-1] == tag:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        if tag in VOID | LOOSE:
            return
        assert self.open, f"</{tag}> closes nothing"
        assert self.open[-1] == tag, f"</{tag}> within <{self.open[-1]}>"
        self.open.pop()


def local(url: str, at: str) -> str:
    """Return the address within our pages that a link leads to, or nothing."""
    parts = urlsplit(urljoin(f"http://testserver{at}", url))
    if parts.netloc != "testserver" or parts.scheme != "http" or parts.path.startswith("/static/"):
        return ""
    return parts._replace(scheme="", netloc="", fragment="").geturl()


def name_of(url: str) -> str | None:
    try:
        return resolve(urlsplit(url).path).url_name
    except Resolver404:
        return None


class Walk:
    """One role's walk."""

    def __init__(self, client: Client, seed: str) -> None:
        self.client = client
        self.chance = random.Random(seed)  # noqa: S311 - a walk that can be walked again
        self.seen: set[tuple[str, Any]] = set()
        self.waiting: list[tuple[str, str, dict[str, Any]]] = [("GET", "/", {})]
        self.answers: dict[str, int] = {}

    def go(self) -> None:
        for _ in range(STEPS):
            if not self.waiting:
                break
            method, url, fields = self.waiting.pop(self.chance.randrange(len(self.waiting)))
            self.look(method, url, fields)

    def look(self, method: str, url: str, fields: dict[str, Any]) -> None:
        if method == "POST":
            response = self.client.post(url, fields, follow=True)
        else:
            response = self.client.get(url, fields or None, follow=True)
        at = f"{method} {url} {fields}"
        self.answers[at] = response.status_code
        assert response.status_code in (200, 400, 404, 409, 422, 429), f"{at}: {response.status_code}"
        body = b"".join(response) if response.streaming else response.content
        assert HIDDEN.encode() not in body, at
        if response["Content-Type"].startswith("text/html") and body:
            self.collect(Page(body.decode()), response.request["PATH_INFO"])

    def collect(self, page: Page, at: str) -> None:
        for link in page.links:
            url = local(link, at)
            self.add("GET", url, {}, (url,))
        for form in page.forms:
            url = local(form["action"], at)
            shape = (urlsplit(url).path, tuple(sorted(form["fields"])))
            for turn in range(2):
                fields = {
                    name: self.chance.choice([*values, *HOSTILE]) if turn else self.chance.choice(values)
                    for name, values in form["fields"].items()
                }
                self.add(form["method"].upper(), url, fields, (*shape, turn))

    def add(self, method: str, url: str, fields: dict[str, Any], shape: tuple[Any, ...]) -> None:
        if url and name_of(url) not in ENDS and (method, shape) not in self.seen:
            self.seen.add((method, shape))
            self.waiting.append((method, url, fields))


@pytest.mark.parametrize("role", Role.values)
def test_a_role_walks_through_all_it_can_reach(
    role: str, person: Make, deliver: Make, version: Make, case_of: Make
) -> None:
    deliver(
        *(version(f"A{number}", tier) for number, tier in enumerate(("stat", "urgent", "soon", "unread")))
    )
    deliver(version("H1", patient_id=HIDDEN, accession=HIDDEN), source="elsewhere")
    client = Client()
    client.force_login(person(role, sources=("inbox",)))
    walk = Walk(client, role)
    walk.go()
    assert sum(status == 200 for status in walk.answers.values()) > 10
    assert client.get(f"/case/{case_of('H1').pk}/").status_code in (403, 404)


def test_a_walk_finds_a_page_that_is_broken() -> None:
    for broken in ("<p><b>x</p></b>", "<div>", "</div>", '<a href="1" href="2">x</a>'):
        with pytest.raises(AssertionError):
            Page(broken)
    page = Page('<form method="post" action="/x/"><input name="a" value="1"></form><a href="?page=2">n</a>')
    assert page.forms == [{"method": "post", "action": "/x/", "fields": {"a": ["1"]}}]
    assert local(page.links[0], "/runs/") == "/runs/?page=2"
    assert local("https://elsewhere.example/", "/") == ""
