"""What people do with cases: claim, extend, release, return, decide, reopen.

Every function that acts for a person is one transaction with its audit row, and sees only the cases of the
sources that the person may see.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Q, QuerySet, Value
from django.db.models.functions import Coalesce
from django.utils import timezone

from review import audit
from review.access import visible
from review.caseload import blind
from review.digests import decision_digest
from review.models import Account, Case, CaseEvent, Decision, Escalation

ORDER = ("tier", "first_arrival", "id")
State, Kind = Case.State, CaseEvent.Kind


class RefusedError(Exception):
    """The act cannot be done now; the text says why and what to do."""


def queue(account: Account) -> QuerySet[Case]:
    """Return the open cases that the person may see, in the order in which people look."""
    return visible(Case.objects.filter(state=State.WAITING), account).order_by(*ORDER)


def open_count(account: Account) -> int:
    """Return how many open cases the person may see."""
    return queue(account).count()


def _free(now: datetime) -> Q:
    return Q(state=State.WAITING) & (Q(claimed_by=None) | Q(claim_expires__lte=now))


def next(account: Account) -> Case | None:
    """Claim the first free case in order; None when nothing waits."""
    while True:
        free = queue(account).filter(_free(timezone.now())).values_list("id", flat=True)[:10]
        for case_id in free:
            if claim(account, case_id):
                return Case.objects.get(pk=case_id)
        if not free:
            return None


def claim(account: Account, case_id: int) -> bool:
    """Take a free case for some minutes (`claim_minutes` in site.toml); False when somebody else was first.

    One UPDATE decides: of two people who claim at once, the second finds the case no longer free.
    """
    now = timezone.now()
    with transaction.atomic():
        free = visible(Case.objects.filter(_free(now), pk=case_id), account)
        first = Coalesce("first_claimed_at", Value(now))
        if not free.update(claimed_by=account, claim_expires=now + _claim_time(), first_claimed_at=first):
            return False
        _tell(Case.objects.get(pk=case_id), account, Kind.CLAIMED, audit.Action.CASE_CLAIMED)
    return True


def extend(account: Account, case_id: int) -> datetime:
    """Begin the minutes of a claim again, and return when they end."""
    with transaction.atomic():
        case = _held_by(account, case_id)
        case.claim_expires = timezone.now() + _claim_time()
        case.save(update_fields=["claim_expires"])
        _tell(case, account, Kind.EXTENDED, audit.Action.CASE_EXTENDED)
    return case.claim_expires


def release(account: Account, case_id: int) -> None:
    """Let go of a claimed case."""
    with transaction.atomic():
        case = _held_by(account, case_id)
        _let_go(case, State.WAITING)
        _tell(case, account, Kind.RELEASED, audit.Action.CASE_RELEASED)


def give_back(account: Account, case_id: int, note: str) -> None:
    """Return a claimed case to the list with a note for whoever takes it next."""
    if not note.strip():
        raise RefusedError("Say why the case goes back, so that the next reader knows.")
    with transaction.atomic():
        case = _held_by(account, case_id)
        _let_go(case, State.WAITING)
        _tell(case, account, Kind.RETURNED, audit.Action.CASE_RETURNED, note)


def decide(
    account: Account, case_id: int, version_seen: int, verdict: str, *, reason: str = "", comment: str = ""
) -> Decision:
    """Confirm or dismiss a claimed case.

    Parameters
    ----------
    version_seen
        The id of the report version that the person read.
    verdict
        `confirmed`: the lesion is real and someone is acting on it; or `dismissed`.
    reason
        One of `Decision.Reason`; needed for a dismissal, empty otherwise.

    Raises
    ------
    RefusedError
        When the case is not claimed by this person or the claim has expired, a newer version has come, or
        the reason is missing.
    """
    _check_verdict(verdict, reason, comment)
    with transaction.atomic():
        case = _held_by(account, case_id)
        if case.reading.version_id != version_seen:
            raise RefusedError("A newer version of the report has arrived. Read it below, then decide.")
        decision = Decision.objects.create(
            case=case,
            reading=case.reading,
            account=account,
            at=timezone.now(),
            verdict=verdict,
            reason=reason,
            comment=comment,
            tier=case.tier,
        )
        # The clock begins anew: a confirmed stat or urgent case must be communicated in time.
        case.decided_at, case.escalation = decision.at, Escalation.NONE
        blind.reveal(case)
        _let_go(case, State(verdict))
        digest = decision_digest(decision, case.report.key)
        _tell(case, account, Kind(verdict), audit.Action.CASE_DECIDED, decision=decision.pk, digest=digest)
    return decision


def reopen(account: Account, case_id: int, note: str) -> None:
    """Let a decided case wait again, with the reason."""
    if not note.strip():
        raise RefusedError("Say why the case is opened again.")
    with transaction.atomic():
        case = _locked(account, case_id)
        if case.state not in (State.CONFIRMED, State.DISMISSED):
            raise RefusedError(f"Only a decided case can be opened again; this one is {case.status}.")
        case.decided_at, case.waiting_since, case.escalation = None, timezone.now(), Escalation.NONE
        _let_go(case, State.WAITING)
        _tell(case, account, Kind.REOPENED, audit.Action.CASE_REOPENED, note)


def _check_verdict(verdict: str, reason: str, comment: str) -> None:
    if verdict not in Decision.Verdict.values:
        raise RefusedError(f"A case is confirmed or dismissed; {verdict!r} is neither.")
    if verdict == Decision.Verdict.CONFIRMED and reason:
        raise RefusedError("A reason belongs to a dismissal only.")
    if verdict == Decision.Verdict.DISMISSED and reason not in Decision.Reason.values:
        raise RefusedError("Choose the reason for which the case is dismissed.")
    if reason == Decision.Reason.OTHER and not comment.strip():
        raise RefusedError("Say the other reason in the comment.")


def _claim_time() -> timedelta:
    return timedelta(minutes=settings.SITE.claim_minutes)


def _locked(account: Account, case_id: int) -> Case:
    case = visible(Case.objects.select_for_update(), account).filter(pk=case_id).first()
    if case is None:
        raise RefusedError("There is no such case among those you may see.")
    return case


def _held_by(account: Account, case_id: int) -> Case:
    case = _locked(account, case_id)
    if case.claimed_by_id != account.pk:
        raise RefusedError("You do not hold this case. Claim it first.")
    if not case.is_claimed:
        raise RefusedError("Your claim has expired. Claim the case again.")
    return case


def _let_go(case: Case, state: Case.State) -> None:
    case.state = state
    case.claimed_by, case.claim_expires = None, None
    case.save()


def _tell(
    case: Case,
    account: Account,
    kind: CaseEvent.Kind,
    action: audit.Action,
    note: str = "",
    **detail: int | str,
) -> None:
    """Record an act for the people who look at the case, and for the audit."""
    version = case.reading.version_id
    CaseEvent.objects.create(
        case=case,
        at=timezone.now(),
        kind=kind,
        account=account,
        version_id=version,
        tier=case.tier,
        note=note,
    )
    audit.record(
        action,
        actor=account.actor,
        subject=f"case:{case.pk}",
        version=version,
        tier=case.tier,
        state=case.state,
        **detail,
    )
