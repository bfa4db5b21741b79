"""The desk of rejected inputs against the ledger, and discards against the acts that made them."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Callable, Iterator
from typing import Any

from django.db.models import Exists, F, OuterRef, Q

from review.audit.chain import Action
from review.audit.erased import erased
from review.digests import discard_digest, taken_back_digest
from review.models import AuditRow, Discard, Input, Outcome, Portion, Reject

Fault = dict[str, Any]
State = Reject.State


def desk_faults() -> Iterator[Fault]:
    """Find rejected inputs that were hidden, put away or shown as something else by nobody's act."""
    made = _vouched(Action.INPUT_DISCARDED)
    ended = _vouched(Action.INPUT_TAKEN_BACK)
    for one in Discard.objects.order_by("pk").iterator():
        yield from _compare("was made", one, discard_digest, made)
        if one.ended_at is not None or one.ended_by_id is not None:
            yield from _compare("was taken back", one, taken_back_digest, ended)
    for what, rows in (("is not there", made), ("was taken back, but stands", ended)):
        for discard, (number, _) in rows.items():
            yield {"row": number, "what": f"discard {discard} {what}"}
    for what, inputs in _laws():
        for pk in inputs:
            yield {"row": None, "what": f"input {pk} {what}"}
    yield from _byte_faults()


def _byte_faults() -> Iterator[Fault]:
    """Find rows of the desk that name other bytes than were kept: by these what comes again is known."""
    before = erased("input")
    rows = Reject.objects.order_by("pk").values_list("pk", "digest", "input__raw")
    for pk, digest, raw in rows.iterator(chunk_size=20):
        try:
            kept = hashlib.sha256(zlib.decompress(raw)).hexdigest() if raw else ""
        except zlib.error:  # not what was kept: its shard says so
            continue
        if digest != kept and not (raw is None and pk in before):
            yield {"row": None, "what": f"input {pk} stands on the desk with other bytes than were kept"}


def _vouched(action: Action) -> dict[int, tuple[int, str]]:
    """Return what the chain vouches for: by discard, the row's number and the digest."""
    rows = AuditRow.objects.filter(action=action).values_list("number", "detail")
    return {detail["discard"]: (number, detail["digest"]) for number, detail in rows.iterator()}


def _compare(
    what: str, one: Discard, digest: Callable[[Discard], str], vouched: dict[int, tuple[int, str]]
) -> Iterator[Fault]:
    number, said = vouched.pop(one.pk, (None, ""))
    if number is None:
        yield {"row": None, "what": f"discard {one.pk} {what}, but no row of the audit says so"}
    elif digest(one) != said:
        yield {"row": number, "what": f"discard {one.pk} was changed"}


def _laws() -> Iterator[tuple[str, Iterator[int]]]:
    rejected = Input.objects.standing().filter(outcome=Outcome.REJECTED)
    desk = Reject.objects.order_by("pk")
    stands = Discard.objects.filter(input=OuterRef("pk"), ended_at=None)
    discarded = Q(state=State.DISCARDED)
    anew = Portion.objects.filter(path_digest=OuterRef("path_digest"), source=OuterRef("source")).exclude(
        fingerprint=OuterRef("input__portion__fingerprint")
    )
    own = Q(source=F("input__portion__source"), path_digest=F("input__portion__path_digest"))
    told = Q(reason=F("input__reason"), since__lte=F("input__shard__ended_at"))
    laws = {
        "was rejected, but is not on the desk": rejected.filter(reject=None),
        "is on the desk, but was tried again or never rejected": desk.exclude(pk__in=rejected.values("pk")),
        "is on the desk as something else than it is": desk.exclude(own & told),
        "was discarded or not, against what its discards say": desk.filter(
            (discarded & ~Exists(stands)) | (~discarded & Exists(stands))
        ),
        "counts as sent anew, but was not": desk.filter(~Exists(anew), state=State.REPLACED),
        "is being retried, but nobody asked for that": desk.filter(
            Q(state=State.RETRYING, request=None) | (~Q(state=State.RETRYING) & ~Q(request=None))
        ),
    }
    for what, rows in laws.items():
        yield what, rows.order_by("pk").values_list("pk", flat=True).iterator()
