"""What people write to a case, whatever its state."""

from __future__ import annotations

from django.db import transaction

from review import audit
from review.caseload.acts import Kind, locked, needed, tell
from review.models import Account


def comment(account: Account, case_id: int, text: str) -> None:
    """Write a comment; the same one sent twice in a row is taken once."""
    text = needed(text, "The comment is empty.")
    with transaction.atomic():
        case = locked(account, case_id)
        last = case.events.order_by("-id").first()
        if last and (last.kind, last.account_id, last.note) == (Kind.COMMENTED, account.pk, text):
            return
        tell(case, account, Kind.COMMENTED, audit.Action.CASE_COMMENTED, note=text)
