"""The communication record: that a critical result was told, what, to whom, by whom, when and how."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone

from review import audit
from review.caseload.acts import Kind, RefusedError, State, locked, needed, tell
from review.caseload.deadlines import MUST_BE_TOLD
from review.digests import communication_digest
from review.models import Account, Communication, Escalation

OLDEST = 2000  # the first year that can be meant
NEARLY = timedelta(minutes=1)  # clocks differ, and forms know no seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Telling:
    """That somebody was told; the times know their zone."""

    finding: str
    told_to: str
    told_by: str
    found_at: datetime
    told_at: datetime
    method: str  # of Communication.Method
    note: str = ""


def tell_result(account: Account, case_id: int, telling: Telling) -> Communication:
    """Write down that the result of a confirmed stat or urgent case was told; it is never changed again.

    Raises
    ------
    RefusedError
        When the case is not confirmed as stat or urgent, something is missing, the times cannot be, or just
        this was written down already.
    """
    telling = _checked(telling)
    with transaction.atomic():
        case = locked(account, case_id)
        decision = case.decisions.order_by("-id").first()
        if decision is None or case.state != State.CONFIRMED or decision.urgency not in MUST_BE_TOLD:
            raise RefusedError("Only the result of a case that is confirmed as stat or urgent is told here.")
        if Communication.objects.filter(decision=decision, account=account, **asdict(telling)).exists():
            raise RefusedError("This is written down already.")
        told = Communication.objects.create(
            case=case, decision=decision, account=account, at=timezone.now(), **asdict(telling)
        )
        case.is_to_tell, case.escalation = False, Escalation.NONE
        case.save(update_fields=["is_to_tell", "escalation"])
        digest = communication_digest(told)
        tell(case, account, Kind.TOLD, audit.Action.CASE_TOLD, communication=told.pk, digest=digest)
    return told


def _checked(telling: Telling) -> Telling:
    telling = replace(
        telling,
        finding=needed(telling.finding, "Say which finding was told."),
        told_to=needed(telling.told_to, "Say who was told."),
        told_by=needed(telling.told_by, "Say who told it."),
        note=telling.note.strip(),
    )
    if telling.method not in Communication.Method.values:
        raise RefusedError("Choose how it was told.")
    if telling.method == Communication.Method.OTHER and not telling.note:
        raise RefusedError("Say in the note how it was told.")
    for at, what in ((telling.found_at, "found"), (telling.told_at, "told")):
        if at > timezone.now() + NEARLY:
            raise RefusedError(f"The finding cannot have been {what} in the future; look at the time.")
        if at.year < OLDEST:
            raise RefusedError(f"The finding cannot have been {what} in the year {at.year}.")
    if telling.told_at < telling.found_at:
        raise RefusedError("The finding cannot have been told before it was found; look at the times.")
    return telling
