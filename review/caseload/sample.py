"""The quality sample: routine reports that people read blind, so that it shows what the machine misses."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet

from review.caseload import blind
from review.caseload.blind import Stratum
from review.caseload.changes import new_case
from review.models import Case, CaseEvent, ErasedRow, Reading, Report, SampleHead, Tier

CHUNK = 1000  # readings looked at in one transaction
# Older readings are not drawn: switched on, the sample must not bring the reports of last year.
REACH = timedelta(days=7)
# Readings may appear behind newer ones until the shards that were being stored are there.
SETTLED = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Drawn:
    """What one drawing did: routine readings looked at, and cases opened."""

    looked_at: int
    opened: int


def draw(now: datetime) -> Drawn:
    """Open a blind case for each routine report of the sample; said again, it changes nothing.

    A report is in the sample or not for good (`blind.is_chosen`), and one that has a case is left alone, so
    readings may be looked at twice: the next drawing begins where everything had settled.
    """
    looked_at = opened = 0
    if blind.share(Stratum.ROUTINE):
        for some in _pieces(now):
            chosen = [reading for reading, _, key in some if blind.is_chosen(Stratum.ROUTINE, key)]
            settled = max((reading for reading, at, _ in some if at <= now - SETTLED), default=0)
            opened += _open(chosen, settled, now)
            looked_at += len(some)
    return Drawn(looked_at, opened)


def _pieces(now: datetime) -> Iterator[list[tuple[int, datetime, str]]]:
    """Yield the routine readings from where the last drawing ended: id, time and report key."""
    fresh = _routine().filter(at__gt=now - REACH).order_by("pk")
    last = SampleHead.objects.values_list("reading", flat=True).first() or 0
    while some := list(fresh.filter(pk__gt=last).values_list("pk", "at", "version__report__key")[:CHUNK]):
        last = some[-1][0]
        yield some


def _routine() -> QuerySet[Reading]:
    """Return the readings of current versions that are routine, of reports that have no case."""
    current = Reading.objects.filter(shard=None, version__is_current=True, version__report__case=None)
    # Without words nobody could read it.
    wordless = ErasedRow.objects.filter(table="version", row=OuterRef("version_id"))
    return current.filter(tier="routine", unreadable="").exclude(Exists(wordless))


def _open(chosen: list[int], settled: int, now: datetime) -> int:
    with transaction.atomic():
        SampleHead.objects.bulk_create([SampleHead(id=1)], ignore_conflicts=True)
        head = SampleHead.objects.select_for_update().get(id=1)
        cases = _cases(chosen, now)
        events = _opened(cases)
        head.reading = max(head.reading, settled)
        head.save()
        blind.keep(cases, Stratum.ROUTINE, now, events)
    return len(cases)


def _cases(chosen: list[int], now: datetime) -> list[Case]:
    """Make the cases of readings that are still current; their reports locked, as the ledger does."""
    reports = Report.objects.filter(versions__readings__in=chosen)
    list(Report.objects.select_for_update().filter(pk__in=reports).order_by("key"))
    readings = _routine().filter(pk__in=chosen).select_related("version__report").order_by("pk")
    newest = {reading.version.report_id: reading for reading in readings}
    cases = []
    for reading in newest.values():
        case = new_case(reading.version, reading, Tier.SOON, _place(reading, now))
        case.first_arrival, case.is_blind = case.waiting_since, True
        cases.append(case)
    cases.sort(key=lambda case: case.first_arrival)
    Case.objects.bulk_create(cases)
    return cases


def _opened(cases: list[Case]) -> list[CaseEvent]:
    return CaseEvent.objects.bulk_create(
        CaseEvent(
            case=case,
            at=case.waiting_since,
            kind=CaseEvent.Kind.OPENED,
            version=case.reading.version,
            tier=case.tier,
        )
        for case in cases
    )


def _place(reading: Reading, now: datetime) -> datetime:
    """Return since when the case seems to wait: the time that gives it away neither by place nor by clock.

    Drawn cases that all waited since the drawing would stand together, or show a clock that does not fit
    their neighbours'. So a case stands where a case of its arrival would, with the clock of its neighbours.
    An older one is put at a time drawn by lot, so that half of its limit is left. The true time of the
    drawing is kept with the sample and in the audit.
    """
    back = timedelta(minutes=settings.WAITING_MINUTES[Tier.SOON.label] / 2)
    arrived = reading.version.arrived_at
    if now - arrived <= back:
        return arrived
    return now - back * blind.lot("place", reading.version.report.key)
