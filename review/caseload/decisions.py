"""What is decided of a case: confirm, dismiss, open again."""

from __future__ import annotations

from django.db import transaction
from django.utils import timezone

from review import audit
from review.caseload import blind
from review.caseload.acts import Kind, RefusedError, State, check_held, let_go, locked, needed, tell
from review.caseload.deadlines import MUST_BE_TOLD
from review.digests import decision_digest
from review.models import Account, Case, Decision, ErasedRow, Escalation, Tier

GIVEN = (Tier.STAT, Tier.URGENT, Tier.SOON)  # the tiers that a person may give


class NewerVersionError(RefusedError):
    """The decision was made on a version that is no longer the newest."""


def decide(
    account: Account,
    case_id: int,
    version_seen: int,
    verdict: str,
    *,
    reason: str = "",
    comment: str = "",
    tier_given: int | None = None,
    reading_seen: int | None = None,
) -> Decision:
    """Confirm or dismiss a claimed case. The same decision sent twice is taken once.

    Parameters
    ----------
    version_seen
        The id of the report version that the person read.
    verdict
        `confirmed`: the lesion is real and someone is acting on it; or `dismissed`.
    reason
        One of `Decision.Reason`; needed for a dismissal, empty otherwise.
    tier_given
        How urgent a confirmed case is in the person's eyes. None keeps the case's tier; a case that is read
        blind, or that the machine could not read, needs one.
    reading_seen
        The id of the reading that the person saw; None when none was shown.

    Raises
    ------
    NewerVersionError
        When a newer version has come, or the report was read again with other rules.
    RefusedError
        When the case is not claimed by this person or the claim has expired, or something is missing.
    """
    _check_verdict(verdict, reason, comment)
    with transaction.atomic():
        case = locked(account, case_id)
        if case.state == verdict:
            before = case.decisions.order_by("-id").first()
            sent = (account.pk, version_seen, reason, comment)
            if before and _sent(before) == sent and tier_given in (None, before.tier_given):
                return before
        check_held(case, account)
        if case.reading.version_id != version_seen:
            raise NewerVersionError("A newer version of the report has arrived. Read it below, then decide.")
        if reading_seen not in (None, case.reading_id):
            raise NewerVersionError(
                "The report was read again with other rules. See below what it reads now, then decide."
            )
        given = _given(case, verdict, reason, tier_given)
        decision = Decision.objects.create(
            case=case,
            reading=case.reading,
            rule=case.reading.decided_by,
            account=account,
            at=timezone.now(),
            verdict=verdict,
            reason=reason,
            comment=comment,
            tier=case.tier,
            tier_given=given,
        )
        # The clock begins anew: a confirmed stat or urgent case must be communicated in time.
        case.decided_at, case.escalation = decision.at, Escalation.NONE
        case.is_to_tell, case.assigned_to = given in MUST_BE_TOLD, None
        blind.reveal(case)
        let_go(case, State(verdict))
        digest = decision_digest(decision, case.report.key)
        tell(case, account, Kind(verdict), audit.Action.CASE_DECIDED, decision=decision.pk, digest=digest)
    return decision


def reopen(account: Account, case_id: int, note: str) -> None:
    """Let a decided case wait again, with the reason."""
    note = needed(note, "Say why the case is opened again.")
    with transaction.atomic():
        case = locked(account, case_id)
        if case.state not in Decision.Verdict.values:
            raise RefusedError(f"Only a decided case can be opened again; this one is {case.status}.")
        if ErasedRow.objects.filter(table="version", row=case.reading.version_id).exists():
            raise RefusedError("The words of this report were erased: there is nothing left to decide on.")
        case.decided_at, case.waiting_since, case.escalation = None, timezone.now(), Escalation.NONE
        case.is_to_tell = False
        let_go(case, State.WAITING)
        tell(case, account, Kind.REOPENED, audit.Action.CASE_REOPENED, note=note)


def _sent(decision: Decision) -> tuple[int, int, str, str]:
    return decision.account_id, decision.reading.version_id, decision.reason, decision.comment


def _check_verdict(verdict: str, reason: str, comment: str) -> None:
    if verdict not in Decision.Verdict.values:
        raise RefusedError(f"A case is confirmed or dismissed; {verdict!r} is neither.")
    if verdict == Decision.Verdict.CONFIRMED and reason:
        raise RefusedError("A reason belongs to a dismissal only.")
    if verdict == Decision.Verdict.DISMISSED and reason not in Decision.Reason.values:
        raise RefusedError("Choose the reason for which the case is dismissed.")
    if reason == Decision.Reason.OTHER and not comment.strip():
        raise RefusedError("Say the other reason in the comment.")


def _given(case: Case, verdict: str, reason: str, tier_given: int | None) -> int | None:
    """Return the tier that the decision gives the case, or refuse what does not fit the case."""
    if verdict == Decision.Verdict.DISMISSED:
        if tier_given is not None:
            raise RefusedError("How urgent it is belongs to a confirmed case only.")
        if case.is_blind and reason != Decision.Reason.NO_LESION:
            # The other reasons speak of what the machine found, which was not shown.
            raise RefusedError("This case is read without the machine: say that nothing in it is suspicious.")
        return None
    if tier_given is None and (case.is_blind or case.tier == Tier.UNREAD):
        raise RefusedError("Say how urgent it is: stat, urgent or soon.")
    given = case.tier if tier_given is None else tier_given
    if given not in GIVEN:
        raise RefusedError("A confirmed case is stat, urgent or soon.")
    return given
