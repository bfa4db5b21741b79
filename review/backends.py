"""Checking the password of an account that this installation keeps itself."""

from __future__ import annotations

from typing import Any

from axes.backends import AxesStandaloneBackend
from django.contrib.auth.backends import ModelBackend
from django.http import HttpRequest

from review.models import Account


class LocalAccounts(AxesStandaloneBackend, ModelBackend):  # type: ignore[misc]
    """Refuse who is locked out, then check the password; also finds the account of every session."""

    def authenticate(
        self, request: HttpRequest | None, username: str | None = None, password: str | None = None, **_: Any
    ) -> Account | None:
        """Return the account, or None; a locked login ends here, whatever other backend there is."""
        AxesStandaloneBackend.authenticate(self, request, username, password)
        account = ModelBackend.authenticate(self, request, username, password)
        is_ours = isinstance(account, Account) and account.origin == Account.Origin.LOCAL
        return account if is_ours else None
