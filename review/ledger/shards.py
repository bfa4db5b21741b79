"""Which pieces of the sources are taken, and by which shard."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, fields
from typing import Any, TypeVar

from django.db import transaction
from django.db.models import F, Max, Q, Sum
from django.utils import timezone

from review.digests import sha256
from review.models import Input, Outcome, Portion, Run, Shard
from review.records import CIRCUMSTANCES, POISON, NewPortion, ShardKind

CHUNK = 500  # values in one IN list; SQLite's limit on parameters is far above

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class TakenPortion(NewPortion):
    """A portion with its id in the ledger."""

    id: int

    def as_found(self) -> NewPortion:
        """Return it as the corridor found it, for a process that knows no ledger."""
        return NewPortion(**{one.name: getattr(self, one.name) for one in fields(NewPortion)})


@dataclass(frozen=True, slots=True, kw_only=True)
class FailedPortion(TakenPortion):
    """A portion, the last attempt at which failed in the circumstances: with reasons and details."""

    attempt: int
    failures: frozenset[tuple[str, str]]


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
    latest: dict[tuple[str, str, int], int] = {}
    for some in chunks(map(sha256, paths)):
        done = Portion.objects.filter(
            path_digest__in=some, source=source, shard__state=Shard.State.DONE
        ).order_by("attempt")
        for path, fingerprint, offset, items in done.values_list("path", "fingerprint", "offset", "items"):
            latest[path, fingerprint, offset] = items
    found: dict[tuple[str, str], int] = Counter()
    for (path, fingerprint, _), items in latest.items():
        found[path, fingerprint] += items
    return found


def failed(source: str, paths: Iterable[str]) -> dict[tuple[str, str], list[FailedPortion]]:
    """Return what failed of these files for a reason that is not in their bytes, by path and fingerprint.

    `add_shard` takes such a portion again, unless it waits in a shard for its next attempt already.
    """
    failures: dict[Portion, set[tuple[str, str]]] = {}
    for some in chunks(map(sha256, paths)):
        inputs = Input.objects.standing().filter(
            portion__path_digest__in=some,
            portion__source=source,
            outcome=Outcome.REJECTED,
            reason__in=CIRCUMSTANCES,
        )
        for one in inputs.select_related("portion__shard").defer("raw"):
            failures.setdefault(one.portion, set()).add((one.reason, one.detail))
    found: dict[tuple[str, str], list[FailedPortion]] = {}
    for row, said in failures.items():
        portion = FailedPortion(**_fields(row), attempt=row.attempt, failures=frozenset(said))
        found.setdefault((row.path, row.fingerprint), []).append(portion)
    return found


def poison(portion: NewPortion) -> list[tuple[str, str]]:
    """Return what is known to kill the reader in this file or folder, as it ever was: reasons and details."""
    inputs = Input.objects.filter(
        portion__path_digest=sha256(portion.path),
        portion__source=portion.source,
        outcome=Outcome.REJECTED,
        reason__in=POISON,
    )
    return list(inputs.values_list("reason", "detail").distinct())


def add_shard(run_id: int, portions: Sequence[NewPortion]) -> int | None:
    """Take portions for the run as one shard, and return its id.

    Portions that another shard already took are left out, but for those that `failed`: of these it is the
    next attempt. Where two runs reach for the same portion at once, the unique constraint lets one of them
    have it. None when nothing was left.
    """
    kinds = {(portion.kind, portion.source) for portion in portions}
    if len(kinds) != 1:
        raise ValueError(f"a shard holds portions of one kind and source; got {sorted(kinds) or 'none'}")
    ((kind, source),) = kinds
    with transaction.atomic():
        # The run's row is the lock under which its shards are numbered.
        run = Run.objects.select_for_update().get(pk=run_id)
        number = (Shard.objects.filter(run=run).aggregate(n=Max("number"))["n"] or 0) + 1
        shard = Shard.objects.create(
            run=run, number=number, kind=kind, source=source, created_at=timezone.now()
        )
        attempts = _next_attempts(portions)
        Portion.objects.bulk_create(
            [
                Portion(
                    shard=shard,
                    source=portion.source,
                    path=portion.path,
                    path_digest=sha256(portion.path),
                    fingerprint=portion.fingerprint,
                    offset=portion.offset,
                    attempt=attempts.get(_place(portion), 1),
                    first=portion.first,
                    items=portion.items,
                )
                for portion in sorted(portions, key=_place)
            ],
            ignore_conflicts=True,
        )
        if not Portion.objects.filter(shard=shard).exists():
            shard.delete()
            return None
    return shard.pk


def _place(portion: NewPortion) -> tuple[str, str, str, int]:
    return portion.source, portion.path, portion.fingerprint, portion.offset


def _next_attempts(portions: Sequence[NewPortion]) -> dict[tuple[str, str, str, int], int]:
    """Return the number of the next attempt at those of the portions that failed, by their place."""
    attempts = {}
    for source in {portion.source for portion in portions}:
        paths = [portion.path for portion in portions if portion.source == source]
        for again in failed(source, paths).values():
            attempts.update({_place(portion): portion.attempt + 1 for portion in again})
    return attempts


def shard_portions(shard_id: int) -> list[TakenPortion]:
    """Begin an attempt at a shard and return its portions, in the order of their files; none when done."""
    begun = Shard.objects.filter(pk=shard_id).exclude(state=Shard.State.DONE)
    if not begun.update(
        attempts=F("attempts") + 1, started_at=timezone.now(), state=Shard.State.WAITING, error=""
    ):
        return []
    rows = Portion.objects.filter(shard=shard_id).select_related("shard")
    return [TakenPortion(**_fields(row)) for row in rows.order_by("source", "path", "offset")]


def _fields(row: Portion) -> dict[str, Any]:
    return {
        "id": row.pk,
        "kind": row.shard.kind,
        "source": row.source,
        "path": row.path,
        "fingerprint": row.fingerprint,
        "offset": row.offset,
        "first": row.first,
        "items": row.items,
    }


def run_of(shard_id: int) -> int:
    """Return the run that has the shard now."""
    return Shard.objects.values_list("run", flat=True).get(pk=shard_id)


def fail_shard(shard_id: int, error: str) -> None:
    """Record that the attempts at a shard failed; the next run takes it over.

    Parameters
    ----------
    error
        A type name and ids only.
    """
    waiting = Shard.objects.filter(pk=shard_id).exclude(state=Shard.State.DONE)
    waiting.update(state=Shard.State.FAILED, ended_at=timezone.now(), error=error[:500])


def unfinished(run_id: int, kind: ShardKind) -> list[int]:
    """Return the ids of the run's shards of one kind that are not done, in their order."""
    shards = Shard.objects.filter(run=run_id, kind=kind).exclude(state=Shard.State.DONE)
    return list(shards.order_by("number").values_list("id", flat=True))


def progress(run_id: int) -> tuple[int, int]:
    """Return how many report items the run has taken so far, and how many of them have their outcome."""
    taken = Portion.objects.filter(shard__run=run_id, shard__kind="reports")
    done = Q(shard__state=Shard.State.DONE)
    sums = taken.aggregate(all=Sum("items"), done=Sum("items", filter=done))
    return sums["all"] or 0, sums["done"] or 0
