"""What stands for rows that lost their words, and the proof that nothing else did.

An erasure is vouched for by its row of the audit, with a digest over everything that it took; each row that
it took must be there, and be nothing but its blank form. A row without words that no erasure names differs
from the digest that the audit vouches for, and is found there.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby
from operator import itemgetter
from typing import Any

from django.db.models import Model

from review.audit.chain import Action
from review.blank import ERASABLE, hold_digest
from review.digests import canonical, sha256
from review.models import AuditRow, ErasedRow, Erasure, LegalHold

Fault = dict[str, Any]
WINDOW = 20_000  # row numbers that are asked for at once
PIECE = 500  # erased rows looked at at once
WINDOWS = 8  # kept in memory: who verifies goes through a table nearly in order


class Erased:
    """The digests before erasure of one table, by row; asked for in windows, so that memory stays flat."""

    def __init__(self, table: str) -> None:
        self._rows = ErasedRow.objects.filter(table=table)
        self._windows: dict[int, dict[int, str]] = {}
        self._any = self._rows.exists()

    def get(self, row: int, default: str = "") -> str:
        """Return the digest that the row had; `default` when it was not erased."""
        if not self._any:
            return default
        number = row // WINDOW
        if number not in self._windows:
            if len(self._windows) == WINDOWS:
                del self._windows[next(iter(self._windows))]
            there = self._rows.filter(row__gte=number * WINDOW, row__lt=(number + 1) * WINDOW)
            self._windows[number] = dict(there.values_list("row", "digest"))
        return self._windows[number].get(row, default)

    def __contains__(self, row: int) -> bool:
        return bool(self.get(row))


def erased(table: str) -> Erased:
    """Return the digests before erasure, by row id, of a table of `review.blank.ERASABLE`."""
    return Erased(table)


def erasure_digest(erasure: Erasure, rows: Iterable[ErasedRow]) -> str:
    """Return the digest of an erasure: who, when, why, and everything that it took, in whatever order."""
    lines = sorted(f"{row.table} {row.row} {row.digest}" for row in rows)
    return sha256(canonical([erasure.pk, erasure.at, erasure.account_id, erasure.reason, lines]))


def left_digest(rows: Iterable[ErasedRow]) -> str:
    """Return the digest of what an erasure left of the rows that it took: verdicts, times, ids."""
    lines: list[str] = []
    for table, there in _left(rows):
        digest = ERASABLE[table].digest
        lines += (f"{table} {pk} {digest(row) if row else ''}" for pk, row in there.items())
    return sha256(canonical(sorted(lines)))


def _left(rows: Iterable[ErasedRow]) -> Iterator[tuple[str, dict[int, Model | None]]]:
    """Yield the rows as they are now, piece by piece; None for one that is not there."""
    taken = sorted((row.table, row.row) for row in rows)
    for table, some in groupby(taken, key=itemgetter(0)):
        all_ids = [pk for _, pk in some]
        for start in range(0, len(all_ids), PIECE):
            ids = all_ids[start : start + PIECE]
            there = ERASABLE[table].rows().in_bulk(ids) if table in ERASABLE else {}
            yield table, {pk: there.get(pk) for pk in ids}


def erasure_faults() -> Iterator[Fault]:
    """Find erasures that nobody made, rows that were erased though none says so, and words that came back."""
    rows = AuditRow.objects.filter(action__in=(Action.TEXT_ERASED, Action.DATA_EXPIRED))
    vouched = {
        detail["erasure"]: (number, detail)
        for number, detail in rows.values_list("number", "detail").iterator()
        if "erasure" in detail
    }
    nobody: tuple[int | None, dict[str, Any]] = (None, {})
    for erasure in Erasure.objects.order_by("pk").iterator():
        number, said = vouched.pop(erasure.pk, nobody)
        taken = list(erasure.rows.all())
        wrong = list(_wrongly_blank(taken))
        if number is None:
            yield {"row": None, "what": f"erasure {erasure.pk} stands in no row of the audit"}
        elif erasure_digest(erasure, taken) != said["digest"]:
            yield {"row": number, "what": f"erasure {erasure.pk}, or what it took, was changed"}
        elif not wrong and left_digest(taken) != said["left"]:
            yield {"row": number, "what": f"what erasure {erasure.pk} left of its rows was changed"}
        yield from ({"row": number, "what": what} for what in wrong)
    for missing, (number, _) in vouched.items():
        yield {"row": number, "what": f"erasure {missing} is not there"}
    yield from _hold_faults()


def _wrongly_blank(taken: list[ErasedRow]) -> Iterator[str]:
    for table, there in _left(taken):
        kind = ERASABLE.get(table)
        if kind is None:
            yield f"nothing can be erased from a table {table!r}"
            continue
        for pk, row in there.items():
            if row is None:
                yield f"{table} {pk} was erased, but is not there at all"
            elif not kind.is_blank(row):
                yield f"{table} {pk} was erased, but has words again"


def _hold_faults() -> Iterator[Fault]:
    """Find legal holds that were placed, changed, lifted or removed by nobody."""
    acts = AuditRow.objects.filter(action__in=(Action.HOLD_PLACED, Action.HOLD_LIFTED)).order_by("number")
    placed: dict[int, tuple[int | None, str]] = {}
    lifted: dict[int, int] = {}
    for act, action, detail in acts.values_list("number", "action", "detail").iterator():
        if action == Action.HOLD_PLACED:
            placed[detail["hold"]] = act, detail["digest"]
        else:
            lifted[detail["hold"]] = act
    before = erased("hold")
    for hold in LegalHold.objects.order_by("pk").iterator():
        number, digest = placed.pop(hold.pk, (None, ""))
        if number is None:
            yield {"row": None, "what": f"hold {hold.pk} was placed by nobody"}
        elif (before.get(hold.pk) or hold_digest(hold)) != digest:
            yield {"row": number, "what": f"hold {hold.pk} was changed"}
        if (hold.lifted_at is None) == (hold.pk in lifted):
            yield {"row": lifted.get(hold.pk), "what": f"hold {hold.pk} does not stand as its acts say"}
    for missing, (number, _) in placed.items():
        yield {"row": number, "what": f"hold {missing} is not there"}
