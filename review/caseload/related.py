"""The other reports of the same patient or study, and the cases they make."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce

from review.access import is_hidden, visible
from review.evidence import UNREADABLE
from review.models import Account, Case, Reading, ReportVersion

TOGETHER = 10  # waiting cases named beside the one that is read
MOST = 500  # other reports of a patient that are looked through for them


@dataclass(frozen=True, slots=True)
class Related:
    """Another report as a line: its newest version, its case if it makes one, and what it was read as."""

    version: ReportVersion
    case: Case | None
    tier: str  # of the case, else of the reading; "" when it is kept back or there is none
    outcome: str
    is_same_study: bool

    @property
    def date(self) -> str:
        """The day of the study, else of the report's result, else of its arrival."""
        study = self.version.study
        day = (study.study_time if study else "") or str(self.version.context.get("study_date") or "")
        return day[:10] or (self.version.result_time or self.version.arrived_at).date().isoformat()


def related(version: ReportVersion, account: Account) -> QuerySet[ReportVersion]:
    """Return the current versions of other reports of the same patient or study, the newest first.

    The patient is the same when id and issuer are; an empty id is nobody's. Ids without an issuer count
    within one source only, as two sources may give the same number to two people.
    """
    same = Q(pk__in=[])
    if version.patient_id:
        same = Q(patient_id=version.patient_id, patient_issuer=version.patient_issuer)
        if not version.patient_issuer:
            same &= Q(report__source=version.report.source)
    if version.study_id:
        same |= Q(study=version.study_id)
    others = ReportVersion.objects.filter(same, is_current=True).exclude(report=version.report_id)
    return visible(others, account, "report__source").order_by(
        Coalesce("result_time", "arrived_at").desc(), "-id"
    )


def lines(others: QuerySet[ReportVersion], version: ReportVersion, account: Account) -> list[Related]:
    """Return a piece of `related` as lines, in one query."""
    newest = Reading.objects.filter(version=OuterRef("pk")).order_by("-id")
    read = others.select_related("study", "report__case__claimed_by").defer("text")
    read = read.annotate(
        read_tier=Subquery(newest.values("tier")[:1]), unreadable=Subquery(newest.values("unreadable")[:1])
    )
    return [_line(other, version, account) for other in read]


def waiting(others: QuerySet[ReportVersion]) -> QuerySet[ReportVersion]:
    """Return those of `related` whose cases wait, at most `TOGETHER` of the gravest.

    Chosen here and not by the database: a planner that begins at the open cases reads all of them.
    """
    cases = others.values_list("report__case__state", "report__case__tier", "report")[:MOST]
    gravest = sorted((tier, report) for state, tier, report in cases if state == Case.State.WAITING)
    return others.filter(report__in=[report for _, report in gravest[:TOGETHER]])


def _line(other: ReportVersion, version: ReportVersion, account: Account) -> Related:
    case: Case | None = getattr(other.report, "case", None)
    tier = case.get_tier_display() if case else (other.read_tier or "")  # type: ignore[attr-defined]
    unreadable = other.unreadable  # type: ignore[attr-defined]
    if case is not None and is_hidden(case, account):
        tier, outcome = "", case.status
    elif other.status == "deleted":
        outcome = "withdrawn"
    elif case is not None:
        outcome = case.status
    elif unreadable:
        outcome = UNREADABLE.get(unreadable, unreadable)
    else:
        outcome = "nothing to review" if tier == "routine" else "not read"
    same_study = version.study_id is not None and other.study_id == version.study_id
    return Related(other, case, tier, outcome, same_study)
