"""How often one account may ask for what is expensive; counted in the database, for all web processes."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.conf import settings
from django.db.models import F
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import render
from django.utils import timezone

from review.models import Account, Use
from review.pages.rights import reader

Page = Callable[..., HttpResponseBase]


def paced(what: str) -> Callable[[Page], Page]:
    """Answer 429 to an account that asks more often in a minute than `[pace]` of logins.toml allows.

    Stands below `@needs`, so that only those are counted who may ask at all.
    """

    def guard(page: Page) -> Page:
        @wraps(page)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if _count(reader(request), what) > getattr(settings.LOGINS.pace, what):
                response = render(request, "429.html", status=429)
                response["Retry-After"] = "60"
                return response
            return page(request, *args, **kwargs)

        return guarded

    return guard


def _count(account: Account, what: str) -> int:
    """Count one use; return how many there were in this minute.

    One UPDATE counts. Two first uses of a minute at once may count as one, which does no harm.
    """
    minute = timezone.now().replace(second=0, microsecond=0)
    row = Use.objects.filter(account=account, what=what, minute=minute)
    if not row.update(count=F("count") + 1):
        Use.objects.update_or_create(account=account, what=what, defaults={"minute": minute, "count": 1})
    return row.values_list("count", flat=True).first() or 1
