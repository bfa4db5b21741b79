"""What no input brought, what is not the newest though it says so, and by which words filters find it."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from itertools import groupby
from operator import itemgetter
from typing import Any

from django.db.models import Exists, F, OuterRef, Q, Subquery

from review.digests import UNREADABLE
from review.models import Case, CaseMark, Input, Outcome, Reading, Report, ReportVersion, Shard

Fault = dict[str, Any]
_END: tuple[int, Iterable[tuple[Any, ...]]] = (sys.maxsize, ())


def version_faults() -> Iterator[Fault]:
    """Find reports, versions and readings made up, and a version that is not current though it should be."""
    brought = Input.objects.filter(version=OuterRef("pk")).exclude(outcome=Outcome.DUPLICATE)
    standing = ReportVersion.objects.filter(report=OuterRef("pk")).exclude(inputs__outcome=Outcome.SUPERSEDED)
    versions = ReportVersion.objects.filter(~Exists(brought))
    yield from _named(versions, "version {} was brought by no input")
    current = ReportVersion.objects.filter(report=OuterRef("pk"), is_current=True).values("number")[:1]
    newest = standing.order_by("-number").values("number")[:1]
    reports = Report.objects.annotate(current=Subquery(current), newest=Subquery(newest))
    wrong = Q(current=None) | Q(newest=None) | ~Q(current=F("newest"))
    yield from _named(reports.filter(wrong), "report {} does not show its newest version")
    readings = Reading.objects.exclude(shard=None).exclude(shard__state=Shard.State.DONE)
    yield from _named(readings, "reading {} is of a shard that is not done")
    yield from _mark_faults()


def _named(rows: Any, what: str) -> Iterator[Fault]:
    for pk in rows.order_by("pk").values_list("pk", flat=True).iterator():
        yield {"row": None, "what": what.format(pk)}


def _mark_faults() -> Iterator[Fault]:
    """Find cases that filters find by other words than their newest reading affirms."""
    from review.caseload.marks import marks  # noqa: PLC0415 - caseload needs the audit

    cases = Case.objects.exclude(state=Case.State.WITHDRAWN).select_related("reading").order_by("pk")
    written = CaseMark.objects.order_by("case").values_list("case", "kind", "value").iterator()
    there = groupby(written, key=itemgetter(0))
    number, marked = next(there, _END)
    for case in cases.iterator():
        while number < case.pk:
            number, marked = next(there, _END)
        found = {tuple(row[1:]) for row in marked} if number == case.pk else set()
        try:
            affirmed = () if case.is_blind else marks(case.reading.content)
            due = {(kind, value[:60]) for kind, value in affirmed}
        except UNREADABLE:  # not the reader's object any more
            due = {("", "")}
        if found != due:
            yield {"row": None, "what": f"the marks of case {case.pk} differ from its newest reading"}
