"""What every act on a case shares: what may be seen, the lock, the claim, the event and its audit row.

Every function that acts for a person is one transaction with its audit row, and sees only the cases of the
sources that the person may see.
"""

from __future__ import annotations

from datetime import UTC, datetime

from django.db.models import QuerySet
from django.utils import timezone

from review import audit
from review.access import visible
from review.digests import event_digest
from review.models import Account, Case, CaseEvent

ORDER = ("tier", "first_arrival", "id")
State, Kind = Case.State, CaseEvent.Kind
_TAKING = (Kind.CLAIMED, Kind.TAKEN_OVER, Kind.EXTENDED)
# What changes who holds a case.
_HOLDING = (Kind.CLAIMED, Kind.TAKEN_OVER, Kind.RELEASED, Kind.RETURNED, Kind.EXPIRED)


class RefusedError(Exception):
    """The act cannot be done now; the text says why and what to do."""


def queue(account: Account) -> QuerySet[Case]:
    """Return the open cases that the person may see, in the order in which people look."""
    return visible(Case.objects.filter(state=State.WAITING), account).order_by(*ORDER)


def for_change() -> QuerySet[Case]:
    """Return cases for an act: the row of each is locked until the transaction ends."""
    return Case.objects.select_for_update(of=("self",)).select_related("reading")


def needed(text: str, why: str) -> str:
    """Return a text that must not be empty, without the space around it; `why` is told when it is."""
    if not text.strip():
        raise RefusedError(why)
    return text.strip()


def locked(account: Account, case_id: int) -> Case:
    """Return a case with its row locked until the transaction ends."""
    cases = for_change().select_related("reading__version", "claimed_by")
    case = visible(cases, account).filter(pk=case_id).first()
    if case is None:
        raise RefusedError("There is no such case among those you may see.")
    return case


def held(account: Account, case_id: int) -> Case:
    """Return a case that the person has claimed, locked."""
    case = locked(account, case_id)
    check_held(case, account)
    return case


def check_held(case: Case, account: Account) -> None:
    """Refuse unless the person's claim lasts; who lost it is told how."""
    if case.claimed_by_id == account.pk and case.is_claimed:
        return
    if case.state != State.WAITING:
        raise RefusedError(f"You do not hold this case: it is {case.status}.")
    last = case.events.filter(kind__in=_HOLDING).select_related("account").order_by("-id").first()
    if last and last.kind == Kind.TAKEN_OVER and last.whom_id == account.pk and last.account:
        at = timezone.localtime(last.at)
        raise RefusedError(
            f"You do not hold this case any more: {last.account.username} took it over at {at:%H:%M}. "
            "The reason stands under what happened."
        )
    mine = case.claimed_by_id == account.pk or (
        last and last.kind == Kind.EXPIRED and last.account == account
    )
    if mine:
        raise RefusedError("Your claim has expired. Claim the case again.")
    raise RefusedError("You do not hold this case. Claim it first.")


def let_go(case: Case, state: Case.State) -> None:
    """Save a case as held by nobody."""
    case.state = state
    case.claimed_by, case.claim_expires = None, None
    case.save()


def tell(
    case: Case,
    account: Account | None,
    kind: CaseEvent.Kind,
    action: audit.Action,
    *,
    note: str = "",
    whom: Account | None = None,
    by_time: datetime | None = None,
    **detail: int | str | None,
) -> CaseEvent:
    """Record an act for the people who look at the case, and for the audit; call it last.

    The audit's row says what the act changed of the case since it was loaded: `before` and `after`.

    Parameters
    ----------
    account
        Who did it; None for the program itself.
    note
        What the person wrote; the audit holds its digest only.
    whom
        The other person whom it concerns: from whom a case was taken, to whom it was given.
    by_time
        The moment at which time did it and nobody else; `account` then names whose claim ended.
    """
    version = case.reading.version_id
    if kind in _TAKING and case.claim_expires:
        detail["until"] = case.claim_expires.astimezone(UTC).isoformat()
    event = CaseEvent.objects.create(
        case=case,
        at=by_time or timezone.now(),
        kind=kind,
        account=account,
        whom=whom,
        version_id=version,
        tier=case.tier,
        note=note,
    )
    audit.record(
        action,
        actor=account.actor if account and by_time is None else audit.SYSTEM,
        subject=f"case:{case.pk}",
        version=version,
        tier=case.tier,
        state=case.state,
        event=event.pk,
        event_digest=event_digest(event),
        **_changes(case),
        **detail,
    )
    return event


def _changes(case: Case) -> dict[str, dict[str, int | str | None]]:
    """Return what was changed of a case, before and after; the next act begins with what is now."""
    before, after = case.loaded, case.changeable()
    case.loaded = after
    changed = [name for name in after if after[name] != before[name]]
    return {
        side: {name: values[name] for name in changed}
        for side, values in (("before", before), ("after", after))
        if changed
    }
