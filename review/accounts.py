"""Accounts: making them, and finding the one that a command acts as."""

from __future__ import annotations

from collections.abc import Sequence

from django.contrib.auth.hashers import UNUSABLE_PASSWORD_PREFIX
from django.contrib.auth.models import Group
from django.core.exceptions import ValidationError
from django.db import transaction

from review import audit
from review.access import AccessError
from review.administration import first_password
from review.digests import digest_of
from review.models import Account, Role

SAMPLE = "sample"


def add_user(
    name: str, role: str, os_user: str = "", sources: Sequence[str] = (), *, by: Account | None = None
) -> str:
    """Make an account and return its first password, which must be changed at the first login.

    Parameters
    ----------
    os_user
        The operating-system user who acts as this account on the command line; "" = none.
    sources
        The sources whose reports the person may see; none named = all.
    by
        The person who makes it; None where there is nobody yet.

    Raises
    ------
    AccessError
        When the role is unknown, or the name or the operating-system user is taken.
    """
    _check(name, role, os_user)
    password = first_password()
    _make(name, role, os_user, sources, password, by)
    return password


def has_admin() -> bool:
    """Whether there is somebody who may make accounts."""
    return Account.objects.filter(groups__name=Role.ADMIN, is_active=True).exists()


def has_login() -> bool:
    """Whether there is somebody who can log in to the pages."""
    open_accounts = Account.objects.filter(is_active=True)
    return open_accounts.exclude(password__startswith=UNUSABLE_PASSWORD_PREFIX).exists()


def ensure_sample(os_user: str, sources: Sequence[str]) -> None:
    """Map the user of the system to the account `sample`, which sees these sources only and cannot log in.

    Nothing happens when the user is mapped already, or the sample account is somebody else's.
    """
    taken = Account.objects.filter(os_user=os_user) | Account.objects.filter(username=SAMPLE)
    if not taken.exists():
        _make(SAMPLE, Role.LEAD, os_user, sources, None, None)


def account_for(as_name: str | None, os_user: str) -> Account:
    """Return the account that a command acts as: the one named, else the one of the system's user.

    Raises
    ------
    AccessError
        When there is none, or it was closed.
    """
    if as_name:
        account = Account.objects.filter(username=as_name).first()
        missing = f"There is no account {as_name!r}. Make it: `spinetriage user add`."
    else:
        account = Account.objects.filter(os_user=os_user).first()
        missing = (
            f"The operating-system user {os_user!r} is mapped to no account, and this command acts as "
            "a named one. Name it with --as NAME, or make one: "
            "`spinetriage user add NAME --role ROLE --os-user USER`."
        )
    if account is None:
        raise AccessError(missing)
    if not account.is_active:
        raise AccessError(f"The account {account.username!r} was closed. Act as another one with --as NAME.")
    return account


def _check(name: str, role: str, os_user: str) -> None:
    if role not in Role.values:
        raise AccessError(f"{role!r} is no role; the roles are {', '.join(Role.values)}.")
    try:
        Account.username_validator(name)
    except ValidationError:
        raise AccessError(f"{name!r} cannot be a name: use letters, digits and @ . + - _ only.") from None
    if Account.objects.filter(username=name).exists():
        raise AccessError(f"There is an account {name!r} already; choose another name.")
    if os_user and Account.objects.filter(os_user=os_user).exists():
        raise AccessError(f"The operating-system user {os_user!r} is mapped to an account already.")


def _make(  # noqa: PLR0917 - all of them always
    name: str, role: str, os_user: str, sources: Sequence[str], password: str | None, by: Account | None
) -> None:
    with transaction.atomic():
        account = Account.objects.create_user(
            username=name,
            password=password,
            must_change_password=True,
            os_user=os_user or None,
            sources=list(sources),
        )
        account.groups.add(Group.objects.get_or_create(name=role)[0])
        actor = by.actor if by else audit.SYSTEM
        audit.record(
            audit.Action.ACCOUNT_CHANGED,
            actor=actor,
            subject=account.actor,
            made=True,
            role=role,
            row=digest_of("account", account),
        )
