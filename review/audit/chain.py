"""The audit chain: who did what, in an order that nobody can change unseen.

Each row's HMAC covers the row and the HMAC of the row before; the key is not in the database, and the
chain's heads are also appended to a file outside of it, so that a cut tail is found too.
"""

from __future__ import annotations

import hashlib
import hmac
import os
from datetime import UTC
from enum import StrEnum
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from review.digests import canonical
from review.models import AuditHead, AuditRow

SYSTEM = "system"  # the actor where no person acted


class Action(StrEnum):
    """Everything that the audit records; the list is closed."""

    RUN_OPENED = "run.opened"
    RUN_CLOSED = "run.closed"
    RUN_TAKEN_OVER = "run.taken_over"
    SHARD_STORED = "shard.stored"
    CASE_READ = "case.read"
    CASE_CLAIMED = "case.claimed"
    CASE_EXTENDED = "case.extended"
    CASE_RELEASED = "case.released"
    CASE_DECIDED = "case.decided"
    CASE_RETURNED = "case.returned"
    CASE_REOPENED = "case.reopened"
    CASE_TAKEN_OVER = "case.taken_over"
    CASE_ASSIGNED = "case.assigned"
    CASE_COMMENTED = "case.commented"
    CASE_CORRECTED = "case.corrected"
    CASE_TOLD = "case.told"
    CASE_ESCALATED = "case.escalated"
    CLAIM_EXPIRED = "case.claim_expired"
    SAMPLE_DRAWN = "sample.drawn"
    INPUT_RETRIED = "input.retried"
    INPUT_DISCARDED = "input.discarded"
    INPUT_RAW_READ = "input.raw_read"
    RUN_REPLAYED = "run.replayed"
    RULES_APPLIED = "rules.applied"
    AUDIT_READ = "audit.read"
    AUDIT_VERIFIED = "audit.verified"
    AUDIT_EXPORTED = "audit.exported"
    TEXT_ERASED = "text.erased"
    DATA_EXPIRED = "data.expired"
    HOLD_PLACED = "hold.placed"
    HOLD_LIFTED = "hold.lifted"
    BACKUP_MADE = "backup.made"
    BACKUP_RESTORED = "backup.restored"
    ALERT_OPENED = "alert.opened"
    ALERT_CLOSED = "alert.closed"
    LIST_READ = "list.read"
    LIST_SEARCHED = "list.searched"
    EXPORTED = "exported"
    REPORT_READ = "report.read"
    REPORT_EXPLAINED = "report.explained"
    ACCOUNT_CHANGED = "account.changed"
    LOGGED_IN = "account.logged_in"
    LOGGED_OUT = "account.logged_out"
    LOGIN_FAILED = "account.login_failed"
    LOGIN_LOCKED = "account.locked"
    SECOND_FACTOR_CHANGED = "account.second_factor"
    PASSWORD_CHANGED = "account.password_changed"  # noqa: S105 - the name of an act


def record(action: Action, *, actor: str, subject: str, **detail: Any) -> None:
    """Add a row to the chain, in the transaction of the act itself.

    The head of the chain is locked until that transaction ends (on SQLite the transaction holds the write
    lock anyway), so call this last.

    Parameters
    ----------
    action
        One of the closed list.
    actor
        `account:ID`, or `SYSTEM`.
    subject
        What was acted on, as `kind:ID`.
    **detail
        Ids, numbers and digests only; never a name or a text of a report.
    """
    with transaction.atomic():
        AuditHead.objects.bulk_create([AuditHead(id=1)], ignore_conflicts=True)
        head = AuditHead.objects.select_for_update().get(id=1)
        row = AuditRow(
            number=head.number + 1,
            at=timezone.now(),
            actor=actor,
            action=action,
            subject=subject,
            detail=detail,
        )
        row.mac = head.mac = row_mac(row, head.mac)
        head.number = row.number
        row.save(force_insert=True)
        head.save()
        transaction.on_commit(lambda: _anchor(row), robust=True)


def row_mac(row: AuditRow, before: str) -> str:
    """Return the HMAC of a row, given the HMAC of the row before it ("" for the first)."""
    at = row.at.astimezone(UTC).isoformat()
    text = canonical([before, row.number, at, row.actor, row.action, row.subject, row.detail])
    return hmac.new(settings.AUDIT_KEY.encode(), text.encode(), hashlib.sha256).hexdigest()


def key_fits() -> bool:
    """Whether our key made the end of the chain; so it is while the chain is empty."""
    newest = list(AuditRow.objects.order_by("-number")[:2])
    if not newest:
        return True
    before = newest[1].mac if len(newest) > 1 else ""
    return hmac.compare_digest(row_mac(newest[0], before), newest[0].mac)


def _anchor(row: AuditRow) -> None:
    """Append the head to the file outside the database; one short write, so that lines do not mix."""
    handle = os.open(settings.AUDIT_ANCHOR, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        os.write(handle, f"{row.number} {row.mac}\n".encode())
    finally:
        os.close(handle)


def anchored() -> dict[int, str]:
    """Return the heads kept outside the database: HMACs by row number."""
    heads = {}
    file = Path(settings.AUDIT_ANCHOR)
    if file.exists():
        with file.open(encoding="ascii") as lines:
            for line in lines:
                number, _, mac = line.partition(" ")
                heads[int(number)] = mac.strip()
    return heads
