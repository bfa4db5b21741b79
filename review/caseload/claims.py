"""Who holds a case: claim, extend, release, return, take over, and which case comes next."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from review import audit
from review.access import visible
from review.caseload.acts import (
    ORDER,
    Kind,
    RefusedError,
    State,
    for_change,
    held,
    let_go,
    locked,
    needed,
    queue,
    tell,
)
from review.caseload.deadlines import overdue
from review.models import Account, Case


def next(
    account: Account, within: QuerySet[Case] | None = None, *, left_out: Collection[int] = ()
) -> Case | None:
    """Claim the first free case in order; None when nothing waits.

    A case that is assigned to somebody else is left to them until it is overdue.

    Parameters
    ----------
    within
        The list that the person works on; None for everything that they may see.
    left_out
        Cases that the person does not want now.
    """
    there = queue(account) if within is None else within.filter(state=State.WAITING).order_by(*ORDER)
    while True:
        now = timezone.now()
        mine = Q(assigned_to=None) | Q(assigned_to=account) | overdue(now)
        free = there.filter(is_free(now), mine).exclude(pk__in=left_out).values_list("id", flat=True)[:10]
        for case_id in free:
            if claim(account, case_id):
                return Case.objects.get(pk=case_id)
        if not free:
            return None


def claim(account: Account, case_id: int) -> bool:
    """Take a free case for some minutes (`claim_minutes` in site.toml); False when somebody else was first.

    Of two people who claim at once, the second waits for the row and finds the case no longer free.
    """
    now = timezone.now()
    with transaction.atomic():
        case = visible(for_change().filter(is_free(now), pk=case_id), account).first()
        if case is None:
            return False
        case.claimed_by, case.claim_expires = account, now + _claim_time()
        case.first_claimed_at = case.first_claimed_at or now
        case.save(update_fields=["claimed_by", "claim_expires", "first_claimed_at"])
        tell(case, account, Kind.CLAIMED, audit.Action.CASE_CLAIMED)
    return True


def extend(account: Account, case_id: int) -> datetime:
    """Begin the minutes of a claim again, and return when they end.

    The case page asks every minute. One row in as many minutes as a claim lasts says that the claim went
    on; the extensions between are folded into it.
    """
    with transaction.atomic():
        case = held(account, case_id)
        now = timezone.now()
        case.claim_expires = now + _claim_time()
        case.save(update_fields=["claim_expires"])
        said = case.events.filter(
            account=account,
            kind__in=(Kind.CLAIMED, Kind.TAKEN_OVER, Kind.EXTENDED),
            at__gt=now - _claim_time(),
        )
        if not said.exists():
            tell(case, account, Kind.EXTENDED, audit.Action.CASE_EXTENDED)
    return case.claim_expires


def release(account: Account, case_id: int) -> None:
    """Let go of a claimed case."""
    with transaction.atomic():
        case = held(account, case_id)
        let_go(case, State.WAITING)
        tell(case, account, Kind.RELEASED, audit.Action.CASE_RELEASED)


def give_back(account: Account, case_id: int, note: str) -> None:
    """Return a claimed case to the list with a note for whoever takes it next."""
    note = needed(note, "Say why the case goes back, so that the next reader knows.")
    with transaction.atomic():
        case = held(account, case_id)
        let_go(case, State.WAITING)
        tell(case, account, Kind.RETURNED, audit.Action.CASE_RETURNED, note=note)


def take_over(account: Account, case_id: int, reason: str) -> None:
    """Take a case that somebody else holds, with a reason that they can read.

    Raises
    ------
    RefusedError
        When nobody else holds it (any more), or it is no longer open.
    """
    reason = needed(reason, "Say why you take the case over; its reader will see it.")
    with transaction.atomic():
        case = locked(account, case_id)
        holder = case.claimed_by
        if not case.is_claimed or holder is None:
            what = "free: claim it" if case.state == State.WAITING else case.status
            raise RefusedError(f"Nobody holds this case now; it is {what}.")
        if holder == account:
            raise RefusedError("You hold this case yourself.")
        case.claimed_by, case.claim_expires = account, timezone.now() + _claim_time()
        case.save(update_fields=["claimed_by", "claim_expires"])
        action = audit.Action.CASE_TAKEN_OVER
        tell(case, account, Kind.TAKEN_OVER, action, note=reason, whom=holder)


def is_free(now: datetime) -> Q:
    """Return the condition that a case waits and nobody holds it."""
    return Q(state=State.WAITING) & (Q(claimed_by=None) | Q(claim_expires__lte=now))


def _claim_time() -> timedelta:
    return timedelta(minutes=settings.SITE.claim_minutes)
