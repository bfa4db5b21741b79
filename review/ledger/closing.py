"""Ending a shard: the audit vouches for everything that it stored."""

from __future__ import annotations

from collections.abc import Iterable

from django.utils import timezone

from review import audit
from review.digests import (
    COLUMNS,
    FORM,
    canonical,
    digest_of,
    event_digest,
    row_digest,
    sha256,
    shard_digest,
    study_digests,
)
from review.ledger.requests import close_requests
from review.models import CaseEvent, Shard


def close_shard(
    shard: Shard,
    lines: Iterable[str],
    events: Iterable[CaseEvent] = (),
    studies: Iterable[int] = (),
) -> None:
    """Mark a locked shard as done, with the counts and terms set on it; the last act of its transaction.

    Parameters
    ----------
    lines
        A line for each row that the shard stored: `stored_line` of its inputs, or `digest_of("reading", …)`
        of the readings of a reread.
    events
        What happened to cases because of it.
    studies
        The ids of the studies that it stored.
    """
    shard.state = Shard.State.DONE
    shard.ended_at = timezone.now()
    shard.save(update_fields=["counts", "terms", "state", "ended_at"])
    if shard.request_id:
        close_requests(shard.request_id)
    there = list(lines)
    portions = shard.portions.values_list(*COLUMNS["portion"])
    audit.record(
        audit.Action.SHARD_STORED,
        actor=audit.SYSTEM,
        subject=f"shard:{shard.pk}",
        shard=shard.pk,
        run=shard.run_id,
        inputs=len(there),
        form=FORM,
        digest=shard_digest(there),
        row=digest_of("shard", shard),
        versions=sha256(canonical(shard.versions)),
        portions=shard_digest(map(row_digest, portions)),
        events=[[event.pk, event_digest(event)] for event in events],
        studies=study_digests(studies),
    )
