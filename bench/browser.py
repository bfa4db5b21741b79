"""A browser as far as the bench needs one: cookies, forms, redirects, and how long every answer took."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass, field
from html import unescape
from html.parser import HTMLParser

import httpx

MESSAGE = re.compile(r'<p class="message ([^"]*)" role="status">(.*?)</p>', re.DOTALL)


@dataclass
class Form:
    """Where a form goes, and what it holds before anybody types."""

    action: str
    fields: dict[str, str] = field(default_factory=dict)


class _Forms(HTMLParser):
    """Finds the forms of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[Form] = []
        self.choice = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        told = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.found.append(Form(told.get("action", "")))
        elif not self.found:
            return
        elif tag in {"input", "textarea"} and "name" in told:
            self.found[-1].fields[told["name"]] = told.get("value", "")
        elif tag == "select":
            self.choice = told.get("name", "")
        elif tag == "option" and "selected" in told:
            self.found[-1].fields[self.choice] = told.get("value", "")


@dataclass
class Page:
    """What came, after all redirects."""

    path: str
    text: str
    is_redirected: bool

    @property
    def forms(self) -> list[Form]:
        return _Forms(self.text).found

    def form(self, ending: str) -> Form | None:
        """Return the first form that goes to an address with this ending."""
        return next((form for form in self.forms if form.action.endswith(ending)), None)

    @property
    def refusal(self) -> str:
        """The first sentence of what was refused; "" when nothing was."""
        told = [unescape(text) for tags, text in MESSAGE.findall(self.text) if "error" in tags]
        return told[0].partition(". ")[0].rstrip(".") if told else ""


class Browser:
    """One person's session. Redirects are followed by hand, so that every answer is timed by itself."""

    def __init__(self, address: str) -> None:
        self.client = httpx.Client(base_url=address, timeout=300)
        self.seconds: list[float] = []
        self.statuses: list[int] = []

    def get(self, at: str) -> Page:
        return self._follow(self._ask("GET", at))

    def send(self, form: Form, **fields: str) -> Page:
        return self._follow(self._ask("POST", form.action, form.fields | fields))

    def _ask(self, method: str, at: str, data: dict[str, str] | None = None) -> httpx.Response:
        begin = time.perf_counter()
        response = self.client.request(method, at, data=data)
        self.seconds.append(time.perf_counter() - begin)
        self.statuses.append(response.status_code)
        return response

    def _follow(self, response: httpx.Response) -> Page:
        redirects = 0
        while response.is_redirect:
            redirects += 1
            response = self._ask("GET", response.headers["Location"])
        return Page(response.url.path, response.text, redirects > 0)
