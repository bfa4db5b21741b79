"""What allauth asks of us: how an account comes in, and how its second factor is named and kept."""

from __future__ import annotations

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.mfa.adapter import DefaultMFAAdapter
from django.http import HttpRequest

from review.models import Account


class Accounts(DefaultAccountAdapter):  # type: ignore[misc]
    """Nobody signs up, and no mail leaves the house."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Accounts are made by administrators."""
        return False

    def login(self, request: HttpRequest, user: Account) -> None:
        """Let the account in; one backend finds the accounts of all sessions."""
        user.backend = "review.backends.LocalAccounts"
        super().login(request, user)

    def send_mail(self, *_: Any, **__: Any) -> None:
        """Send nothing: accounts have no addresses."""


class SecondFactor(DefaultMFAAdapter):  # type: ignore[misc]
    """The code from the telephone."""
