"""Who may do what, and see which sources: the one table, for pages and commands alike."""

from __future__ import annotations

from typing import TypeVar

from django.db.models import Model, QuerySet

from review.models import Account, Case, Role

T = TypeVar("T", bound=Model)


class AccessError(Exception):
    """An account is missing or may not do this; the text says the way out."""


_READERS = {Role.RADIOLOGIST, Role.LEAD}
_KEEPERS = {Role.LEAD, Role.AUDITOR, Role.OPERATOR, Role.ADMIN}

# Each page and command, and the roles that may use it.
RIGHTS: dict[str, frozenset[Role]] = {
    name: frozenset(roles)
    for name, roles in {
        "queue": _READERS | {Role.AUDITOR},
        "case": _READERS | {Role.AUDITOR},
        "decide": _READERS,  # everything that is done to a case
        "statistics": _READERS | {Role.AUDITOR, Role.ADMIN},
        "export": {Role.LEAD, Role.AUDITOR},  # the list as CSV, without text
        "labels": {Role.LEAD},  # decided cases with their text, for `evaluate`
        "explain": _READERS | {Role.AUDITOR},  # why a report was queued or not
        "runs": _KEEPERS,
        "rejected": _KEEPERS,
        "retry": {Role.LEAD, Role.OPERATOR},
        "discard": {Role.LEAD},
        "raw": {Role.LEAD},  # the bytes of a rejected input, which are a patient's
        "history": {Role.LEAD, Role.AUDITOR},  # the audit: who did what, and who looked at what
        "replay": {Role.LEAD, Role.AUDITOR},
        "audit_export": {Role.LEAD, Role.AUDITOR},
        "reread": {Role.LEAD},
        "erase": {Role.ADMIN},
        "hold": {Role.LEAD, Role.ADMIN},
        "backup": {Role.OPERATOR, Role.ADMIN},
        "alerts": _KEEPERS,
        "run": {Role.LEAD, Role.OPERATOR, Role.ADMIN},
        "verify": {Role.LEAD, Role.AUDITOR, Role.ADMIN},
        "accounts": {Role.ADMIN},
    }.items()
}


def may(account: Account, right: str) -> bool:
    """Whether one of the person's roles has the right; an unknown right is an error of the program."""
    return not RIGHTS[right].isdisjoint(account.roles)


def require(account: Account, right: str) -> None:
    """Refuse with an AccessError unless the person has the right."""
    if not may(account, right):
        needed = " or ".join(sorted(RIGHTS[right]))
        raise AccessError(
            f"The account {account.username!r} may not use {right!r}: that takes the role {needed}."
        )


def is_hidden(case: Case, account: Account) -> bool:
    """Whether this person must not see what the machine read, as the case waits to be read blind."""
    return case.hides_reading and may(account, "decide")


def visible(rows: QuerySet[T], account: Account, source: str = "source") -> QuerySet[T]:
    """Leave only rows of the sources that the person may see; `source` names their field."""
    return rows.filter(**{f"{source}__in": account.sources}) if account.sources else rows
