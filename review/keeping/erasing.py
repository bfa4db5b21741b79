"""Erasing: what carries a patient's words or identity goes, and digests stand for it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from review import audit
from review.audit.erased import erasure_digest, left_digest
from review.audit.restating import restate
from review.blank import ERASABLE
from review.keeping import holds
from review.keeping.searches import forget_searches
from review.keeping.whose import Whose
from review.ledger.shards import chunks
from review.models import (
    Account,
    Case,
    CaseMark,
    ErasedRow,
    Erasure,
    Input,
    Report,
    Shard,
    Study,
)

Ids = dict[str, QuerySet[Any]]


class KeepingError(RuntimeError):
    """Words cannot be erased, or a hold not placed; the text says why and the way out."""


@dataclass(frozen=True, slots=True)
class Act:
    """Who erases, and why; nobody where a time of `[retention_days]` is over."""

    account: Account | None
    reason: str

    @property
    def action(self) -> audit.Action:
        """Return how the audit calls it."""
        return audit.Action.DATA_EXPIRED if self.account is None else audit.Action.TEXT_ERASED


def erase(account: Account, whose: Whose, reason: str, *, dry_run: bool = False) -> dict[str, int]:
    """Erase the words and the identity of a patient, a report or a rejected input, all or nothing.

    Returns
    -------
    dict of str to int
        The rows that lost their words, by table; what would be if `dry_run`.

    Raises
    ------
    KeepingError
        When a legal hold stands, or a case still waits for somebody to look at the report.
    """
    with transaction.atomic():
        counts = erase_rows(whose, Act(account, reason))
        if dry_run:
            transaction.set_rollback(True)
    return counts


def erase_rows(whose: Whose, act: Act) -> dict[str, int]:
    """Erase in the caller's transaction, which fails as `erase` does; return the rows by table."""
    reports = list(Report.objects.select_for_update().filter(pk__in=whose.reports).order_by("key"))
    _check(whose)
    _restate(whose)
    erasure = Erasure.objects.create(at=timezone.now(), account=act.account, reason=act.reason)
    rows: list[ErasedRow] = []
    for table, wanted in _wanted([report.pk for report in reports], whose).items():
        rows += _blank(table, wanted, erasure)
    CaseMark.objects.filter(case__report__in=reports).delete()
    if not rows:
        erasure.delete()
        return {}
    forget_searches()
    ErasedRow.objects.bulk_create(rows)
    counts = dict(Counter(row.table for row in rows))
    audit.record(
        act.action,
        actor=act.account.actor if act.account else audit.SYSTEM,
        subject=f"erasure:{erasure.pk}",
        erasure=erasure.pk,
        rows=counts,
        digest=erasure_digest(erasure, rows),
        left=left_digest(rows),
    )
    # Holds are placed under the lock of the chain's head, which is ours now: one placed meanwhile is seen.
    _check_holds(whose)
    return counts


def _check(whose: Whose) -> None:
    _check_holds(whose)
    cases = Case.objects.select_for_update().filter(report__in=whose.reports).order_by("pk")
    open_ = [case.name for case in cases if case.state == Case.State.WAITING or case.is_to_tell]
    if open_:
        raise KeepingError(
            f"{', '.join(open_)}: somebody still has to look at it, or to tell its result, and without words "
            "nobody could. Decide and tell first."
        )


def _check_holds(whose: Whose) -> None:
    kept = holds.numbers(whose.reports)
    studies = holds.held_studies(Study.objects.filter(pk__in=whose.studies)).count()
    raw = Input.objects.filter(pk__in=whose.inputs).exclude(raw=None)
    inputs = list(holds.of_inputs(raw))
    if kept or studies or inputs:
        raise KeepingError(
            f"A legal hold stands on {len(kept)} reports, {studies} studies and {len(inputs)} rejected "
            "inputs of these: nothing was erased. See `spinetriage hold list`."
        )


def _restate(whose: Whose) -> None:
    """Give every row that may be erased a digest of its own, which early shards did not."""
    mine = Q(inputs__version__report__in=whose.reports) | Q(inputs__in=whose.inputs)
    shards = Shard.objects.filter(mine).values_list("pk", flat=True).distinct()
    changed = [one for some in chunks(shards) for one in restate(some)]
    if changed:
        raise KeepingError(
            f"The shards {', '.join(map(str, changed))} are not as the audit says: nothing was erased. "
            "See `spinetriage audit verify`."
        )


def _wanted(reports: Sequence[int], whose: Whose) -> Ids:
    """Return the rows to erase by table, in the order of `ERASABLE`."""
    case = Q(case__report__in=reports)
    inputs = Q(version__report__in=reports) | Q(pk__in=whose.inputs)
    # The name of a file with one report may name the patient; a table's file belongs to many.
    files = Q(items=1) & (Q(inputs__version__report__in=reports) | Q(inputs__in=whose.inputs))
    by: dict[str, Q] = {
        "decision": case,
        "event": case,
        "correction": case,
        "communication": case,
        "reading": Q(version__report__in=reports),
        "version": Q(report__in=reports),
        "input": inputs,
        "portion": files,
        "study": Q(pk__in=whose.studies),
        "hold": Q(pk__in=whose.holds),
    }
    return {table: kind.rows().filter(by[table]).order_by("pk") for table, kind in ERASABLE.items()}


def _blank(table: str, wanted: QuerySet[Any], erasure: Erasure) -> list[ErasedRow]:
    """Take the words from rows of a table; return what stands for them. Those erased before are left out."""
    kind = ERASABLE[table]
    rows = {row.pk: row for row in wanted}
    done: set[int] = set()
    for some in chunks(rows):
        done.update(ErasedRow.objects.filter(table=table, row__in=some).values_list("row", flat=True))
    fresh = [row for pk, row in rows.items() if pk not in done and (kind.always or not kind.is_blank(row))]
    erased = [ErasedRow(erasure=erasure, table=table, row=row.pk, digest=kind.digest(row)) for row in fresh]
    if fresh:
        names: set[str] = set()
        for row in fresh:
            for name, value in kind.left(row).items():
                setattr(row, name, value)
                names.add(name)
        type(fresh[0]).objects.bulk_update(fresh, sorted(names), batch_size=100)
    return erased
