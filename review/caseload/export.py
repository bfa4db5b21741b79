"""The list as a table for other programs: what is shown, without report text and without names."""

from __future__ import annotations

import csv
import hashlib
import io
from typing import Any

from django.db.models import QuerySet

from review import audit
from review.caseload.acts import ORDER
from review.caseload.listing import Row, rows_of
from review.formulas import harmless
from review.models import Account, Case

HEADINGS = (
    "case", "tier", "status", "waiting_minutes", "limit_minutes", "overdue", "escalation", "first_arrival",
    "patient", "study", "why", "source", "claimed_by", "assigned_to",
)  # fmt: skip


def as_csv(account: Account, cases: QuerySet[Case]) -> str:
    """Return all cases of a list as CSV in the order of the list, and record that they were exported."""
    ids = list(cases.order_by(*ORDER).values_list("pk", flat=True))
    file = io.StringIO()
    table = csv.writer(file)
    table.writerow(HEADINGS)
    for row in rows_of(account, ids):
        table.writerow(harmless(str(cell)) for cell in _cells(row))
    digest = hashlib.sha256(repr(ids).encode()).hexdigest()
    audit.record(
        audit.Action.EXPORTED, actor=account.actor, subject=account.actor, count=len(ids), cases=digest
    )
    return file.getvalue()


def _cells(row: Row) -> tuple[Any, ...]:
    case = row.case
    return (
        case.name,
        row.tier,
        case.status,
        row.standing.waiting_minutes,
        row.standing.limit_minutes,
        "yes" if row.standing.is_overdue else "no",
        row.escalation,
        case.first_arrival.isoformat(timespec="seconds"),
        row.patient,
        row.study,
        row.why,
        case.source,
        case.claimed_by_id if case.is_claimed else "",
        case.assigned_to_id or "",
    )
