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
Place = tuple[str, str, str, int]  # source, path, fingerprint, offset


@dataclass(frozen=True, slots=True, kw_only=True)
class TakenPortion(NewPortion):
    """A portion with its id in the ledger."""

    id: int

    def as_found(self) -> NewPortion:
        """Return it as the corridor found it, for a process that knows no ledger."""
        return NewPortion(**{one.name: getattr(self, one.name) for one in fields(NewPortion)})


def _place(portion: NewPortion | Portion) -> Place:
    return portion.source, portion.path, portion.fingerprint, portion.offset


@dataclass(frozen=True, slots=True, kw_only=True)
class FailedPortion(TakenPortion):
    """A portion, the last attempt at which failed in the circumstances: with reasons and details."""

    failures: frozenset[tuple[str, str]]


def chunks(values: Iterable[T]) -> Iterator[list[T]]:
    """Cut `values`, each once, into lists fit for an IN list."""
    distinct = list(dict.fromkeys(values))
    for start in range(0, len(distinct), CHUNK):
        yield distinct[start : start + CHUNK]


def known(source: str, paths: Iterable[str]) -> dict[tuple[str, str], int]:
    """Return how many items of these files have their outcome, by path and fingerprint.

    What waits in a shard is not known yet: it still counts where its shard is done. A table whose run died
    while it was being cut is known with fewer items than it has. The name of a file whose words were erased
    is gone, so files are known by its digest.
    """
    widest: dict[tuple[str, str, int], int] = {}
    names = {sha256(path): path for path in paths}
    for some in chunks(names):
        done = Portion.objects.filter(path_digest__in=some, source=source, shard__state=Shard.State.DONE)
        # The widest attempt is that at all of its items; another may be at a single one of them.
        rows = done.values_list("path_digest", "fingerprint", "offset", "items")
        for digest, fingerprint, offset, items in rows:
            place = names[digest], fingerprint, offset
            widest[place] = max(items, widest.get(place, 0))
    found: dict[tuple[str, str], int] = Counter()
    for (path, fingerprint, _), items in widest.items():
        found[path, fingerprint] += items
    return found


def failed(source: str, paths: Iterable[str]) -> dict[tuple[str, str], list[FailedPortion]]:
    """Return what failed of these files for a reason that is not in their bytes, by path and fingerprint.

    `add_shard` takes such a portion again, unless it waits in a shard for its next attempt already. What
    failed when a single item was tried again is given as the portion that the item is of.
    """
    failures: dict[Place, set[tuple[str, str]]] = {}
    widest: dict[Place, Portion] = {}
    for some in chunks(map(sha256, paths)):
        inputs = Input.objects.standing().filter(
            portion__path_digest__in=some,
            portion__source=source,
            outcome=Outcome.REJECTED,
            reason__in=CIRCUMSTANCES,
        )
        for one in inputs.select_related("portion__shard").defer("raw"):
            failures.setdefault(_place(one.portion), set()).add((one.reason, one.detail))
            _widen(widest, one.portion)
    parts = [portion.path_digest for portion in widest.values() if portion.again_id]
    for some in chunks(parts):
        whole = Portion.objects.filter(path_digest__in=some, source=source, shard__state=Shard.State.DONE)
        for one_whole in whole.select_related("shard"):
            if _place(one_whole) in widest:
                _widen(widest, one_whole)
    found: dict[tuple[str, str], list[FailedPortion]] = {}
    for place, said in failures.items():
        portion = FailedPortion(**_fields(widest[place]) | {"again": None}, failures=frozenset(said))
        found.setdefault((portion.path, portion.fingerprint), []).append(portion)
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


def _widen(widest: dict[Place, Portion], portion: Portion) -> None:
    held = widest.setdefault(_place(portion), portion)
    if portion.items > held.items:
        widest[_place(portion)] = portion


def add_shard(run_id: int, portions: Sequence[NewPortion], request_id: int | None = None) -> int | None:
    """Take portions for the run as one shard, and return its id.

    Portions that another shard already took are left out, but for those that `failed` and those that a
    person wants tried again (`again`): of these it is the next attempt. Where two runs reach for the same
    portion at once, the unique constraint lets one of them have it. None when nothing was left.

    Parameters
    ----------
    request_id
        The request that wants its rejected inputs tried again.
    """
    kinds = {(portion.kind, portion.source) for portion in portions}
    if len(kinds) != 1:
        raise ValueError(f"a shard holds portions of one kind and source; got {sorted(kinds) or 'none'}")
    ((kind, source),) = kinds
    with transaction.atomic():
        # The run's row is the lock under which its shards are numbered.
        run = Run.objects.select_for_update().get(pk=run_id)
        number = (Shard.objects.filter(run=run).aggregate(n=Max("number"))["n"] or 0) + 1
        attempts = _next_attempts(portions)
        shard = Shard.objects.create(
            run=run,
            number=number,
            kind=kind,
            source=source,
            request_id=request_id,
            created_at=timezone.now(),
        )
        Portion.objects.bulk_create(
            [
                Portion(
                    shard=shard,
                    source=portion.source,
                    path=portion.path,
                    path_digest=sha256(portion.path),
                    fingerprint=portion.fingerprint,
                    offset=portion.offset,
                    attempt=attempt,
                    first=portion.first,
                    items=portion.items,
                    again_id=portion.again,
                )
                for portion in sorted(portions, key=_place)
                if (attempt := attempts.get((_place(portion), portion.first), 1))
            ],
            ignore_conflicts=True,
        )
        if not Portion.objects.filter(shard=shard).exists():
            shard.delete()
            return None
    return shard.pk


def _next_attempts(portions: Sequence[NewPortion]) -> dict[tuple[Place, int], int]:
    """Return the number of the next attempt at what is tried again, by place and first item.

    0 = some of its items wait for their next attempt already. What was never taken is left out.
    """
    failing: set[Place] = set()
    for source in {portion.source for portion in portions}:
        paths = [one.path for one in portions if one.source == source and one.again is None]
        for again in failed(source, paths).values():
            failing.update(map(_place, again))
    wanted = [one for one in portions if one.again is not None or _place(one) in failing]
    taken: dict[Place, list[Portion]] = {}
    for some in chunks(wanted):
        there = Portion.objects.filter(
            path_digest__in={sha256(one.path) for one in some}, offset__in={one.offset for one in some}
        )
        # Who tries the same items again waits here, and then sees what was taken meanwhile.
        list(there.select_for_update(of=("self",), no_key=True).order_by("id").values_list("id"))
        for portion in there.select_related("shard"):
            taken.setdefault(_place(portion), []).append(portion)
    return {(_place(one), one.first): _next_attempt(one, taken.get(_place(one), ())) for one in wanted}


def _next_attempt(wanted: NewPortion, taken: Sequence[Portion]) -> int:
    end = wanted.first + wanted.items
    waiting = [one for one in taken if one.shard.state != Shard.State.DONE]
    if any(one.first < end and wanted.first < one.first + one.items for one in waiting):
        return 0
    return 1 + max((one.attempt for one in taken if one not in waiting), default=0)


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
        "again": row.again_id,
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
