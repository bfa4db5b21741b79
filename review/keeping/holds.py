"""Legal hold: while one stands, nothing of its patient or report is erased, and nothing expires."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from review import audit
from review.blank import hold_digest
from review.keeping.whose import holding
from review.models import Account, Input, LegalHold, Report, ReportVersion, Study


def standing() -> QuerySet[LegalHold]:
    """Return the holds that nobody has lifted."""
    return LegalHold.objects.filter(lifted_at=None)


def _on(patient: str, issuer: str) -> QuerySet[LegalHold]:
    """Return the holds on a patient, given by the names of a row's fields; an empty id is nobody's."""
    named = standing().exclude(patient_id="").filter(patient_id=OuterRef(patient))
    return named.filter(Q(patient_issuer="") | Q(patient_issuer=OuterRef(issuer)))


def held(reports: QuerySet[Report]) -> QuerySet[Report]:
    """Leave the reports under a hold: of themselves, of a patient whom a version or its study names."""
    versions = ReportVersion.objects.filter(report=OuterRef("pk")).filter(
        Exists(_on("patient_id", "patient_issuer"))
        | Exists(_on("study__patient_id", "study__patient_issuer"))
    )
    return reports.filter(Exists(versions) | Exists(standing().filter(report=OuterRef("pk"))))


def held_studies(studies: QuerySet[Study]) -> QuerySet[Study]:
    """Leave the studies under a hold: of their patient, or of a report that hangs on them."""
    reports = held(Report.objects.filter(versions__study=OuterRef("pk")))
    return studies.filter(Exists(_on("patient_id", "patient_issuer")) | Exists(reports))


def free(reports: QuerySet[Report]) -> QuerySet[Report]:
    """Leave out the reports under a hold; mostly there is none, which costs a look and no search."""
    return reports.exclude(pk__in=held(Report.objects.all()).values("pk")) if standing().exists() else reports


def free_studies(studies: QuerySet[Study]) -> QuerySet[Study]:
    """Leave out the studies under a hold."""
    kept = held_studies(Study.objects.all()).values("pk")
    return studies.exclude(pk__in=kept) if standing().exists() else studies


def held_patients() -> list[str]:
    """Return the ids of the patients under a hold."""
    return list(standing().exclude(patient_id="").values_list("patient_id", flat=True).distinct())


def place(account: Account, reason: str, *, patient_id: str = "", issuer: str = "", report: int = 0) -> int:
    """Place a hold on a patient, or on one report, and return its number."""
    with transaction.atomic():
        hold = LegalHold.objects.create(
            patient_id=patient_id,
            patient_issuer=issuer,
            report_id=report or None,
            reason=reason,
            placed_by=account,
            placed_at=timezone.now(),
        )
        audit.record(
            audit.Action.HOLD_PLACED,
            actor=account.actor,
            subject=f"hold:{hold.pk}",
            hold=hold.pk,
            digest=hold_digest(hold),
        )
    return hold.pk


def lift(account: Account, number: int) -> bool:
    """Lift a hold; False when there is none of this number that stands."""
    with transaction.atomic():
        lifted = standing().filter(pk=number).update(lifted_by=account, lifted_at=timezone.now())
        if lifted:
            audit.record(audit.Action.HOLD_LIFTED, actor=account.actor, subject=f"hold:{number}", hold=number)
    return bool(lifted)


def all_holds() -> list[dict[str, Any]]:
    """Return the holds, the newest first; not whom they are on, but how many reports each covers."""
    rows = LegalHold.objects.select_related("placed_by", "lifted_by", "report").order_by("-pk")
    return [
        {
            "hold": row.pk,
            "on": "report" if row.report_id else "patient",
            "reports": _covered(row),
            "reason": row.reason,
            "placed_by": row.placed_by.username,
            "placed_at": row.placed_at.isoformat(),
            "lifted_by": row.lifted_by.username if row.lifted_by else None,
            "lifted_at": row.lifted_at.isoformat() if row.lifted_at else None,
        }
        for row in rows
    ]


def _covered(hold: LegalHold) -> int:
    if hold.report_id:
        return 1
    named = ReportVersion.objects.filter(patient_id=hold.patient_id).exclude(patient_id="")
    if hold.patient_issuer:
        named = named.filter(patient_issuer=hold.patient_issuer)
    return named.values("report").distinct().count()


def numbers(reports: Iterable[int]) -> list[int]:
    """Return which of these reports are under a hold."""
    return list(held(Report.objects.filter(pk__in=list(reports))).values_list("pk", flat=True))


def of_inputs(inputs: QuerySet[Input]) -> Iterator[int]:
    """Yield rejected inputs under a hold: a held patient's id is in their bytes, or their report is held."""
    if not standing().exists():
        return
    retried = Report.objects.filter(versions__inputs__portion__again=OuterRef("pk"))
    sure = set(inputs.filter(Exists(held(retried))).values_list("pk", flat=True))
    yield from sorted(sure)
    yield from holding(inputs.exclude(pk__in=sure), held_patients())
