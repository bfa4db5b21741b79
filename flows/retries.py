"""Rejected inputs that people want tried again: from a request to shards, from kept bytes to reports."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

from django.db import transaction
from django.utils import timezone

from flows import batch, places
from flows.intake import formats
from flows.intake.sources import Source
from flows.isolated import LoadReports
from review import desk, ledger
from review.ledger import DueInput, TakenPortion
from review.models import Account, Run
from review.records import NewPortion, PortionKind


def open_retry(account: Account, ids: list[int], asked: desk.Wanted) -> int:
    """Open a run that tries these inputs again, or all that fit the filters when none is named."""
    with transaction.atomic():  # nothing to try again = no run
        run = batch.open_run("command", actor=account.actor, kind=Run.Kind.RETRY)
        if ids:
            desk.retry(account, ids, run)
        else:
            desk.retry_all(account, asked, timezone.now(), run)
    return run


def take_requests(run: int) -> int:
    """Make shards of what people want tried again; return how many. May be repeated at any moment."""
    limits, _ = places.configured()
    sizes: dict[PortionKind, int] = {"studies": limits.shard_files, "reports": limits.shard_reports}
    shards = 0
    for request in ledger.claim_requests(run):
        for kind, size in sizes.items():
            for portions in batch.packed(_portions(request, kind), size):
                shards += ledger.add_shard(run, portions, request) is not None
        ledger.close_requests(request)  # nothing of it may be left to do
    return shards


def loading(source: Source, portion: TakenPortion) -> LoadReports:
    """Return the task that takes a rejected input again: from its kept bytes, else from the source.

    Its last results are the portion's items: a table is read from where the portion begins that they are of.
    """
    kept, found = ledger.kept(portion.id), portion.as_found()
    if kept.raw is not None:
        # A row is kept with its header as a small file of its own; a whole file is cut as it was.
        offset = portion.offset if portion.offset != kept.offset else 0
        return LoadReports(source=source, portion=dataclasses.replace(found, offset=offset), kept=kept.raw)
    items = portion.first - kept.begins + portion.items
    whole = dataclasses.replace(found, first=kept.begins, items=items)
    return LoadReports(source=source, portion=whole)


def _portions(request: int, kind: PortionKind) -> Iterator[NewPortion]:
    folders: set[tuple[str, str, str]] = set()
    for due in ledger.due(request, kind):
        portion = due.portion
        if kind == "studies":  # its faults are told apart when it is read, and all of them are
            folder = portion.source, portion.path, portion.fingerprint
            if folder not in folders:
                folders.add(folder)
                yield portion
        elif due.is_file:
            yield from _cut(due)
        else:
            yield portion


def _cut(due: DueInput) -> Iterator[NewPortion]:
    """Cut a file anew: other settings may find a table of many rows where none could be read before."""
    source = places.named(due.portion.source)
    cut = formats.cut(source, due.portion, ledger.kept_bytes(due.id)) if source else []
    yield from (dataclasses.replace(portion, again=due.id) for portion in cut or [due.portion])
