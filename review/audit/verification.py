"""The proof: everything that the chain vouches for, recomputed from the tables."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

from django.db import connection, transaction

from review import guards
from review.audit.acts import act_faults
from review.audit.anchor import Anchors, trouble
from review.audit.cases import case_faults
from review.audit.desk import desk_faults
from review.audit.erased import erasure_faults
from review.audit.latest import latest_faults
from review.audit.rights import right_faults
from review.audit.rows import chain_faults
from review.audit.rules import rule_faults
from review.audit.shards import shard_faults
from review.audit.states import state_faults
from review.audit.versions import version_faults
from review.conservation import conservation, totals
from review.digests import UNREADABLE
from review.models import AuditRow

Fault = dict[str, Any]


def verify() -> dict[str, Any]:
    """Recompute the chain, the digests and the conservation law from the tables, as they are at one moment.

    Returns
    -------
    dict
        `ok`; `rows`, the number of rows of the chain; `faults`, a list of `{"row", "what"}` where row is the
        number of an audit row or None; `inputs` and `outcomes` as counted from the tables; `heads`, how many
        heads outside the database were compared, up to which row; `warnings`, what weakens the proof.
    """
    # Before the moment: a head is kept when its row is there for all to see.
    anchors = Anchors()
    with _one_moment():
        rows = AuditRow.objects.count()
        finders = (partial(chain_faults, anchors), *FINDERS)
        faults = [fault for find in finders for fault in _to_the_end(find)]
        inputs, outcomes = totals()
    warnings = anchors.warnings()
    if gone := guards.missing():
        warnings.append(f"the database does not refuse changes any more: {', '.join(gone)} are gone")
    if not faults and not connection.in_atomic_block and (why := trouble()):
        warnings.append(why)
    return {
        "ok": not faults,
        "rows": rows,
        "faults": faults,
        "inputs": inputs,
        "outcomes": outcomes,
        "heads": {"kept": anchors.kept, "up_to": anchors.newest},
        "warnings": warnings,
    }


def _conservation_faults() -> Iterator[Fault]:
    yield from ({"row": None, "what": what} for what in conservation(None))


FINDERS = (
    right_faults,
    latest_faults,
    version_faults,
    rule_faults,
    shard_faults,
    act_faults,
    erasure_faults,
    state_faults,
    case_faults,
    desk_faults,
    _conservation_faults,
)


def _to_the_end(find: Callable[[], Iterator[Fault]]) -> Iterator[Fault]:
    """Yield what a part of the proof finds; what it cannot even read is a fault, and the other parts go on.

    Where a row of the audit is what cannot be read, the chain has named it before.
    """
    try:
        yield from find()
    except UNREADABLE as error:
        part = getattr(find, "__name__", "chain").removeprefix("_").replace("_faults", "")
        yield {
            "row": None,
            "what": f"the proof of {part} stopped at a row that has not the form it was written in: "
            f"{type(error).__name__}",
        }


@contextmanager
def _one_moment() -> Iterator[None]:
    """See the tables as they are now, whatever is written meanwhile, and hold nobody up."""
    if connection.in_atomic_block:
        yield
    elif connection.vendor == "sqlite":
        # Django's own transactions take the write lock; a plain one only keeps its view of the tables.
        with connection.cursor() as cursor:
            cursor.execute("BEGIN DEFERRED")
            try:
                yield
            finally:
                cursor.execute("ROLLBACK")
    else:
        with transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            yield
