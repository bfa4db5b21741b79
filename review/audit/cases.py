"""The laws of cases against readings, versions, decisions and the sample."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from django.db.models import Case as SqlCase
from django.db.models import Exists, F, Min, OuterRef, Q, QuerySet, Subquery, When
from django.db.models.functions import Coalesce

from review.audit.chain import Action
from review.audit.erased import erased
from review.audit.shards import early_shards
from review.comparison import asks_again
from review.digests import UNREADABLE
from review.models import (
    AuditRow,
    Case,
    Decision,
    ErasedRow,
    QualitySample,
    Reading,
    Report,
    ReportVersion,
    Tier,
)

Fault = dict[str, Any]


def case_faults() -> Iterator[Fault]:
    """Check the laws of cases against readings, versions and decisions."""
    for reading in _readings_that_lie():
        yield {"row": None, "what": f"the columns of reading {reading} differ from what the reader said"}
    lost = Report.objects.filter(versions__readings__in=_suspicious(), case=None).distinct()
    for report in lost.values_list("pk", flat=True):
        yield {"row": None, "what": f"report {report} was read as suspicious but has no case"}
    gravest = _suspicious().filter(version__report=OuterRef("report")).values("version__report")
    # A drawn report is at least soon, whatever was read; `_sample_faults` proves that it was drawn.
    drawn = QualitySample.objects.filter(case=OuterRef("pk"), stratum=QualitySample.Stratum.ROUTINE)
    due = Case.objects.annotate(
        gravest=Coalesce(Subquery(gravest.annotate(n=Min(_RANK)).values("n")), NOT_SUSPICIOUS),
        due=SqlCase(When(Exists(drawn) & Q(gravest__gt=Tier.SOON), then=Tier.SOON), default=F("gravest")),
    )
    for case in due.exclude(tier=F("due")).order_by("pk").values_list("pk", flat=True):
        yield {"row": None, "what": f"case {case} does not have the tier of its gravest reading"}
    deleted = Exists(
        ReportVersion.objects.filter(report=OuterRef("report"), is_current=True, status="deleted")
    )
    withdrawn = Q(state=Case.State.WITHDRAWN)
    for case in Case.objects.filter((withdrawn & ~deleted) | (~withdrawn & deleted)).values_list(
        "pk", flat=True
    ):
        yield {"row": None, "what": f"case {case} and its report do not agree whether it was withdrawn"}
    yield from _undecided()
    yield from _sample_faults()


def _sample_faults() -> Iterator[Fault]:
    """Check that what is read blind was drawn, and nothing else: a wrong mark would hide a grave reading."""
    vouched: dict[tuple[str, int], tuple[int, dict[str, Any]]] = {}
    rows = AuditRow.objects.filter(subject__startswith="sample:", action=Action.SAMPLE_DRAWN)
    for number, subject, detail in rows.order_by("number").values_list("number", "subject", "detail"):
        drawn = number, detail
        vouched |= {(subject.removeprefix("sample:"), case): drawn for case in detail["cases"]}
    fits = {
        QualitySample.Stratum.ROUTINE: Q(reading__tier="routine", reading__unreadable=""),
        QualitySample.Stratum.SOON: Q(reading__tier="soon", reading__unreadable=""),
    }
    samples = QualitySample.objects.annotate(
        is_fit=SqlCase(
            *(When(fit & Q(stratum=stratum), then=True) for stratum, fit in fits.items()), default=False
        ),
        is_own=SqlCase(When(reading__version__report=F("case__report"), then=True), default=False),
    )
    told = ("case", "stratum", "is_fit", "is_own", "share", "drawn_at")
    for case, stratum, is_fit, is_own, share, at in samples.values_list(*told):
        drawing = vouched.pop((stratum, case), None)
        if drawing is not None:
            number, said = drawing
            drawn_at = said.get("drawn_at")  # early drawings do not say
            if share != said["share"] or (drawn_at and at != datetime.fromisoformat(drawn_at)):
                yield {"row": number, "what": f"case {case} was not drawn when or with the share it says"}
        else:
            yield {"row": None, "what": f"case {case} is of the sample, but no row of the audit drew it"}
        if not (is_fit and is_own):
            yield {"row": None, "what": f"case {case} is of the sample, but not for a reading of that kind"}
    for (_, case), (number, _) in vouched.items():
        yield {"row": number, "what": f"case {case} was drawn, but is not of the sample"}
    hidden = Case.objects.filter(is_blind=True).filter(Q(sample=None) | ~Q(tier=Tier.SOON))
    for case in hidden.order_by("pk").values_list("pk", flat=True):
        yield {"row": None, "what": f"case {case} hides its reading, but must show it"}


def _undecided() -> Iterator[Fault]:
    """Find decisions with a wrong rule, and cases closed against theirs or though more came after it."""
    lying = Decision.objects.exclude(rule=F("reading__decided_by"))
    for case, rule in lying.order_by("pk").values_list("case", "rule"):
        yield {"row": None, "what": f"a decision on case {case} names the rule {rule!r}, its reading another"}
    newest = Decision.objects.filter(case=OuterRef("pk")).order_by("-id")
    closed = Case.objects.filter(state__in=Decision.Verdict.values).annotate(
        verdict=Subquery(newest.values("verdict")[:1]),
        seen=Subquery(newest.values("reading")[:1]),
        tier_seen=Subquery(newest.values("tier")[:1]),
        given=Subquery(newest.values(urgency=Decision.URGENCY)[:1]),
    )
    for case, state, verdict in closed.values_list("pk", "state", "verdict"):
        if state != verdict:
            yield {"row": None, "what": f"case {case} is {state}, but its last decision says {verdict}"}
    later = _suspicious().filter(version__report=OuterRef("report"), pk__gt=OuterRef("seen"))
    reread = Exists(later.exclude(shard=None))
    dismissed = Q(state=Case.State.DISMISSED) & Exists(later.filter(shard=None))
    # A person who gave a graver tier than the case had is not asked again by a reread that only agrees.
    untold = Q(tier__lt=F("given")) | ~reread
    risen = Q(state=Case.State.CONFIRMED, tier__lt=F("tier_seen")) & untold
    for case, state in closed.filter(dismissed | risen).values_list("pk", "state"):
        yield {"row": None, "what": f"case {case} is {state}, but a newer version made it wait again"}
    for one in closed.filter(reread, state=Case.State.DISMISSED).order_by("pk").iterator():
        if _asked_again(one):
            yield {"row": None, "what": f"case {one.pk} is dismissed, but a reread made it wait again"}


def _asked_again(case: Case) -> bool:
    """Whether a reading with other rules, after the last decision, says more than the person saw."""
    decision = case.decisions.select_related("reading").order_by("-id")[0]
    wordless = ErasedRow.objects.filter(table="reading").values("row")
    rereads = Reading.objects.filter(version__report=case.report_id, pk__gt=decision.reading_id)
    if ErasedRow.objects.filter(table="reading", row=decision.reading_id).exists():
        return False
    said = case.corrections.filter(reading__version=decision.reading.version_id)
    judged = list(said.values_list("start", "end"))
    later = rereads.exclude(shard=None).exclude(pk__in=wordless).order_by("pk")
    try:
        return any(asks_again(decision.reading, one, judged) for one in later)
    except UNREADABLE:  # no reader's object any more: its shard says so
        return False


NOT_SUSPICIOUS = len(Tier)  # after every tier: no case is due
_RANK = SqlCase(
    When(unreadable__gt="", then=Tier.UNREAD),
    *(When(tier=tier.label, then=tier) for tier in (Tier.STAT, Tier.URGENT, Tier.SOON)),
)


def _suspicious() -> QuerySet[Reading]:
    return Reading.objects.exclude(tier="routine")


def _readings_that_lie() -> Iterator[int]:
    """Find readings of early shards whose columns differ; digests of today cover the columns."""
    wordless = erased("reading")
    for shards in early_shards():
        readings = Reading.objects.filter(version__inputs__shard__in=shards).distinct().order_by("id")
        for reading in readings.iterator():
            columns = (reading.tier, reading.score, reading.unreadable, reading.decided_by)
            if reading.pk not in wordless and columns != _said(reading):
                yield reading.pk


def _said(reading: Reading) -> tuple[Any, ...] | None:
    try:
        said = reading.content
        return said["tier"], said["score"], said["unreadable"] or "", said["decided_by"]
    except UNREADABLE:  # not the reader's object any more
        return None
