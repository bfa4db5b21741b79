"""Readings as they were stored, to be made again: of a run, or of a report."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from django.db.models import QuerySet

from review.access import is_hidden, visible
from review.ledger.explanation import report_of
from review.models import Account, Case, ErasedRow, Outcome, Reading, Run, Shard

READ = (Outcome.QUEUED, Outcome.ROUTINE, Outcome.UNREADABLE_TEXT)


@dataclass(frozen=True, slots=True)
class Stored:
    """A reading of the ledger, its version and report with it."""

    reading: Reading
    is_erased: bool  # it lost its words
    is_hidden: bool  # its case waits to be read blind by who asks


def run_readings(run_id: int, account: Account) -> Iterator[Stored]:
    """Yield the readings that a run made, of the sources that the person may see; a shard in memory."""
    for shard in Shard.objects.filter(run=run_id).order_by("number").iterator():
        yield from _stored(_of_shard(shard), account)


def count_readings(run_id: int, account: Account) -> int | None:
    """Return how many readings `run_readings` yields; None when there is no such run."""
    run = Run.objects.filter(pk=run_id).first()
    if run is None:
        return None
    if run.kind == Run.Kind.REREAD:
        made = Reading.objects.filter(shard__run=run)
    else:
        made = Reading.objects.filter(
            shard=None, version__inputs__shard__run=run, version__inputs__outcome__in=READ
        )
    return visible(made, account, "version__report__source").count()


def report_readings(name: str, account: Account) -> tuple[int, list[Stored]] | None:
    """Return the id of a report and its readings in their order; None when there is no such report.

    Parameters
    ----------
    name
        As `explain` takes it: a report key, `C12`, `I12`, an accession number or a file's path.
    """
    report = report_of(name, account)
    if report is None:
        return None
    return report, list(_stored(Reading.objects.filter(version__report=report), account))


def _of_shard(shard: Shard) -> QuerySet[Reading]:
    if shard.kind == "readings":
        return Reading.objects.filter(shard=shard)
    return Reading.objects.filter(shard=None, version__inputs__shard=shard, version__inputs__outcome__in=READ)


def _stored(made: QuerySet[Reading], account: Account) -> Iterator[Stored]:
    seen = visible(made, account, "version__report__source").select_related("version__report")
    readings = list(seen.order_by("pk"))
    ids = [reading.pk for reading in readings]
    erased = set(ErasedRow.objects.filter(table="reading", row__in=ids).values_list("row", flat=True))
    reports = [reading.version.report_id for reading in readings]
    hidden = {
        case.report_id
        for case in Case.objects.filter(report__in=reports, is_blind=True)
        if is_hidden(case, account)
    }
    for reading in readings:
        yield Stored(reading, reading.pk in erased, reading.version.report_id in hidden)
