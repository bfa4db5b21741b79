"""What becomes of the cases of somebody who leaves."""

from __future__ import annotations

from django.utils import timezone

from review import audit
from review.models import Account, Case, CaseEvent


def leave(account: Account, by: Account) -> None:
    """Free the cases that an account holds or that wait for it, in the transaction that closes it."""
    now = timezone.now()
    held = Case.objects.select_for_update(of=("self",)).filter(
        claimed_by=account, state=Case.State.WAITING, claim_expires__gt=now
    )
    for case in held.select_related("reading").order_by("pk"):
        case.claimed_by, case.claim_expires = None, None
        case.save(update_fields=["claimed_by", "claim_expires"])
        CaseEvent.objects.create(
            case=case,
            at=now,
            kind=CaseEvent.Kind.RELEASED,
            account=by,
            version_id=case.reading.version_id,
            tier=case.tier,
        )
        audit.record(
            audit.Action.CASE_RELEASED,
            actor=by.actor,
            subject=f"case:{case.pk}",
            version=case.reading.version_id,
            tier=case.tier,
            state=case.state,
        )
    Case.objects.filter(assigned_to=account, state=Case.State.WAITING).update(assigned_to=None)
