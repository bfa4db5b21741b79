"""What every page has: nothing kept, nothing run from elsewhere, no endless session, first steps first."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import logout
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, resolve_url
from django_htmx.http import HttpResponseClientRedirect

from review import audit
from review.models import Account
from review.second_factor import is_due

log = logging.getLogger("spinetriage.pages")
Page = Callable[[HttpRequest], HttpResponseBase]
POLICY = (
    "default-src 'none'; script-src 'self'; connect-src 'self'; style-src 'self'; img-src 'self'; "
    "form-action 'self'; "
    "frame-ancestors 'none'; base-uri 'none'"
)
HEALTH = {"health", "health_ready", "health_queue"}
ALWAYS_OPEN = {"login", "logout", *HEALTH}
SECOND_FACTOR = {
    "password",
    "account_reauthenticate",
    "mfa_index",
    "mfa_activate_totp",
    "mfa_view_recovery_codes",
    "second_factor_picture",
}
SEEN_EVERY = 60  # seconds between two notes that a person is still there


def from_where(page: Page) -> Page:
    """Let the audit say from which address a page was asked for: behind a proxy, the one it tells."""

    def answer(request: HttpRequest) -> HttpResponseBase:
        with audit.coming_from(f"web {request.META.get('REMOTE_ADDR', '')}"):
            return page(request)

    return answer


def logged(page: Page) -> Page:
    """Tell the log who asked for which page and how long that took; nothing of what was asked for in it.

    An address that is none of ours may hold anything, and files of ours are not worth a line.
    """

    def answer(request: HttpRequest) -> HttpResponseBase:
        began = time.perf_counter()
        response = page(request)
        if (match := request.resolver_match) is not None:
            is_routine = match.url_name in HEALTH or _comes_by_itself(request)
            # An address that led nowhere may hold what somebody typed.
            path = request.path if response.status_code < 400 else match.url_name
            account = getattr(request, "_cached_user", None)
            log.log(
                logging.DEBUG if is_routine else logging.INFO,
                "%s %s: %s in %s ms, %s",
                request.method,
                path,
                response.status_code,
                round(1000 * (time.perf_counter() - began)),
                account.actor if isinstance(account, Account) else "nobody logged in",
            )
        return response

    return answer


def own_only(page: Page) -> Page:
    """Forbid pages to run or load anything of others: all answers, also refusals, redirects and files."""

    def answer(request: HttpRequest) -> HttpResponseBase:
        response = page(request)
        response.headers.setdefault("Content-Security-Policy", POLICY)
        return response

    return answer


def private_pages(page: Page) -> Page:
    """Forbid browsers and proxies to keep pages."""

    def answer(request: HttpRequest) -> HttpResponseBase:
        response = page(request)
        response["Cache-Control"] = "no-store"
        return response

    return answer


def limited_sessions(page: Page) -> Page:
    """Log out who did nothing for too long, and everybody after one long shift."""

    def answer(request: HttpRequest) -> HttpResponseBase:
        if request.user.is_authenticated and (reason := _overdue(request)):
            logout(request)
            messages.info(request, reason)
            response: HttpResponseBase = redirect_to_login(_way_back(request))
        else:
            response = page(request)
        if request.headers.get("HX-Request") and _leads_to_login(response):
            # Else the login page would show up in the middle of a list.
            return HttpResponseClientRedirect(resolve_url("login"))
        return response

    return answer


def _overdue(request: HttpRequest) -> str:
    """Note that the person is there, or say why the session ends; `review.signals` notes its begin."""
    now, session = int(time.time()), request.session
    entered, seen = session.get("entered", 0), session.get("seen", 0)
    limits = settings.LOGINS
    if now - entered >= limits.session_hours * 3600:
        return f"You were logged out {limits.session_hours} hours after your login. Log in again to go on."
    if now - seen >= limits.idle_minutes * 60:
        return f"You were logged out after {limits.idle_minutes} minutes without a click."
    if now - seen >= SEEN_EVERY and not _comes_by_itself(request):
        session["seen"] = now
    return ""


def _comes_by_itself(request: HttpRequest) -> bool:
    """Whether a page asked without its reader: a list that renews itself keeps nobody logged in."""
    if request.headers.get("X-By-Itself"):
        return True
    is_part = request.headers.get("HX-Request") and not request.headers.get("HX-Boosted")
    return request.method == "GET" and bool(is_part)


def _way_back(request: HttpRequest) -> str:
    return request.get_full_path() if request.method == "GET" else resolve_url("home")


def _leads_to_login(response: HttpResponseBase) -> bool:
    to = response.get("Location", "") if isinstance(response, HttpResponse) else ""
    return response.status_code == 302 and to.partition("?")[0] == resolve_url("login")


class FirstSteps:
    """Lets nobody do anything before the first password is changed and a second factor set up that is due."""

    def __init__(self, page: Page) -> None:
        self.page = page

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self.page(request)

    def process_view(self, request: HttpRequest, *_: object) -> HttpResponseBase | None:
        """Send the person to the step that comes first, whatever page was asked for."""
        name = request.resolver_match.url_name if request.resolver_match else None
        account = request.user
        if name in ALWAYS_OPEN or not isinstance(account, Account):
            return None
        if account.must_change_password:
            return None if name == "password" else redirect("password")
        if name not in SECOND_FACTOR and is_due(request, account):
            return redirect("mfa_activate_totp")
        return None
