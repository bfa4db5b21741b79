"""What stands on the desk of rejected inputs, kept true by each shard that is stored."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime

from django.utils import timezone

from review.ledger.shards import chunks
from review.models import Input, Outcome, Portion, Reject, Shard
from review.records import CIRCUMSTANCES, NewOutcome

REPEATED = "already_rejected"  # of a duplicate: the same bytes stand on the desk
State = Reject.State
Place = tuple[int, int]  # portion, item


def repeated(shard: Shard, outcomes: Sequence[NewOutcome]) -> set[Place]:
    """Return which rejected items stand on the desk already: the same bytes, rejected for the same reason.

    So a table that grows, or a file sent once more, does not bring its broken rows anew each time. A later
    attempt is never called a repetition of the one that it takes the place of.
    """
    first = set(shard.portions.filter(attempt=1, again=None).values_list("id", flat=True))
    digests = {
        (new.portion, new.item): (_digest(new.raw), new.reason)
        for new in outcomes
        if new.version is None and new.raw is not None and new.portion in first
    }
    held: set[tuple[str, str]] = set()
    for some in chunks(digest for digest, _ in digests.values()):
        there = Reject.objects.filter(digest__in=some, source=shard.source)
        held.update(there.values_list("digest", "reason"))
    return {place for place, said in digests.items() if said in held}


def settle(shard: Shard, rows: Iterable[Input], still_there: Collection[tuple[str, str]] = ()) -> None:
    """Put the shard's rejected inputs on the desk, and take off it what they or others took the place of.

    Parameters
    ----------
    still_there
        Of a shard of studies, the reason and detail of each fault found now, those not recorded anew too.
    """
    inputs = list(rows)
    portions = {portion.pk: portion for portion in shard.portions.all()}
    since: dict[tuple[str, str, int, int], datetime] = {}
    gone, replaced = [], []
    for old in _standing(portions.values()):
        of = old.input.portion
        same = [new for new in portions.values() if (new.path_digest, new.source) == _file(of)]
        if any(_supersedes(new, old.input) for new in same):
            gone.append(old.pk)
            since[*_place(of), old.input.item] = old.since
            continue
        anew = [new for new in same if _came_anew(new, of)]
        if anew and _is_replaced(shard, old, anew, inputs, still_there):
            replaced.append(old.pk)
    for some in chunks(gone):
        Reject.objects.filter(pk__in=some).delete()
    for some in chunks(replaced):
        Reject.objects.filter(pk__in=some).exclude(state=State.DISCARDED).update(
            state=State.REPLACED, request=None
        )
    Reject.objects.bulk_create(
        _rejects((one for one in inputs if one.outcome == Outcome.REJECTED), portions, since)
    )


def _rejects(
    inputs: Iterable[Input],
    portions: Mapping[int, Portion],
    since: Mapping[tuple[str, str, int, int], datetime],
) -> Iterator[Reject]:
    now = timezone.now()
    for one in inputs:
        portion = portions[one.portion_id]
        yield Reject(
            input=one,
            source=portion.source,
            path_digest=portion.path_digest,
            reason=one.reason,
            digest="" if one.raw is None else _digest(zlib.decompress(one.raw)),
            since=since.get((*_place(portion), one.item), now),
        )


def _standing(portions: Iterable[Portion]) -> Iterator[Reject]:
    """Yield what stands on the desk of the files of these portions."""
    files = {_file(portion) for portion in portions}
    for some in chunks(digest for digest, _ in files):
        rows = Reject.objects.filter(path_digest__in=some)
        for row in rows.select_related("input__portion").defer("input__raw"):
            if _file(row.input.portion) in files:
                yield row


def _supersedes(new: Portion, old: Input) -> bool:
    of = old.portion
    covers = new.first <= old.item < new.first + new.items
    return _place(new) == _place(of) and new.attempt > of.attempt and covers


def _came_anew(new: Portion, of: Portion) -> bool:
    return new.fingerprint != of.fingerprint and new.pk > of.pk and new.again_id is None


def _is_replaced(
    shard: Shard,
    old: Reject,
    anew: Sequence[Portion],
    inputs: Sequence[Input],
    still_there: Collection[tuple[str, str]],
) -> bool:
    """Whether the file as it came anew answers for what was rejected of it before.

    Rows of a table cannot be told apart over its versions: what was read of it and rejected waits on.
    """
    if shard.kind == "studies":
        return (old.reason, old.input.detail) not in still_there
    if old.reason in CIRCUMSTANCES:
        return True
    ids = {portion.pk for portion in anew if portion.items == 1 and portion.first == 0}
    is_one_report = bool(ids) and old.input.portion.items == 1 and old.input.portion.first == 0
    return is_one_report and all(one.reason != REPEATED for one in inputs if one.portion_id in ids)


def _file(portion: Portion) -> tuple[str, str]:
    return portion.path_digest, portion.source


def _place(portion: Portion) -> tuple[str, str, int]:
    return portion.path_digest, portion.fingerprint, portion.offset


def _digest(raw: bytes) -> str:
    return hashlib.sha256(raw).hexdigest()
