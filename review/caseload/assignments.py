"""Whose work a case is: assign it, take the assignment away, hand a claimed case over."""

from __future__ import annotations

from django.db import transaction
from django.db.models import QuerySet

from review import audit
from review.access import RIGHTS, may
from review.caseload.acts import Kind, RefusedError, State, check_held, let_go, locked, needed, tell
from review.models import Account, Case


def colleagues(account: Account, source: str) -> list[Account]:
    """Return those to whom a case of this source can be given: they may decide and see the source."""
    return [other for other in _deciders() if other != account and _sees(other, source)]


def assign(account: Account, case_id: int, to: int, note: str = "") -> Account:
    """Make an open case the work of a person (oneself, too); whoever holds it goes on holding it."""
    with transaction.atomic():
        other = _colleague(to)
        case = locked(account, case_id)
        _check_fit(case, other)
        put(case, account, other, note)
    return other


def unassign(account: Account, case_id: int) -> None:
    """Make an assigned case everybody's work again."""
    with transaction.atomic():
        case = locked(account, case_id)
        if case.assigned_to_id is None:
            raise RefusedError("The case is assigned to nobody.")
        put(case, account, None, "")


def hand_over(account: Account, case_id: int, to: int, note: str) -> Account:
    """Release a claimed case and assign it to a colleague, with a note for them."""
    note = needed(note, "Say what your colleague should know.")
    with transaction.atomic():
        other = _colleague(to)
        case = locked(account, case_id)
        check_held(case, account)
        _check_fit(case, other)
        if other == account:
            raise RefusedError("You hold this case yourself; choose a colleague.")
        let_go(case, State.WAITING)
        tell(case, account, Kind.RELEASED, audit.Action.CASE_RELEASED)
        put(case, account, other, note)
    return other


def put(case: Case, account: Account | None, other: Account | None, note: str) -> None:
    """Make a locked case the work of a person, or of nobody, and record it."""
    if case.state != State.WAITING:
        raise RefusedError(f"Only an open case can be assigned; this one is {case.status}.")
    case.assigned_to = other
    case.save(update_fields=["assigned_to"])
    tell(case, account, Kind.ASSIGNED, audit.Action.CASE_ASSIGNED, note=note.strip(), whom=other)


def _colleague(to: int) -> Account:
    """Return the person of this id, who must be able to do the work, locked until the transaction ends.

    Else the account could be closed meanwhile, and a case would wait for somebody who never comes. Locked
    before the case, as closing an account locks both in this order.
    """
    accounts = Account.objects.select_for_update(no_key=True)
    other = accounts.filter(pk=to, is_active=True).first()
    if other is None or not may(other, "decide"):
        raise RefusedError("Choose a colleague who may decide cases.")
    return other


def _check_fit(case: Case, other: Account) -> None:
    if not _sees(other, case.source):
        raise RefusedError(f"{other.username} may not see cases of this source; choose somebody else.")
    if case.assigned_to_id == other.pk:
        raise RefusedError(f"The case is assigned to {other.username} already.")


def _deciders() -> QuerySet[Account]:
    able = Account.objects.filter(is_active=True, groups__name__in=RIGHTS["decide"])
    return able.distinct().order_by("username")


def _sees(account: Account, source: str) -> bool:
    return not account.sources or source in account.sources
