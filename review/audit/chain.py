"""The audit chain: who did what, in an order that nobody can change unseen.

Each row's HMAC covers the row and the HMAC of the row before; the key is not in the database, and the
chain's heads are also appended to a file outside of it, so that a cut tail is found too.
"""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol

from django.conf import settings
from django.db import transaction
from django.db.models import DateTimeField, Func

from review.audit.anchor import keep
from review.audit.origin import origin
from review.digests import canonical
from review.models import AuditHead, AuditRow

# What the HMAC of a row covers, after the HMAC of the row before.
ROW = ("number", "at", "actor", "action", "subject", "detail", "origin")
SYSTEM = "system"  # the actor where no person acted


class Action(StrEnum):
    """Everything that the audit records; the list is closed."""

    RUN_OPENED = "run.opened"
    RUN_CLOSED = "run.closed"
    RUN_TAKEN_OVER = "run.taken_over"
    SHARD_STORED = "shard.stored"
    SHARD_RESTATED = "shard.restated"
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
    INPUT_TAKEN_BACK = "input.taken_back"
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
    lock anyway), so call this last. When it happened is told by the database's clock, once the head is
    locked; from where, by `review.audit.origin`.

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
    with transaction.atomic(savepoint=False):
        head = _locked_head()
        row = AuditRow(
            number=head.number + 1,
            at=head.at,
            actor=actor,
            origin=origin(),
            action=action,
            subject=subject,
            detail=detail,
        )
        row.mac = row_mac(row, head.mac)
        row.save(force_insert=True)
        AuditHead.objects.filter(id=1).update(number=row.number, mac=row.mac)
        transaction.on_commit(lambda: keep(row.number, row.mac), robust=True)


class _Clock(Func):
    """The database's time of day: while a transaction waits for the head, its own start grows old."""

    output_field = DateTimeField()
    template = "CLOCK_TIMESTAMP()"
    sqlite_template = "STRFTIME('%%%%Y-%%%%m-%%%%d %%%%H:%%%%M:%%%%f', 'NOW')"  # milliseconds

    def as_sqlite(self, compiler: Any, connection: Any, **_: Any) -> Any:
        return self.as_sql(compiler, connection, template=self.sqlite_template)


class _Head(Protocol):
    number: int
    mac: str
    at: datetime


def _locked_head() -> _Head:
    """Lock the end of the chain, and read the clock in the same breath."""
    heads = AuditHead.objects.select_for_update().filter(id=1).annotate(at=_Clock())
    head = heads.first()
    if head is None:
        AuditHead.objects.bulk_create([AuditHead(id=1)], ignore_conflicts=True)
        head = heads.get()
    return head


def row_mac(row: AuditRow, before: str) -> str:
    """Return the HMAC of a row, given the HMAC of the row before it ("" for the first)."""
    values = (row.number, row.at, row.actor, row.action, row.subject, row.detail, row.origin)
    return mac_of(values, before, settings.AUDIT_KEY.encode())


def mac_of(values: Sequence[Any], before: str, key: bytes) -> str:
    """Return the HMAC of what `ROW` names of a row; early rows do not say from where they came."""
    *said, origin = values
    text = canonical([before, *said, origin] if origin else [before, *said])
    return hmac.digest(key, text.encode(), "sha256").hex()


def identity() -> str:
    """Return what tells this ledger from others: how its chain's first HMAC begins; "" without a chain."""
    return (AuditRow.objects.filter(number=1).values_list("mac", flat=True).first() or "")[:12]


def key_fits() -> bool:
    """Whether our key made the end of the chain; so it is while the chain is empty."""
    newest = list(AuditRow.objects.order_by("-number")[:2])
    if not newest:
        return True
    before = newest[1].mac if len(newest) > 1 else ""
    return hmac.compare_digest(row_mac(newest[0], before), newest[0].mac)
