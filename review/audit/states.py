"""What cases say of themselves, against what happened to them.

What happened is vouched for by the audit; a case is only where it led to. So whose work a case is, who holds
it, since when it waits, whether it was called out and when it was decided all follow, and must fit.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from django.db.models import Case as SqlCase
from django.db.models import Exists, F, Min, OuterRef, Q, QuerySet, Subquery, Value, When
from django.db.models.functions import Coalesce

from review.models import Case, CaseEvent, Communication, Decision, Escalation, QualitySample, Tier

Fault = dict[str, Any]
Kind, State = CaseEvent.Kind, Case.State

NOBODY = -1
ASSIGNING = (Kind.ASSIGNED, Kind.CONFIRMED, Kind.DISMISSED)  # a decision ends an assignment
TAKING = (Kind.CLAIMED, Kind.TAKEN_OVER)
FREEING = (Kind.RELEASED, Kind.RETURNED, Kind.EXPIRED, Kind.CONFIRMED, Kind.DISMISSED, Kind.WITHDRAWN)
AGAIN = (Kind.REOPENED, Kind.WAITS_AGAIN, Kind.REREAD_AGAIN)
BEGINNING = (Kind.OPENED, Kind.RAISED, Kind.REREAD_UP, *AGAIN)  # the clock starts anew
DECIDING = (Kind.CONFIRMED, Kind.DISMISSED)
CALLING = (Kind.AGAIN, Kind.LEAD)
ANSWERING = (*BEGINNING, *DECIDING, Kind.TOLD)  # nobody is called any more
# A claim is dated before it waits for its turn to be written down.
TURN = timedelta(minutes=5)


def state_faults() -> Iterator[Fault]:
    """Find cases that were changed without an act."""
    for find, what in LAWS:
        for case in find().order_by("pk").values_list("pk", flat=True).iterator():
            yield {"row": None, "what": f"case {case} {what}"}


def _newest(kinds: tuple[CaseEvent.Kind, ...], value: Any) -> Subquery:
    events = CaseEvent.objects.filter(case=OuterRef("pk"), kind__in=kinds).order_by("-id")
    return Subquery(events.values(found=value if not isinstance(value, str) else F(value))[:1])


def _assigned() -> QuerySet[Case]:
    given, now = Coalesce(_newest(ASSIGNING, "whom"), NOBODY), Coalesce("assigned_to", NOBODY)
    return Case.objects.annotate(given=given, now=now).exclude(now=F("given"))


def _held() -> QuerySet[Case]:
    taker = SqlCase(When(kind__in=TAKING, then=F("account")), default=Value(NOBODY))
    taken, now = Coalesce(_newest(TAKING + FREEING, taker), NOBODY), Coalesce("claimed_by", NOBODY)
    return Case.objects.annotate(taken=taken, now=now).exclude(now=F("taken"))


def _first_claimed() -> QuerySet[Case]:
    claims = CaseEvent.objects.filter(case=OuterRef("pk"), kind=Kind.CLAIMED).order_by().values("case")
    cases = Case.objects.annotate(first=Subquery(claims.annotate(at=Min("at")).values("at")))
    never, ever = Q(first=None), Q(first_claimed_at=None)
    shifted = Q(first_claimed_at__gt=F("first")) | Q(first_claimed_at__lt=F("first") - TURN)
    return cases.filter((never & ~ever) | (~never & ever) | shifted)


def _waiting_too_short() -> QuerySet[Case]:
    began = Case.objects.filter(state=State.WAITING).annotate(began=_newest(BEGINNING, "at"))
    return began.filter(Q(began=None) | Q(waiting_since__gt=F("began")))


def _waiting_though_decided() -> QuerySet[Case]:
    last = _newest((*DECIDING, *AGAIN), "kind")
    return Case.objects.filter(state=State.WAITING).annotate(last=last).filter(last__in=DECIDING)


def _decided_at_another_time() -> QuerySet[Case]:
    newest = Decision.objects.filter(case=OuterRef("pk")).order_by("-id").values("at")[:1]
    cases = Case.objects.annotate(decision=Subquery(newest))
    closed = Q(state__in=Decision.Verdict.values)
    wrong = Q(decided_at=None) | Q(decision=None) | ~Q(decided_at=F("decision"))
    return cases.filter((closed & wrong) | Q(state=State.WAITING, decided_at__isnull=False))


def _called() -> QuerySet[Case]:
    calls = [(Kind.AGAIN, Escalation.AGAIN), (Kind.LEAD, Escalation.LEAD)]
    step = SqlCase(
        *(When(kind=kind, then=Value(step)) for kind, step in calls), default=Value(Escalation.NONE)
    )
    called = Coalesce(_newest(CALLING + ANSWERING, step), Escalation.NONE.value)
    return Case.objects.exclude(state=State.WITHDRAWN).annotate(called=called).exclude(escalation=F("called"))


def _untold() -> QuerySet[Case]:
    newest = Decision.objects.filter(case=OuterRef("pk")).order_by("-id")
    told = Communication.objects.filter(decision=OuterRef("decision"))
    confirmed = Case.objects.filter(state=State.CONFIRMED).annotate(
        decision=Subquery(newest.values("pk")[:1]),
        urgency=Subquery(newest.values(given=Decision.URGENCY)[:1]),
    )
    return confirmed.filter(Q(urgency__in=(Tier.STAT, Tier.URGENT)) & ~Exists(told), is_to_tell=False)


def _of_another_report() -> QuerySet[Case]:
    own = Q(reading__version__report=F("report"), source=F("report__source"))
    current = Q(reading__version__is_current=True) | Q(state=State.WITHDRAWN)
    return Case.objects.exclude(own & current)


def _placed_otherwise() -> QuerySet[Case]:
    """A drawn case is ordered by the time at which it was put among its neighbours."""
    drawn = QualitySample.objects.filter(case=OuterRef("pk"), stratum=QualitySample.Stratum.ROUTINE)
    opened = CaseEvent.objects.filter(case=OuterRef("pk"), kind=Kind.OPENED).order_by("id").values("at")[:1]
    placed = Case.objects.annotate(is_drawn=Exists(drawn), placed=Subquery(opened))
    usual = Q(is_drawn=False) & ~Q(first_arrival=F("report__first_arrival"))
    return placed.filter(usual | (Q(is_drawn=True) & ~Q(first_arrival=F("placed"))))


def _of_another_modality() -> QuerySet[Case]:
    return Case.objects.exclude(state=State.WITHDRAWN).exclude(modality=F("reading__version__modality"))


def _still_to_tell() -> QuerySet[Case]:
    return Case.objects.filter(is_to_tell=True).exclude(state=State.CONFIRMED)


def _shown() -> QuerySet[Case]:
    drawn = Case.objects.filter(state=State.WAITING, tier=Tier.SOON, is_blind=False, sample__isnull=False)
    return drawn.filter(decisions=None)


LAWS = (
    (_assigned, "is not assigned to whom it was given"),
    (_held, "is not held by whom its acts say"),
    (_first_claimed, "was not first claimed when it says"),
    (_waiting_too_short, "waits for longer than it says"),
    (_waiting_though_decided, "waits, but was decided"),
    (_decided_at_another_time, "was not decided when it says"),
    (_called, "was not called out as it says"),
    (_untold, "was told to nobody, but does not stand among those to tell"),
    (_of_another_report, "does not show the newest version of its own report"),
    (_placed_otherwise, "came before the time by which it is ordered, or after it"),
    (_of_another_modality, "has another modality than its report"),
    (_still_to_tell, "stands among those to tell, but is not confirmed"),
    (_shown, "shows its reading, but is to be read blind"),
)
