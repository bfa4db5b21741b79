"""The steps of a batch around its shards: begin, find, summarize; plain functions over the ledger."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator
from importlib.metadata import version
from itertools import groupby, islice
from pathlib import Path
from typing import TypeVar

from flows import editions, places
from flows.intake import dicom, formats
from flows.intake.frame import outcome_table
from flows.intake.sources import Source
from flows.isolated import LoadReports, LoadStudies
from flows.isolation import carry_out
from flows.pulse import Beat, of_run
from nlp import vocabulary
from review import audit, ledger
from review.ledger import FailedPortion
from review.models import Run
from review.records import NewPortion, PortionKind
from review.site import var_folder

FILES_A_LOOK = 500  # how many files are looked up in the ledger at once
SHARD_BYTES = 16 * 2**20  # a shard is held in memory as a whole
T = TypeVar("T")


def check(scope: str) -> None:
    """Refuse a source that does not exist, and a configuration no run can use, before anything starts."""
    places.of(scope)
    vocabulary.current()


def open_run(
    trigger: str, scope: str = "", actor: str = audit.SYSTEM, *, kind: Run.Kind = Run.Kind.TRIAGE
) -> int:
    """Open a run in the ledger, with the versions of rules and code that it will use."""
    if scope and Path(scope).is_dir():
        scope = str(Path(scope).resolve())
    check(scope)
    return ledger.open_run(
        trigger=trigger,
        scope=scope,
        actor=actor,
        kind=kind,
        # Not by the reader's door: that would load spaCy into a process that reads nothing itself.
        rules_version=editions.keep(vocabulary.current().rules),
        code_version=version("spinetriage"),
    )


def find(run: int, kind: PortionKind) -> list[int]:
    """Cut what lies in the sources and is not known into shards; return all shards that wait for the run.

    Among them may be those of a crashed run, which this one took over.
    """
    batch, _ = places.configured()
    size = batch.shard_reports if kind == "reports" else batch.shard_files
    unchanged: list[int] = []
    beat = of_run(run)
    for portions in packed(_unknown(run, kind, unchanged, beat), size):
        ledger.add_shard(run, portions)
    if kind == "reports":  # images are no inputs
        ledger.count_unchanged(run, sum(unchanged))
    return ledger.unfinished(run, kind)


def missing_sources(run: int) -> list[str]:
    """Return the names of the run's sources whose folder cannot be listed: away, or not ours to read."""
    return [source.name for source in places.of(ledger.scope(run)) if not places.is_there(source)]


def _unknown(run: int, kind: PortionKind, unchanged: list[int], beat: Beat) -> Iterator[NewPortion]:
    """Yield the portions that have no outcome yet, and those that failed but would not fail so again.

    The number of items of each file that has nothing new is noted.
    """
    for source in places.of(ledger.scope(run)):
        if (source.kind == "dicom") != (kind == "studies") or not places.is_there(source):
            continue
        files = groupby(formats.find(source), lambda portion: (portion.path, portion.fingerprint))
        for some in _batched(((at, list(portions)) for at, portions in files), FILES_A_LOOK):
            beat()
            paths = [path for (path, _), _ in some]
            known, failed = ledger.known(source.name, paths), ledger.failed(source.name, paths)
            for at, portions in some:
                items = sum(portion.items for portion in portions)
                if known.get(at, 0) < items:
                    yield from portions
                    continue
                size = sum(portion.size for portion in portions)
                again = [portion for portion in failed.get(at, ()) if _has_news(source, portion)]
                yield from (dataclasses.replace(portion, size=size) for portion in again)
                unchanged.append(items - sum(portion.items for portion in again))


def _has_news(source: Source, portion: FailedPortion) -> bool:
    """Read a portion that failed: whether anything but the same failures comes of it now."""
    if portion.kind == "studies":
        refused = dicom.known(portion, ledger.poison(portion))
        [(_, faults)] = carry_out([LoadStudies(source=source, portion=portion.as_found(), refused=refused)])
        return formats.failures(faults) != portion.failures
    [items] = carry_out([LoadReports(source=source, portion=portion.as_found())])
    return formats.failures(items) != portion.failures


def packed(portions: Iterable[NewPortion], size: int) -> Iterator[list[NewPortion]]:
    """Gather portions of one source until they hold `size` items, or as many bytes as a shard may have."""
    pack: list[NewPortion] = []
    items = bytes_ = 0
    for portion in portions:
        is_full = items + portion.items > size or bytes_ + portion.size > SHARD_BYTES
        if pack and (is_full or portion.source != pack[0].source):
            yield pack
            pack, items, bytes_ = [], 0, 0
        pack.append(portion)
        items += portion.items
        bytes_ += portion.size
    if pack:
        yield pack


def _batched(values: Iterable[T], size: int) -> Iterator[list[T]]:
    iterator = iter(values)
    while some := list(islice(iterator, size)):
        yield some


def write_outcome_table(run: int) -> Path:
    """Write the run's outcomes as CSV, a few thousand rows in memory at a time; return the file."""
    folder = var_folder() / "runs"
    folder.mkdir(mode=0o700, exist_ok=True)
    file = folder / f"run-{run}.csv"
    draft = file.with_suffix(".draft")
    try:
        with draft.open("w", encoding="utf-8", newline="") as handle:
            header = True
            for rows in _batched(ledger.outcome_rows(run), 5000):
                outcome_table(rows).to_csv(handle, index=False, header=header)
                header = False
            if header:
                outcome_table([]).to_csv(handle, index=False)
        draft.replace(file)
    finally:
        draft.unlink(missing_ok=True)  # half a table would be taken for the whole
    return file
