"""What people want tried again: asked for on a page or by a command, taken by a run."""

from __future__ import annotations

import zlib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import Exists, F, Max, Min, OuterRef, Q, QuerySet
from django.db.models.functions import Length
from django.utils import timezone

from review import audit
from review.digests import canonical, sha256
from review.ledger.shards import CHUNK
from review.models import Account, Input, Outcome, Portion, Reject, Request, Run, Shard
from review.records import NewPortion, PortionKind

NAMED = 1000  # ids that an audit row names one by one; their digest covers any number


@dataclass(frozen=True, slots=True, kw_only=True)
class DueInput:
    """A rejected input that is to be tried again."""

    id: int
    portion: NewPortion  # of the item alone; of studies that of the whole folder
    is_file: bool  # its file never gave another item: it may be cut anew, and then give several


@dataclass(frozen=True, slots=True)
class Kept:
    """What is kept of a rejected input."""

    raw: bytes | None  # a small file of its own; None = the source must be read again
    offset: int  # of the portion in which it was rejected
    begins: int  # number of the first item at the place of the new attempt


def ask_retry(account: Account, rejects: QuerySet[Reject], now: datetime, run_id: int | None = None) -> int:
    """Ask for another attempt at rejected inputs that wait; return how many, 0 when none of them does.

    Parameters
    ----------
    run_id
        The run that is to take them; None = the next one.
    """
    with transaction.atomic():
        request = Request.objects.create(kind=Request.Kind.RETRY, account=account, at=now, run_id=run_id)
        waiting = Reject.objects.filter(pk__in=rejects.values("pk"), state=Reject.State.WAITING)
        number = waiting.update(state=Reject.State.RETRYING, request=request)
        if not number:
            request.delete()
            return 0
        ids = list(Reject.objects.filter(request=request).order_by("pk").values_list("pk", flat=True))
        request.what = {"inputs": number}
        request.save(update_fields=["what"])
        audit.record(
            audit.Action.INPUT_RETRIED,
            actor=account.actor,
            subject=f"request:{request.pk}",
            inputs=number,
            digest=sha256(canonical(ids)),
            ids=ids[:NAMED],
        )
    return number


def claim_requests(run_id: int) -> list[int]:
    """Let a run take the requests that wait, and those whose run ended before it took all of them.

    A run of the kind `retry` takes the one that it was opened for. Of two runs that reach for a request at
    once, one has it.
    """
    run = Run.objects.get(pk=run_id)
    waiting = Request.objects.filter(kind=Request.Kind.RETRY, state=Request.State.WAITING)
    for done in waiting.exclude(run=None).values_list("pk", flat=True):
        close_requests(done)
    if run.kind == Run.Kind.RETRY:
        return list(waiting.filter(run=run).values_list("pk", flat=True))
    ended = Run.objects.exclude(state=Run.State.RUNNING)
    waiting.filter(Q(run=None) | Q(run__in=ended)).update(run=run)
    return list(waiting.filter(run=run).order_by("pk").values_list("pk", flat=True))


def close_requests(request_id: int) -> None:
    """Close a request all of whose inputs have their new outcome, and note what became of them."""
    if Reject.objects.filter(request=request_id).exists():
        return
    counts: Counter[str] = Counter()
    shards = Shard.objects.filter(request=request_id, state=Shard.State.DONE)
    for found in shards.values_list("counts", flat=True):
        counts.update({name: number for name, number in found.items() if name in Outcome.values})
    told = {"rejected": counts[Outcome.REJECTED], "taken": counts.total() - counts[Outcome.REJECTED]}
    Request.objects.filter(pk=request_id, state=Request.State.WAITING).update(
        state=Request.State.DONE, ended_at=timezone.now(), told=told
    )


def due(request_id: int, kind: PortionKind) -> Iterator[DueInput]:
    """Yield what a request wants tried again and no shard holds yet, some hundred in memory at a time."""
    last = 0
    waits = Portion.objects.filter(
        path_digest=OuterRef("input__portion__path_digest"),
        source=OuterRef("input__portion__source"),
        fingerprint=OuterRef("input__portion__fingerprint"),
        offset=OuterRef("input__portion__offset"),
        first__lte=OuterRef("input__item"),
        first__gt=OuterRef("input__item") - F("items"),
    ).exclude(shard__state=Shard.State.DONE)
    rejects = Reject.objects.filter(~Exists(waits), request=request_id, input__shard__kind=kind)
    rejects = rejects.annotate(size=Length("input__raw")).select_related("input__portion").defer("input__raw")
    while some := list(rejects.filter(pk__gt=last).order_by("pk")[:CHUNK]):
        last = some[-1].pk
        ends = _ends(some)
        for one in some:
            yield _due(one, kind, ends)


def _ends(some: Sequence[Reject]) -> dict[tuple[str, str, str], int]:
    """Return how many items the files of these inputs were ever taken to hold."""
    rows = Portion.objects.filter(path_digest__in={one.path_digest for one in some})
    file = ("path_digest", "source", "fingerprint")
    found = rows.values_list(*file).annotate(end=Max(F("first") + F("items")))
    return {(digest, source, fingerprint): end for digest, source, fingerprint, end in found}


def _due(one: Reject, kind: PortionKind, ends: dict[tuple[str, str, str], int]) -> DueInput:
    of = one.input.portion
    is_folder = kind == "studies"
    return DueInput(
        id=one.pk,
        portion=NewPortion(
            kind=kind,
            source=of.source,
            path=of.path,
            fingerprint=of.fingerprint,
            offset=of.offset,
            first=of.first if is_folder else one.input.item,
            items=of.items if is_folder else 1,
            size=getattr(one, "size", 0) or 0,
            again=one.pk,
        ),
        is_file=not is_folder and ends[of.path_digest, of.source, of.fingerprint] == 1,
    )


def kept(portion_id: int) -> Kept:
    """Return what is kept of the rejected input that a portion takes again."""
    portion = Portion.objects.get(pk=portion_id)
    again = Input.objects.select_related("portion").get(retries=portion)
    place = Portion.objects.filter(
        path_digest=portion.path_digest,
        source=portion.source,
        fingerprint=portion.fingerprint,
        offset=portion.offset,
    )
    begins = place.aggregate(first=Min("first"))["first"]
    return Kept(_unpacked(again), again.portion.offset, begins)


def kept_bytes(input_id: int) -> bytes | None:
    """Return the bytes kept of a rejected input; None when there were none to keep, or too many."""
    return _unpacked(Input.objects.get(pk=input_id))


def _unpacked(rejected: Input) -> bytes | None:
    return None if rejected.raw is None else zlib.decompress(rejected.raw)
