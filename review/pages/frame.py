"""What stands around every page."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest

from review.access import may
from review.models import Account

MENU = (
    ("worklist", "queue", "Worklist"),
    ("runs", "runs", "Runs"),
    ("rejected", "rejected", "Rejected"),
    ("alerts", "alerts", "Alerts"),
    ("why", "explain", "Why not queued?"),
    ("history", "history", "Who did what"),
    ("statistics", "statistics", "Statistics"),
    ("accounts", "accounts", "Accounts"),
)


def frame(request: HttpRequest) -> dict[str, Any]:
    """Give templates the site's name and the pages that this person may open."""
    account = getattr(request, "user", None)
    menu: list[tuple[str, str]] = []
    if isinstance(account, Account) and not account.must_change_password:
        menu = [(page, title) for page, right, title in MENU if may(account, right)]
    return {"site_title": settings.SITE.name, "menu": menu}
