"""Who has which roles, against the acts that gave them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from review.audit.chain import Action
from review.models import Account, AuditRow

Fault = dict[str, Any]


def right_faults() -> Iterator[Fault]:
    """Find accounts that got or lost roles, or were opened or closed, without an act of an administrator."""
    roles: dict[str, set[str]] = {}
    closed: dict[str, bool] = {}
    rows = AuditRow.objects.filter(action=Action.ACCOUNT_CHANGED).order_by("number")
    for subject, detail in rows.values_list("subject", "detail").iterator():
        if "role" in detail or "roles" in detail:
            roles[subject] = {detail["role"]} if "role" in detail else set(detail["roles"])
        if "closed" in detail:
            closed[subject] = detail["closed"]
    for account in Account.objects.prefetch_related("groups").order_by("pk"):
        if {group.name for group in account.groups.all()} != roles.get(account.actor, set()):
            yield {"row": None, "what": f"account {account.pk} has other roles than it was given"}
        if account.is_active == closed.get(account.actor, False):
            yield {"row": None, "what": f"account {account.pk} was opened or closed by nobody"}
