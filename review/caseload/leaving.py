"""What becomes of the cases of somebody who leaves."""

from __future__ import annotations

from django.db.models import Q
from django.utils import timezone

from review import audit
from review.access import may
from review.caseload.acts import Kind, State, let_go, tell
from review.caseload.assignments import put
from review.models import Account, Case


def leave(account: Account, by: Account | None) -> None:
    """Free the cases that an account holds, or that wait for it, and that it can work on no more.

    That are all of them when the account is closed or may not decide any more, else those of sources that it
    does not see any more. Called in the transaction of that change; the cases are locked at once, in the
    order in which the ledger locks them, before the audit is.
    """
    holds = Q(claimed_by=account, claim_expires__gt=timezone.now())
    theirs = Case.objects.filter(holds | Q(assigned_to=account), state=State.WAITING)
    if account.is_active and may(account, "decide"):
        theirs = theirs.exclude(source__in=account.sources) if account.sources else theirs.none()
    locked = theirs.select_for_update(of=("self",)).select_related("reading").order_by("pk")
    for case in list(locked):
        if case.claimed_by_id == account.pk and case.is_claimed:
            let_go(case, State.WAITING)
            tell(case, by, Kind.RELEASED, audit.Action.CASE_RELEASED)
        if case.assigned_to_id == account.pk:
            put(case, by, None, "")
