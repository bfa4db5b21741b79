"""Which reports of before can be read again, with what they were read as so far."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Exists, OuterRef, QuerySet

from review.access import visible
from review.models import Account, Case, ErasedRow, Reading, ReportVersion


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldReading:
    """A version with its newest reading, and the case of its report if there is one."""

    version: ReportVersion
    reading: Reading
    case: Case | None


def held_readings(account: Account, since: datetime, source: str, size: int) -> Iterator[list[HeldReading]]:
    """Yield the current versions that a reread would take with their newest readings, some at a time."""
    versions = rereadable(account, since, source).select_related("report")
    last = 0
    while some := list(versions.filter(pk__gt=last)[:size]):
        last = some[-1].pk
        readings = {one.version_id: one for one in readings_of(some)}
        cases = Case.objects.filter(report__in=[version.report_id for version in some])
        there = {case.report_id: case for case in cases.select_related("reading", "report")}
        yield [
            HeldReading(version=version, reading=readings[version.pk], case=there.get(version.report_id))
            for version in some
            if version.pk in readings
        ]


def count_held(account: Account, since: datetime, source: str) -> int:
    """Return how many versions a reread would take."""
    return rereadable(account, since, source).count()


def rereadable(account: Account, since: datetime, source: str) -> QuerySet[ReportVersion]:
    """Return the versions since a moment that can be read again, of the sources that the person may see."""
    current = visible(with_text().filter(arrived_at__gte=since), account, "report__source").order_by("pk")
    return current.filter(report__source=source) if source else current


def with_text() -> QuerySet[ReportVersion]:
    """Return the current versions whose text is there: neither withdrawn nor erased."""
    wordless = Exists(ErasedRow.objects.filter(table="version", row=OuterRef("pk")))
    return ReportVersion.objects.filter(~wordless, is_current=True).exclude(status="deleted")


def readings_of(versions: list[ReportVersion]) -> list[Reading]:
    """Return the readings of versions in the order in which they were made: the last one counts."""
    return list(Reading.objects.filter(version__in=versions).order_by("pk"))
