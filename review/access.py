"""Who may do what, and see which sources: the one table, for pages and commands alike."""

from __future__ import annotations

from django.db.models import QuerySet

from review.models import Account, Case, Role

_READERS = {Role.RADIOLOGIST, Role.LEAD}
_KEEPERS = {Role.LEAD, Role.AUDITOR, Role.OPERATOR, Role.ADMIN}

# Each page and command, and the roles that may use it.
RIGHTS: dict[str, frozenset[Role]] = {
    name: frozenset(roles)
    for name, roles in {
        "worklist": _READERS | {Role.AUDITOR},
        "case": _READERS | {Role.AUDITOR},
        "decide": _READERS,  # next, claim, extend, release, confirm, dismiss, return, reopen
        "explain": _READERS | {Role.AUDITOR},
        "runs": _KEEPERS,
        "rejected": _KEEPERS,
        "run": {Role.LEAD, Role.OPERATOR, Role.ADMIN},
        "verify": {Role.LEAD, Role.AUDITOR, Role.ADMIN},
        "accounts": {Role.ADMIN},
    }.items()
}


def may(account: Account, right: str) -> bool:
    """Whether one of the person's roles has the right; an unknown right is an error of the program."""
    return not RIGHTS[right].isdisjoint(account.roles)


def sees_source(account: Account, source: str) -> bool:
    """Whether the person may see reports of this source."""
    return not account.sources or source in account.sources


def visible(cases: QuerySet[Case], account: Account) -> QuerySet[Case]:
    """Leave only cases of the sources that the person may see."""
    return cases.filter(source__in=account.sources) if account.sources else cases
