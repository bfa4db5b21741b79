"""No password is tried any more after too many wrong ones; built on django-axes.

Attempts are counted by name and by address, for names of accounts and for any other in the same way, so that
nothing tells whether an account exists. A name is kept as its keyed digest only.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from axes.handlers.database import AxesDatabaseHandler
from axes.models import AccessAttempt
from django.conf import settings
from django.db.models import Sum
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.crypto import salted_hmac

from review.models import Account


class Attempts(AxesDatabaseHandler):  # type: ignore[misc]
    """Counts the wrong passwords, with a limit of its own for each way to count them."""

    def get_failures(self, request: HttpRequest, credentials: dict[str, Any] | None = None) -> int:
        """Return the failures for this name from this address, or the limit when any way reached its own."""
        limits = settings.LOGINS.lockout
        counts = [
            attempts.aggregate(sum=Sum("failures_since_start"))["sum"] or 0
            for attempts in self.get_user_attempts(request, credentials)
        ]
        allowed = (limits.attempts, limits.attempts_on_name, limits.attempts_from_address)
        if any(count >= limit for count, limit in zip(counts, allowed, strict=True)):
            return int(settings.AXES_FAILURE_LIMIT)
        return min(counts[0], settings.AXES_FAILURE_LIMIT - 1)

    def reset_user_attempts(self, request: HttpRequest, credentials: dict[str, Any] | None = None) -> int:
        """Forget the failures of who got in, from there only: a login clears no address and no name."""
        count, _ = self.filter_user_attempts(request, credentials)[0].delete()
        return int(count)


def typed_name(request: HttpRequest, credentials: dict[str, Any] | None = None) -> str:
    """Return what stands for the name that was typed."""
    name = (credentials or {}).get("username") or request.POST.get("username", "")
    return _digest(str(name))


def somebody(*_: object) -> str:
    """Return what a log line calls a client: nothing that was typed, and no address."""
    return "a client"


def locked_page(request: HttpRequest, *_: object) -> HttpResponse:
    """Tell that no password is tried for a while, in the same words for every name."""
    context = {"minutes": settings.LOGINS.lockout.minutes}
    return render(request, "account/locked.html", context, status=429)


def locked(accounts: Iterable[Account]) -> set[int]:
    """Return the ids of those accounts whose name is locked, from some address or from all."""
    limits = settings.LOGINS.lockout
    since = timezone.now() - timedelta(minutes=limits.minutes)
    digests = {_digest(account.username): account.pk for account in accounts}
    recent = AccessAttempt.objects.filter(username__in=digests, attempt_time__gte=since)
    by_address = recent.values("username", "ip_address").annotate(sum=Sum("failures_since_start"))
    total: dict[str, int] = {}
    found = set()
    for row in by_address:
        total[row["username"]] = total.get(row["username"], 0) + row["sum"]
        if row["sum"] >= limits.attempts or total[row["username"]] >= limits.attempts_on_name:
            found.add(digests[row["username"]])
    return found


def unlock(account: Account) -> None:
    """Forget all wrong passwords for the name."""
    AccessAttempt.objects.filter(username=_digest(account.username)).delete()


def _digest(name: str) -> str:
    return salted_hmac("review.lockout", name, algorithm="sha256").hexdigest()
