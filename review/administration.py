"""What administrators do with accounts: roles, sources, closing and opening, first passwords, second factors.

Every act is one transaction with its audit row. The last administrator cannot be shut out.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from django.contrib.auth.models import Group
from django.db import transaction
from django.db.models import Q, QuerySet, prefetch_related_objects

from review import audit, caseload, lockout, second_factor
from review.access import AccessError
from review.digests import digest_of
from review.models import Account, Role

Origin = Account.Origin


def first_password() -> str:
    """Return a password that nobody guesses and that can be read out."""
    return "-".join(secrets.token_hex(3) for _ in range(4))


def named(name: str) -> Account:
    """Return the account of this name.

    Raises
    ------
    AccessError
        When there is none.
    """
    account = Account.objects.filter(username=name).first()
    if account is None:
        raise AccessError(f"There is no account {name!r}. `spinetriage user list` names them all.")
    return account


def listing(accounts: Iterable[Account] | None = None) -> list[dict[str, Any]]:
    """Return what administrators see of accounts, of all by name if none are given."""
    if accounts is None:
        accounts = Account.objects.order_by("username")
    some = list(accounts)
    prefetch_related_objects(some, "groups")
    locked, with_factor = lockout.locked(some), second_factor.holders(some)
    return [
        {
            "id": account.pk,
            "account": account.username,
            "roles": sorted(group.name for group in account.groups.all()),
            "state": _state(account, account.pk in locked),
            "last_login": account.last_login,
            "sources": account.sources,
            "second_factor": account.pk in with_factor,
            "origin": str(account.origin),
            "password": account.get_origin_display(),
        }
        for account in some
    ]


def _state(account: Account, is_locked: bool) -> str:
    if not account.is_active:
        return "closed"
    if is_locked:
        return "locked"
    return "first password" if account.must_change_password else "open"


def set_roles(account: Account, roles: Iterable[str], *, by: Account) -> None:
    """Give the account these roles and no others."""
    wanted = set(roles)
    if wanted - set(Role.values) or not wanted:
        raise AccessError(f"Choose one or several of the roles {', '.join(Role.values)}.")
    if account.origin != Origin.LOCAL:
        raise AccessError(
            f"The roles of {account.username} come with each login from {account.get_origin_display()}; "
            "change them there."
        )
    with _changed(account, by, roles=sorted(wanted), before=sorted(account.roles)) as locked:
        if Role.ADMIN not in wanted:
            _keep_an_admin(locked)
        put_roles(locked, wanted)
        caseload.leave(locked, by)


def put_roles(account: Account, roles: Iterable[str]) -> None:
    """Store the roles, as part of a transaction that says who gave them."""
    account.groups.set([Group.objects.get_or_create(name=role)[0] for role in sorted(roles)])
    account.__dict__.pop("roles", None)


def set_sources(account: Account, sources: Sequence[str], *, by: Account) -> None:
    """Limit the account to the reports of these sources; none = all."""
    with _changed(account, by, sources=len(sources), before=len(account.sources)) as locked:
        locked.sources = list(sources)
        locked.save(update_fields=["sources"])
        caseload.leave(locked, by)


def close(account: Account, *, by: Account) -> None:
    """Shut the account: its sessions end, and the cases it holds are free again."""
    with _changed(account, by, closed=True) as locked:
        _keep_an_admin(locked)
        locked.is_active = False
        _end_sessions(locked)
        locked.save(update_fields=["is_active", "session_number"])
        caseload.leave(locked, by)


def reopen(account: Account, *, by: Account) -> None:
    """Let a closed account in again, with the password it had."""
    with _changed(account, by, closed=False) as locked:
        locked.is_active = True
        locked.save(update_fields=["is_active"])


def reset_password(account: Account, *, by: Account) -> str:
    """Replace a forgotten password by a first one, which must be changed; all sessions end."""
    if account.origin != Origin.LOCAL:
        raise AccessError(
            f"The password of {account.username} is kept by {account.get_origin_display()}; change it there."
        )
    password = first_password()
    with _changed(account, by, audit.Action.PASSWORD_CHANGED) as locked:
        locked.set_password(password)
        locked.must_change_password = True
        _end_sessions(locked)
        locked.save(update_fields=["password", "must_change_password", "session_number"])
        lockout.unlock(locked)
    return password


def unlock(account: Account, *, by: Account) -> None:
    """Let the account try passwords again after too many wrong ones."""
    with _changed(account, by, unlocked=True) as locked:
        lockout.unlock(locked)


def reset_second_factor(account: Account, *, by: Account) -> None:
    """Forget a lost telephone: the next login asks for the password alone; all sessions end."""
    with _changed(account, by, audit.Action.SECOND_FACTOR_CHANGED, on=False) as locked:
        if not second_factor.forget(locked):
            raise AccessError(f"{account.username} has no second factor.")
        _end_sessions(locked)
        locked.save(update_fields=["session_number"])


@contextmanager
def _changed(
    account: Account, by: Account, action: audit.Action = audit.Action.ACCOUNT_CHANGED, **detail: object
) -> Iterator[Account]:
    """Lock the account for a change, and record it.

    All administrators are locked with it, in one order: two of them cannot close each other at once. Not so
    strictly that nobody may refer to the account: whoever writes a decision holds its case and does that,
    while closing the account waits for the case.
    """
    with transaction.atomic():
        of_both = Q(pk=account.pk) | Q(pk__in=_admins().values("pk"))
        rows = Account.objects.select_for_update(no_key=True).filter(of_both)
        locked = {row.pk: row for row in rows.order_by("pk")}[account.pk]
        yield locked
        row = digest_of("account", locked)
        audit.record(action, actor=by.actor, subject=locked.actor, row=row, **detail)


def _admins() -> QuerySet[Account]:
    return Account.objects.filter(groups__name=Role.ADMIN, is_active=True)


def _keep_an_admin(account: Account) -> None:
    if not _admins().exclude(pk=account.pk).exists() and _admins().filter(pk=account.pk).exists():
        raise AccessError(
            f"{account.username} is the only administrator. Give somebody else the role admin first."
        )


def _end_sessions(account: Account) -> None:
    account.session_number += 1
