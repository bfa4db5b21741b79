"""Passwords that the hospital's directory checks (LDAP); imported only where it is configured."""

from __future__ import annotations

import logging
from typing import Any

from django.conf import settings
from django.dispatch import receiver
from django.http import HttpRequest
from django_auth_ldap.backend import LDAPBackend, ldap_error

from review import entering
from review.models import Account

log = logging.getLogger("django.review.directory")
DOWN = "The hospital's directory cannot be asked just now. Try again, or tell your administrator."


class Directory(LDAPBackend):  # type: ignore[misc]
    """Bind as the person; the groups give the roles, at each login anew.

    An account of another origin is never entered this way: a local `ann` and the directory's `ann` are two,
    and the second does not come in before the first has another name.
    """

    def get_or_build_user(self, username: str, ldap_user: Any) -> tuple[Account, bool]:
        """Return the account of an entry that gave the right password, and whether it is new."""
        name = str(ldap_user.attrs.get(settings.LOGINS.ldap.user_attribute, [username])[0])
        account = Account.objects.filter(username=name).first()
        if account is not None and (account.origin != Account.Origin.LDAP or not account.is_active):
            raise ldap_user.AuthenticationFailed("not an open account of the directory")
        groups = settings.LOGINS.ldap.roles
        ldap_user.roles = {groups[group] for group in ldap_user.group_names if group in groups}
        if not ldap_user.roles:
            if ldap_user._request is not None:
                ldap_user._request.refusal = entering.REFUSALS["roles"]
            raise ldap_user.AuthenticationFailed("no group with a role")
        if account is not None:
            return account, False
        return Account(username=name, origin=Account.Origin.LDAP), True

    def authenticate_ldap_user(self, ldap_user: Any, password: str) -> Account | None:
        """Return the account with the roles of today, or None."""
        account: Account | None = super().authenticate_ldap_user(ldap_user, password)
        if account is not None:
            entering.follow(account, ldap_user.roles)
        return account


@receiver(ldap_error)
def _unreachable(exception: Exception, request: HttpRequest | None = None, **_: Any) -> None:
    log.error("the directory cannot be asked: %s", type(exception).__name__)
    if request is not None:
        request.refusal = DOWN  # type: ignore[attr-defined]
