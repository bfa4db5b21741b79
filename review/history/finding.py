"""Finding any report ever seen: by its key or number, accession, patient, case, input, run and item, or file.

What is searched for may name a patient: it is never in an address, and the audit holds its keyed digest only.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from django.db.models import Exists, OuterRef, QuerySet

from review.access import may, visible
from review.caseload.search import clean, record_search
from review.digests import sha256
from review.models import Account, Case, Input, Outcome, Portion, Report, Shard

MOST = 200  # inputs that a search shows
_NUMBER = re.compile(r"([CIci])([0-9]{1,18})")
_IN_RUN = re.compile(r"run ([0-9]{1,18})(?: item ([0-9]{1,18}))?", re.IGNORECASE)
_SHORTEST = 4  # characters of a part of a name for which all names are gone through


def search(said: str, account: Account) -> list[Input]:
    """Return the inputs that a name stands for, the newest first, at most `MOST`; that is recorded."""
    said = clean(said)
    found = (
        next((some for some in (list(q[:MOST]) for q in candidates(said, account)) if some), [])
        if said
        else []
    )
    if said:
        record_search(account, said, len(found))
    return found


def candidates(said: str, account: Account) -> Iterator[QuerySet[Input]]:
    """Give the inputs that a name may stand for, the likeliest first; one after the other is tried."""
    allowed = visible(Input.objects.all(), account, "portion__source")
    allowed = allowed.select_related("portion", "shard", "version__report").defer(
        "raw", "version__text", "version__context"
    )
    allowed = allowed.order_by("-id")
    yield allowed.filter(version__report__key=said)
    if number := _NUMBER.fullmatch(said):
        is_case = number[1] in "Cc"
        yield allowed.filter(**{"version__report__case" if is_case else "pk": int(number[2])})
    if place := _IN_RUN.fullmatch(said):
        yield _of_run(allowed, int(place[1]), place[2])
    yield allowed.filter(version__accession=said)
    yield allowed.filter(portion__path_digest=sha256(said))
    yield allowed.filter(version__patient_id=said)
    if len(said) >= _SHORTEST:  # these go through all names there are
        # The names first, then the inputs: together, a database goes through all inputs from the newest on.
        reports = visible(Report.objects.filter(key__endswith=f"/{said}"), account).order_by("-id")
        yield allowed.filter(version__report__in=_ids(reports))
        portions = visible(Portion.objects.filter(path__endswith=f"/{said}"), account).order_by("-id")
        yield allowed.filter(portion__in=_ids(portions))


def _of_run(allowed: QuerySet[Input], run: int, item: str | None) -> QuerySet[Input]:
    """Leave the inputs of a run; without an item only of so many of its newest shards as fill a search."""
    shards = Shard.objects.filter(run=run).exclude(kind="readings").order_by("-id")
    if item:
        return allowed.filter(shard__in=list(shards.values_list("pk", flat=True)), item=int(item))
    chosen, held = [], 0
    for pk, counts in shards.values_list("pk", "counts").iterator():
        chosen.append(pk)
        held += sum(counts.get(name, 0) for name in Outcome.values)
        if held >= MOST:
            break
    return allowed.filter(shard__in=chosen)


def _ids(rows: QuerySet[Any]) -> list[int]:
    return list(rows.values_list("pk", flat=True)[:MOST])


def standing(inputs: QuerySet[Input]) -> Input | None:
    """Return the newest input that stands for itself: a duplicate only says that the same came again."""
    newest = inputs.order_by("-id")
    return newest.exclude(outcome="duplicate").first() or newest.first()


def blind(inputs: list[Input], account: Account) -> set[int]:
    """Return the reports among them that are to be read blind by this person."""
    if not may(account, "decide"):
        return set()
    reports = {one.version.report_id for one in inputs if one.version}
    waiting = Case.objects.filter(report__in=reports, is_blind=True, state=Case.State.WAITING)
    return set(waiting.values_list("report", flat=True))


def open_to(account: Account) -> QuerySet[Input]:
    """Return the inputs whose outcome the person may know: what is to be read blind is kept from deciders."""
    found = visible(Input.objects.all(), account, "portion__source")
    if not may(account, "decide"):
        return found
    waiting = Case.objects.filter(is_blind=True, state=Case.State.WAITING)
    return found.exclude(Exists(waiting.filter(report__versions=OuterRef("version"))))


def of_report(report_id: int, account: Account) -> QuerySet[Input]:
    """Return the inputs of a report that the person may see, the oldest first."""
    found = visible(Input.objects.filter(version__report=report_id), account, "portion__source")
    found = found.select_related("portion", "shard", "version__report").defer("raw", "version__context")
    return found.order_by("id")
