"""What every page has: nothing kept, nothing run from elsewhere, no first password kept for long."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect

from review.models import Account

Page = Callable[[HttpRequest], HttpResponseBase]
POLICY = (
    "default-src 'none'; script-src 'self'; connect-src 'self'; style-src 'self'; img-src 'self'; "
    "form-action 'self'; "
    "frame-ancestors 'none'; base-uri 'none'"
)
WITH_FIRST_PASSWORD = {"password", "login", "logout", "health", "health_ready", "health_queue"}


def private_pages(page: Page) -> Page:
    """Forbid browsers and proxies to keep pages, and pages to run or load anything of others."""

    def answer(request: HttpRequest) -> HttpResponseBase:
        response = page(request)
        response["Cache-Control"] = "no-store"
        response.headers.setdefault("Content-Security-Policy", POLICY)
        return response

    return answer


class FirstPassword:
    """Lets an account with its first password do nothing but change it."""

    def __init__(self, page: Page) -> None:
        self.page = page

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self.page(request)

    def process_view(self, request: HttpRequest, *_: object) -> HttpResponseBase | None:
        """Send the person to the page of the password, whatever page was asked for."""
        match = request.resolver_match
        account = request.user
        allowed = match is not None and match.url_name in WITH_FIRST_PASSWORD
        if isinstance(account, Account) and account.must_change_password and not allowed:
            return redirect("password")
        return None
