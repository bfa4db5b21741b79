"""The desk as people see it: what waits, how long, and how far the retries are; nothing of any text."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db.models import Count, Q
from django.db.models.functions import Length

from review.access import visible
from review.desk.filters import Wanted, limit
from review.duration import duration
from review.meanings import REJECTIONS, meaning
from review.models import Account, Discard, Input, Outcome, Reject, Request, Shard

State = Reject.State
SHOWN = 5  # requests on the page


@dataclass(frozen=True, slots=True)
class Counts:
    """How many inputs are on the desk, by state; and how many of those that wait do so for too long."""

    by_state: dict[str, int]
    overdue: int


def counts(account: Account, now: datetime) -> Counts:
    """Count the desk of the sources that the person may see, in one query."""
    late = Count("pk", filter=Q(state=State.WAITING, since__lt=now - limit()))
    found = visible(Reject.objects.all(), account).values("state").annotate(number=Count("pk"), late=late)
    rows = {row["state"]: row for row in found}
    by_state = {state: rows[state]["number"] if state in rows else 0 for state in State.values}
    return Counts(by_state, sum(row["late"] for row in rows.values()))


def sources(account: Account) -> list[str]:
    """Return the names of the sources that anything of the desk came from."""
    names = visible(Reject.objects.all(), account).values_list("source", flat=True)
    return list(names.distinct().order_by("source"))


def reasons() -> dict[str, str]:
    """Return every reason for which an input can be rejected, with what it means."""
    return dict(REJECTIONS)


def listing(
    account: Account, asked: Wanted, now: datetime, start: int = 0, stop: int | None = None
) -> list[dict[str, Any]]:
    """Return a piece of the desk, who waits longest first; four queries however long it is."""
    rows = asked.of(account, now).select_related("input__portion", "input__shard", "request")
    some = list(rows.defer("input__raw")[start:stop])
    put_away = {
        one.input_id: one
        for one in Discard.objects.filter(
            input__in=[row.pk for row in some if row.state == State.DISCARDED], ended_at=None
        ).select_related("account")
    }
    return [_row(row, put_away.get(row.pk), now) for row in some]


def _row(row: Reject, put_away: Discard | None, now: datetime) -> dict[str, Any]:
    one = row.input
    waits = row.state in (State.WAITING, State.RETRYING)
    minutes = int((now - row.since).total_seconds() // 60)
    return {
        "input": f"I{one.pk}",
        "id": one.pk,
        "run": one.shard.run_id,
        "source": row.source,
        "path": one.portion.path,
        "item": one.item,
        "attempt": one.portion.attempt,
        "at": one.shard.ended_at,
        "since": row.since,
        "waiting_minutes": max(0, minutes) if waits else None,
        "waited": duration(max(0, minutes)) if waits else "",
        "limit_minutes": settings.REJECTED_MINUTES,
        "limited": duration(settings.REJECTED_MINUTES),
        "overdue": waits and now - row.since > limit(),
        "reason": row.reason,
        "meaning": meaning(row.reason),
        "detail": one.detail,
        "bytes_kept": bool(row.digest),
        "state": row.get_state_display(),
        "retried_in_run": row.request.run_id if row.request else None,
        "discarded": put_away
        and {"by": put_away.account.username, "at": put_away.at, "reason": put_away.reason},
    }


def facts(account: Account, input_id: int, now: datetime) -> dict[str, Any] | None:
    """Return one rejected input with all attempts at it; None when the person sees no such input.

    One that a later attempt took the place of is not on the desk any more, and shows which did.
    """
    inputs = visible(Input.objects.filter(outcome=Outcome.REJECTED), account, "portion__source")
    found = inputs.filter(pk=input_id).annotate(size=Length("raw")).select_related("portion", "shard")
    one = found.defer("raw").first()
    if one is None:
        return None
    row = Reject.objects.filter(pk=one.pk).select_related("input__portion", "input__shard", "request")
    standing = row.defer("input__raw").first()
    put_away = Discard.objects.filter(input=one).order_by("pk").select_related("account", "ended_by")
    current = next((each for each in put_away if each.ended_at is None), None)
    return {
        "one": one,
        "meaning": meaning(one.reason),
        "is_kept": one.size is not None,
        "row": _row(standing, current, now) if standing else None,
        "attempts": _attempts(one),
        "discards": list(put_away),
    }


def _attempts(one: Input) -> list[Input]:
    """Return what became of the same item in each attempt; faults of a folder have no number of their own."""
    if one.shard.kind != "reports":
        return [one]
    of = one.portion
    same = Input.objects.filter(
        portion__path_digest=of.path_digest,
        portion__source=of.source,
        portion__fingerprint=of.fingerprint,
        portion__offset=of.offset,
        item=one.item,
    )
    return list(same.select_related("portion", "shard").defer("raw").order_by("portion__attempt"))


def requests() -> list[dict[str, Any]]:
    """Return how far the newest retries are that people asked for, the newest first."""
    rows = Request.objects.filter(kind=Request.Kind.RETRY).select_related("account").order_by("-id")[:SHOWN]
    return [
        {
            "at": row.at,
            "by": row.account.username,
            "inputs": row.what.get("inputs", 0),
            "run": row.run_id,
            "is_done": row.state == Request.State.DONE,
            **_became(row),
        }
        for row in rows
    ]


def _became(request: Request) -> dict[str, int]:
    """Return how many inputs of a request were taken and rejected so far."""
    if request.state == Request.State.DONE:
        return {"taken": request.told.get("taken", 0), "rejected": request.told.get("rejected", 0)}
    found: Counter[str] = Counter()
    done = Shard.objects.filter(request=request, state=Shard.State.DONE)
    for counted in done.values_list("counts", flat=True):
        found.update({name: number for name, number in counted.items() if name in Outcome.values})
    return {"taken": found.total() - found[Outcome.REJECTED], "rejected": found[Outcome.REJECTED]}
