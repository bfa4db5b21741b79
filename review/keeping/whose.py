"""Which rows belong to a patient, a report or a rejected input."""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from django.conf import settings
from django.db.models import Exists, OuterRef, Q, QuerySet

from review.access import visible
from review.keeping.erased import with_words
from review.models import Account, Case, Input, LegalHold, Report, ReportVersion, Run, Study

SHORTEST = 4  # characters of a patient's id that are looked for among bytes; a shorter one is in all of them
LONGEST = 64 * 2**20  # bytes that one rejected input may grow to when it is looked into


@dataclass(frozen=True, slots=True)
class Whose:
    """What is to be erased or held, as ids of the ledger.

    `others` are reports that name another patient too, `suspects` rejected inputs in whose bytes the
    patient's id stands: a person must look at both, so they are named and left as they are.
    """

    reports: list[int]
    inputs: list[int] = field(default_factory=list)
    studies: list[int] = field(default_factory=list)
    holds: list[int] = field(default_factory=list)
    others: list[int] = field(default_factory=list)
    suspects: list[int] = field(default_factory=list)


def of_patient(account: Account, patient_id: str, issuer: str) -> Whose:
    """Return everything of a patient, of the sources that the person may see.

    Parameters
    ----------
    issuer
        Who gave the id; "" = whoever did.
    """
    same = Q(patient_id=patient_id)
    if issuer:
        same &= Q(patient_issuer=issuer)
    versions = ReportVersion.objects.filter(same).values("report")
    reports = visible(Report.objects.filter(pk__in=versions), account)
    strangers = ReportVersion.objects.filter(report=OuterRef("pk")).exclude(patient_id="").exclude(same)
    mixed = list(reports.filter(Exists(strangers)).order_by("pk").values_list("pk", flat=True))
    own = list(reports.exclude(pk__in=mixed).order_by("pk").values_list("pk", flat=True))
    studies = visible(Study.objects.filter(same), account)
    lifted = LegalHold.objects.filter(same).exclude(lifted_at=None)
    return Whose(
        reports=own,
        inputs=rejected_of(own),
        studies=sorted({*studies.values_list("pk", flat=True), *studies_of(own)}),
        holds=list(lifted.values_list("pk", flat=True)),
        others=mixed,
        suspects=list(holding(_kept(account).exclude(pk__in=rejected_of(own)), [patient_id])),
    )


def of_report(account: Account, key: str) -> Whose | None:
    """Return one report with all its versions; None when there is none that the person may see."""
    return _of(visible(Report.objects.filter(key=key), account))


def of_case(account: Account, case: int) -> Whose | None:
    """Return the report of a case; None when there is none that the person may see."""
    return _of(visible(Report.objects.filter(pk__in=Case.objects.filter(pk=case).values("report")), account))


def of_input(account: Account, number: int) -> Whose | None:
    """Return one rejected input; None when there is none that the person may see."""
    inputs = visible(Input.objects.filter(pk=number, version=None), account, "portion__source")
    found = list(inputs.values_list("pk", flat=True))
    return Whose(reports=[], inputs=found) if found else None


def _of(reports: QuerySet[Report]) -> Whose | None:
    found = list(reports.values_list("pk", flat=True))
    return Whose(reports=found, inputs=rejected_of(found), studies=studies_of(found)) if found else None


def rejected_of(reports: list[int]) -> list[int]:
    """Return the rejected inputs whose kept bytes became versions of these reports."""
    later = Input.objects.filter(version__report__in=reports).exclude(portion__again=None)
    return sorted(set(later.values_list("portion__again", flat=True)))


def studies_of(reports: list[int]) -> list[int]:
    """Return the studies that of all reports with words only these hang on."""
    versions = ReportVersion.objects.filter(report__in=reports).exclude(study=None)
    linked = set(versions.values_list("study", flat=True))
    others = with_words(ReportVersion.objects.filter(study__in=linked)).exclude(report__in=reports)
    return sorted(linked - set(others.values_list("study", flat=True)))


def _kept(account: Account) -> QuerySet[Input]:
    return visible(Input.objects.exclude(raw=None), account, "portion__source")


def holding(inputs: QuerySet[Input], ids: Iterable[str]) -> Iterator[int]:
    """Yield the inputs in whose kept bytes one of the patients' ids stands, one input in memory at a time."""
    words = [one for one in ids if len(one) >= SHORTEST]
    if not words:
        return
    forms = {re.escape(word.encode(code)) for word in words for code in ("utf-8", "utf-16-le", "utf-16-be")}
    pattern = re.compile(b"|".join(sorted(forms)))
    for pk, raw in inputs.order_by("pk").values_list("pk", "raw").iterator(chunk_size=1):
        if pattern.search(zlib.decompressobj().decompress(bytes(raw or b""), LONGEST)):
            yield pk


def runs_of(whose: Whose) -> list[int]:
    """Return the runs that took these reports in and whose outcome table lies under `runs/`."""
    runs = Run.objects.filter(shards__inputs__version__report__in=whose.reports)
    numbers = runs.order_by("pk").values_list("pk", flat=True).distinct()
    return [number for number in numbers if (settings.VAR / "runs" / f"run-{number}.csv").exists()]
