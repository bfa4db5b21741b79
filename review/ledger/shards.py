"""Which pieces of the sources are taken, and by which shard."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

from django.db import transaction
from django.db.models import F, Max, Q, Sum
from django.utils import timezone

from review.models import Portion, Run, Shard
from review.records import NewPortion, PortionKind

CHUNK = 500  # values in one IN list; SQLite's limit on parameters is far above

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class TakenPortion(NewPortion):
    """A portion with its id in the ledger."""

    id: int


def chunks(values: Iterable[T]) -> Iterator[list[T]]:
    """Cut `values`, each once, into lists fit for an IN list."""
    distinct = list(dict.fromkeys(values))
    for start in range(0, len(distinct), CHUNK):
        yield distinct[start : start + CHUNK]


def known(source: str, paths: Iterable[str]) -> dict[tuple[str, str], int]:
    """Return how many items of these files have their outcome, by path and fingerprint.

    What waits in a shard is not known yet: it still counts where its shard is done. A table whose run died
    while it was being cut is known with fewer items than it has.
    """
    found: dict[tuple[str, str], int] = {}
    for some in chunks(paths):
        done = Portion.objects.filter(source=source, path__in=some, shard__state=Shard.State.DONE)
        rows = done.values_list("path", "fingerprint")
        for path, fingerprint, items in rows.annotate(Sum("items")):
            found[path, fingerprint] = items
    return found


def add_shard(run_id: int, portions: Sequence[NewPortion]) -> int | None:
    """Take portions for the run as one shard, and return its id.

    Portions that another shard already took are left out; where two runs reach for the same portion at
    once, the unique constraint lets one of them have it. None when nothing was left.
    """
    kinds = {portion.kind for portion in portions}
    if len(kinds) != 1:
        raise ValueError(f"a shard holds portions of one kind; got {sorted(kinds) or 'none'}")
    with transaction.atomic():
        # The run's row is the lock under which its shards are numbered.
        run = Run.objects.select_for_update().get(pk=run_id)
        number = (Shard.objects.filter(run=run).aggregate(n=Max("number"))["n"] or 0) + 1
        shard = Shard.objects.create(run=run, number=number, kind=kinds.pop(), created_at=timezone.now())
        Portion.objects.bulk_create(
            [
                Portion(
                    shard=shard,
                    source=portion.source,
                    path=portion.path,
                    fingerprint=portion.fingerprint,
                    offset=portion.offset,
                    first=portion.first,
                    items=portion.items,
                )
                for portion in sorted(portions, key=lambda p: (p.source, p.path, p.fingerprint, p.offset))
            ],
            ignore_conflicts=True,
        )
        if not Portion.objects.filter(shard=shard).exists():
            shard.delete()
            return None
    return shard.pk


def shard_portions(shard_id: int) -> list[TakenPortion]:
    """Begin an attempt at a shard and return its portions, in the order of their files; none when done."""
    begun = Shard.objects.filter(pk=shard_id).exclude(state=Shard.State.DONE)
    if not begun.update(
        attempts=F("attempts") + 1, started_at=timezone.now(), state=Shard.State.WAITING, error=""
    ):
        return []
    rows = Portion.objects.filter(shard=shard_id).select_related("shard")
    return [
        TakenPortion(
            id=row.pk,
            kind="studies" if row.shard.kind == "studies" else "reports",
            source=row.source,
            path=row.path,
            fingerprint=row.fingerprint,
            offset=row.offset,
            first=row.first,
            items=row.items,
        )
        for row in rows.order_by("source", "path", "offset")
    ]


def fail_shard(shard_id: int, error: str) -> None:
    """Record that the attempts at a shard failed; the next run takes it over.

    Parameters
    ----------
    error
        A type name and ids only.
    """
    waiting = Shard.objects.filter(pk=shard_id).exclude(state=Shard.State.DONE)
    waiting.update(state=Shard.State.FAILED, ended_at=timezone.now(), error=error[:500])


def unfinished(run_id: int, kind: PortionKind) -> list[int]:
    """Return the ids of the run's shards of one kind that are not done, in their order."""
    shards = Shard.objects.filter(run=run_id, kind=kind).exclude(state=Shard.State.DONE)
    return list(shards.order_by("number").values_list("id", flat=True))


def progress(run_id: int) -> tuple[int, int]:
    """Return how many report items the run has taken so far, and how many of them have their outcome."""
    taken = Portion.objects.filter(shard__run=run_id, shard__kind="reports")
    done = Q(shard__state=Shard.State.DONE)
    sums = taken.aggregate(all=Sum("items"), done=Sum("items", filter=done))
    return sums["all"] or 0, sums["done"] or 0
