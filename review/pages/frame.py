"""What stands around every page."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest

from review.access import may
from review.models import Account


def frame(request: HttpRequest) -> dict[str, Any]:
    """Give templates the site's name and the pages that this person may open."""
    account = getattr(request, "user", None)
    pages = [
        page
        for page in ("worklist", "runs", "rejected")
        if isinstance(account, Account) and may(account, page)
    ]
    return {"site_name": settings.SITE.name, "menu": pages}
