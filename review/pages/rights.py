"""The door of every page: the right that its reader needs."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponseBase

from review.access import AccessError, require
from review.models import Account

Page = Callable[..., HttpResponseBase]


def reader(request: HttpRequest) -> Account:
    """Return the person at the page; nobody comes in without having logged in."""
    if not isinstance(request.user, Account):
        raise PermissionDenied("Log in first.")
    return request.user


def needs(right: str) -> Callable[[Page], Page]:
    """Let a page open only for those who have the right; others are told which roles have it."""

    def guard(page: Page) -> Page:
        @wraps(page)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            try:
                require(reader(request), right)
            except AccessError as error:
                raise PermissionDenied(str(error)) from None
            return page(request, *args, **kwargs)

        return guarded

    return guard
