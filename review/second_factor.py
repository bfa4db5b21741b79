"""The code of a telephone beside the password of a local account."""

from __future__ import annotations

from collections.abc import Iterable

from allauth.mfa.models import Authenticator
from django.conf import settings
from django.http import HttpRequest

from review.models import Account

DONE = "second_factor"  # in the session of an account that has it, so that it is asked for once


def is_due(request: HttpRequest, account: Account) -> bool:
    """Whether a role of the account needs a second factor that is not set up yet."""
    is_needed = account.origin == Account.Origin.LOCAL and not settings.LOGINS.second_factor.isdisjoint(
        account.roles
    )
    if not is_needed or request.session.get(DONE):
        return False
    if holders([account]):
        request.session[DONE] = True
        return False
    return True


def holders(accounts: Iterable[Account]) -> set[int]:
    """Return the ids of those accounts that have a second factor."""
    totp = Authenticator.objects.filter(type=Authenticator.Type.TOTP, user__in=list(accounts))
    return set(totp.values_list("user_id", flat=True))


def forget(account: Account) -> bool:
    """Remove the second factor with its recovery codes; False when there was none."""
    return bool(Authenticator.objects.filter(user=account).delete()[0])
