"""What allauth asks of us: who comes in at the hospital's provider, and as which account."""

from __future__ import annotations

import base64
import hmac
import re
from typing import Any, NoReturn

from allauth.account.adapter import DefaultAccountAdapter
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from allauth.socialaccount.models import SocialLogin
from cryptography.fernet import Fernet
from django.conf import settings
from django.db import transaction
from django.http import HttpRequest
from django.shortcuts import render
from django.utils.crypto import salted_hmac

from review import administration, audit, caseload
from review.digests import digest_of
from review.models import Account

REFUSALS = {
    "nonce": "The answer of the hospital's login belongs to another browser. Log in again.",
    "roles": (
        "The hospital's login knows you, but none of your groups there has a role here. "
        "Ask your administrator which group you need."
    ),
    "closed": "Your account here was closed. Ask your administrator.",
    "provider": "The hospital's login did not let you in, or could not be reached. Try again.",
}


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
    """The code from the telephone; whoever reads the database cannot make codes, as the key is not in it."""

    def encrypt(self, text: str) -> str:
        """Return a secret as it is kept."""
        return _box().encrypt(text.encode()).decode()

    def decrypt(self, encrypted_text: str) -> str:
        """Return a secret that was kept."""
        return _box().decrypt(encrypted_text.encode()).decode()


class Hospital(DefaultSocialAccountAdapter):  # type: ignore[misc]
    """An account follows the subject at the provider, and its roles the claim at each login.

    A name or an address never leads to an account: the provider's `ann` and the local `ann` are two.
    """

    def pre_social_login(self, request: HttpRequest, sociallogin: SocialLogin) -> None:
        """Refuse who may not come in; give the others the roles of today."""
        account = sociallogin.user if sociallogin.is_existing else None
        nonce = str(sociallogin.claims["id_token"].get("nonce", ""))
        if not hmac.compare_digest(nonce, sociallogin.state.get("nonce") or "?"):
            _refuse(request, "nonce", account)
        sociallogin.roles = roles_of(sociallogin.claims)
        if account is not None and not account.is_active:
            _refuse(request, "closed", account)
        if not sociallogin.roles:
            _refuse(request, "roles", account)
        if account is not None:
            follow(account, sociallogin.roles)

    def is_open_for_signup(self, request: HttpRequest, sociallogin: SocialLogin) -> bool:
        """Whoever has a role gets an account at the first login."""
        return bool(sociallogin.roles)

    def populate_user(self, request: HttpRequest, sociallogin: SocialLogin, data: dict[str, Any]) -> Account:
        """Take over the name and nothing else."""
        account: Account = sociallogin.user
        account.username = free_name(str(data.get("username") or ""))
        return account

    def save_user(self, request: HttpRequest, sociallogin: SocialLogin, form: object = None) -> Account:
        """Store the account of somebody who comes for the first time."""
        account: Account = sociallogin.user
        account.origin = Account.Origin.OIDC
        account.set_unusable_password()
        with transaction.atomic():
            sociallogin.save(request)
            administration.put_roles(account, sociallogin.roles)
            _tell(account, sociallogin.roles, made=True)
        return account

    def on_authentication_error(self, request: HttpRequest, *_: Any, **__: Any) -> None:
        """Tell in plain words that nothing came of it."""
        _refuse(request, "provider", None)


def roles_of(claims: dict[str, dict[str, Any]]) -> set[str]:
    """Return the roles for the values of the claim; `a.b` also names a value within a value."""
    oidc = settings.LOGINS.oidc
    found: set[str] = set()
    for told in claims.values():
        value: Any = told.get(oidc.claim)
        if value is None:
            value = told
            for key in oidc.claim.split("."):
                value = value.get(key) if isinstance(value, dict) else None
        values = value if isinstance(value, list) else [value]
        found |= {oidc.roles[one] for one in values if isinstance(one, str) and one in oidc.roles}
    return found


def follow(account: Account, roles: set[str]) -> None:
    """Give the account the roles that its provider says today."""
    with transaction.atomic():
        locked = Account.objects.select_for_update(no_key=True).get(pk=account.pk)
        if locked.roles != roles:
            administration.put_roles(locked, roles)
            caseload.leave(locked, None)
            _tell(locked, roles)
    account.__dict__.pop("roles", None)


def free_name(wanted: str) -> str:
    """Return a name that no account holds, as near as can be to the one wanted."""
    name = base = re.sub(r"[^\w.@+-]", "", wanted)[:140] or "person"
    number = 1
    while Account.objects.filter(username=name).exists():
        number += 1
        name = f"{base}-{number}"
    return name


def _box() -> Fernet:
    key = salted_hmac("review.entering", "second factor", algorithm="sha256").digest()
    return Fernet(base64.urlsafe_b64encode(key))


def _tell(account: Account, roles: set[str], **detail: bool) -> None:
    audit.record(
        audit.Action.ACCOUNT_CHANGED,
        actor=audit.SYSTEM,
        subject=account.actor,
        origin=str(account.origin),
        roles=sorted(roles),
        row=digest_of("account", account),
        **detail,
    )


def _refuse(request: HttpRequest, why: str, account: Account | None) -> NoReturn:
    subject = account.actor if account else "account:unknown"
    audit.record(audit.Action.LOGIN_FAILED, actor=audit.SYSTEM, subject=subject, why=why)
    raise ImmediateHttpResponse(render(request, "account/refused.html", {"why": REFUSALS[why]}, status=403))
