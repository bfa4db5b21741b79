"""What the times of `[retention_days]` take, class by class, in small transactions.

Broken off at any moment it has done whole pieces, and goes on where it stopped when it is called again: what
is erased already is not due any more.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet

from review.keeping import holds
from review.keeping.erased import with_words
from review.keeping.erasing import Act, erase_rows
from review.keeping.sweep import sweep
from review.keeping.whose import Whose, rejected_of, studies_of
from review.models import Case, Discard, ErasedRow, Input, Outcome, Report, ReportVersion, Shard, Study

PIECE = 100  # reports, inputs or studies of one transaction
Due = Callable[[datetime], QuerySet[Any]]
State = Case.State


def expire(now: datetime) -> dict[str, int]:
    """Erase what is kept for longer than its time; return how many of each class.

    Raises
    ------
    OSError
        When an outcome table cannot be removed; what went before has gone.
    """
    counts = {name: _erase_due(due(before), whose) for name, before, due, whose in _classes(now)}
    if any(counts.values()):
        sweep(whole=False)
    tables = _outcome_tables(now)
    for file in tables:
        file.unlink(missing_ok=True)
    return counts | {"outcome_tables": len(tables)}


def expired(now: datetime) -> dict[str, int]:
    """Return how many of each class `expire` would take now."""
    counts = {name: due(before).count() for name, before, due, _ in _classes(now)}
    return counts | {"outcome_tables": len(_outcome_tables(now))}


def _classes(now: datetime) -> Iterator[tuple[str, datetime, Due, Callable[[list[int]], Whose]]]:
    """Yield the classes that have a time: name, since when a row is due, which rows are, and what goes."""
    days = settings.SITE.retention_days
    for name, (due, whose) in CLASSES.items():
        if limit := getattr(days, name):
            yield name, now - timedelta(days=limit), due, whose


def _erase_due(due: QuerySet[Any], whose: Callable[[list[int]], Whose]) -> int:
    total, last = 0, 0
    while ids := list(due.filter(pk__gt=last).order_by("pk").values_list("pk", flat=True)[:PIECE]):
        last = ids[-1]
        with transaction.atomic():
            # Asked again under the lock: a newer version or a person may have come in between.
            list(due.model.objects.select_for_update().filter(pk__in=ids).order_by("pk").only("pk"))
            still = list(due.filter(pk__in=ids).values_list("pk", flat=True))
            erase_rows(whose(still), Act(None, ""))
        total += len(still)
    return total


def _routine(before: datetime) -> QuerySet[Report]:
    return _old_reports(before).filter(case=None)


def _decided(before: datetime) -> QuerySet[Report]:
    decided = Q(case__state__in=(State.CONFIRMED, State.DISMISSED), case__decided_at__lt=before)
    # A result that nobody was told of is not done with.
    return _old_reports(before).filter(decided | Q(case__state=State.WITHDRAWN), case__is_to_tell=False)


def _old_reports(before: datetime) -> QuerySet[Report]:
    """Return reports that have words, got no version since, and are under no hold."""
    versions = ReportVersion.objects.filter(report=OuterRef("pk"))
    newer = Exists(versions.filter(arrived_at__gte=before))
    return holds.free(Report.objects.filter(Exists(with_words(versions))).exclude(newer))


def _settled(before: datetime) -> QuerySet[Input]:
    """Return rejected inputs with bytes that a person discarded, or that a later attempt took in."""
    taken = Input.objects.filter(portion__again=OuterRef("pk"), shard__state=Shard.State.DONE)
    settled = Exists(Discard.objects.filter(input=OuterRef("pk"), at__lt=before, ended_at=None)) | Exists(
        taken.filter(shard__ended_at__lt=before).exclude(outcome=Outcome.REJECTED)
    )
    inputs = Input.objects.exclude(raw=None).filter(settled)
    return inputs.exclude(pk__in=list(holds.of_inputs(inputs)))


def _studies(before: datetime) -> QuerySet[Study]:
    """Return studies of an earlier day, told by their headers, that no report with words hangs on."""
    day = before.astimezone(UTC).date().isoformat()
    gone = Exists(ErasedRow.objects.filter(table="study", row=OuterRef("pk")))
    worded = Exists(with_words(ReportVersion.objects.filter(study=OuterRef("pk"))))
    old = Study.objects.exclude(study_time="").filter(study_time__lt=day)
    return holds.free_studies(old.exclude(gone | worded))


def _of_reports(ids: list[int]) -> Whose:
    return Whose(reports=ids, inputs=rejected_of(ids), studies=studies_of(ids))


CLASSES: dict[str, tuple[Due, Callable[[list[int]], Whose]]] = {
    "routine_reports": (_routine, _of_reports),
    "decided_cases": (_decided, _of_reports),
    "settled_bytes": (_settled, lambda ids: Whose(reports=[], inputs=ids)),
    "studies": (_studies, lambda ids: Whose(reports=[], studies=ids)),
}


def _outcome_tables(now: datetime) -> list[Path]:
    days = settings.SITE.retention_days.outcome_tables
    if not days:
        return []
    before = (now - timedelta(days=days)).timestamp()
    return [file for file in (settings.VAR / "runs").glob("run-*.csv") if file.stat().st_mtime < before]
