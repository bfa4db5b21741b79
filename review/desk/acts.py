"""What people do about rejected inputs. Each act is one transaction with its audit row.

Whoever calls has made sure of the right; here only inputs of the person's sources are found.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from datetime import datetime

from django.db import transaction
from django.utils import timezone

from review import audit
from review.access import visible
from review.caseload import RefusedError
from review.desk.filters import Wanted
from review.digests import discard_digest, taken_back_digest
from review.ledger import ask_retry, kept_bytes
from review.models import Account, Discard, Input, Outcome, Reject

State = Reject.State
MOST = 1000  # inputs that are named in one act
LONGEST = 2000  # characters of a reason


def retry(account: Account, ids: Iterable[int], run_id: int | None = None) -> int:
    """Ask for another attempt at these inputs; return how many.

    A discarded one is not tried again: who may discard takes it back first.
    """
    with transaction.atomic():
        rows = _locked(account, ids, State.WAITING)
        rejects = Reject.objects.filter(pk__in=[row.pk for row in rows])
        return ask_retry(account, rejects, timezone.now(), run_id)


def retry_all(account: Account, asked: Wanted, now: datetime, run_id: int | None = None) -> int:
    """Ask for another attempt at everything that waits and fits the filters; return how many."""
    if asked.state != State.WAITING:
        raise RefusedError("Only what waits can be tried again.")
    number = ask_retry(account, asked.of(account, now).order_by(), now, run_id)
    if not number:
        raise RefusedError("Nothing that waits fits these filters, so nothing is tried again.")
    return number


def discard(account: Account, ids: Iterable[int], reason: str) -> int:
    """Put rejected inputs away for a reason; they stay recorded, and counted as rejected in their run."""
    why = reason.replace("\0", "").strip()[:LONGEST]
    if not why:
        raise RefusedError("Say why nobody needs it any more; the reason stays recorded.")
    with transaction.atomic():
        rows = _locked(account, ids, State.WAITING)
        put_away = [Discard(input_id=row.pk, account=account, at=timezone.now(), reason=why) for row in rows]
        Discard.objects.bulk_create(put_away)
        Reject.objects.filter(pk__in=[row.pk for row in rows]).update(state=State.DISCARDED)
        for one in put_away:
            audit.record(
                audit.Action.INPUT_DISCARDED,
                actor=account.actor,
                subject=f"input:{one.input_id}",
                discard=one.pk,
                digest=discard_digest(one),
            )
    return len(put_away)


def take_back(account: Account, ids: Iterable[int]) -> int:
    """Let discarded inputs wait again; that they were discarded stays recorded."""
    with transaction.atomic():
        rows = _locked(account, ids, State.DISCARDED)
        put_away = list(Discard.objects.filter(input__in=[row.pk for row in rows], ended_at=None))
        for one in put_away:
            one.ended_by, one.ended_at = account, timezone.now()
        Discard.objects.bulk_update(put_away, ["ended_by", "ended_at"])
        Reject.objects.filter(pk__in=[row.pk for row in rows]).update(state=State.WAITING)
        for one in put_away:
            audit.record(
                audit.Action.INPUT_TAKEN_BACK,
                actor=account.actor,
                subject=f"input:{one.input_id}",
                discard=one.pk,
                digest=taken_back_digest(one),
            )
    return len(put_away)


def read_bytes(account: Account, input_id: int) -> bytes:
    """Return the bytes kept of a rejected input, which are a patient's; that they were read is recorded."""
    inputs = visible(Input.objects.filter(outcome=Outcome.REJECTED), account, "portion__source")
    if not inputs.filter(pk=input_id).exists():
        raise RefusedError(f"There is no rejected input I{input_id} among those you may see.")
    raw = kept_bytes(input_id)
    if raw is None:
        raise RefusedError(
            f"No bytes are kept of I{input_id}: it could not be read at all, was too large, or is an image. "
            "Look at it where it came from."
        )
    audit.record(
        audit.Action.INPUT_RAW_READ,
        actor=account.actor,
        subject=f"input:{input_id}",
        bytes=len(raw),
        digest=hashlib.sha256(raw).hexdigest(),
    )
    return raw


def _locked(account: Account, ids: Iterable[int], state: State) -> list[Reject]:
    """Return these inputs, locked, all in the state in which the act can be done."""
    asked = list(dict.fromkeys(ids))
    if not asked:
        raise RefusedError("Choose at least one input.")
    if len(asked) > MOST:
        raise RefusedError(f"{len(asked)} inputs are too many at once; at most {MOST} can be named.")
    rows = visible(Reject.objects.select_for_update(), account).filter(pk__in=asked)
    found = {row.pk: row for row in rows.order_by("pk")}
    for one in asked:
        if one not in found:
            raise RefusedError(f"I{one} is not on the desk: it was tried again, or you may not see it.")
        if found[one].state != state:
            raise RefusedError(f"I{one} is {found[one].get_state_display()}, not {state.label}.")
    return list(found.values())
