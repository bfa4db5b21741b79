"""Tables of reports: CSV exports, one report a row, and JSON lines, one report a line.

A table is cut into portions at byte offsets, in one pass. Finding and loading split the file with the same
code, so a portion holds the same rows both times.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from itertools import islice
from typing import BinaryIO

from flows.intake import fields
from flows.intake.folder import Entry, opened, walk
from flows.intake.guard import Guard
from flows.intake.report import KEPT_BYTES, Reason, RefusedError, Rejected, Report
from flows.intake.rows import CsvTable, Item, JsonLines
from flows.intake.sources import Source
from review.records import NewPortion

# A portion is held in memory as a whole: rows of unusual length make it end before it has all its items.
PORTION_BYTES = 16 * 2**20
ROW_BYTES = 256 * 2**10  # of a rejected row with its header; a larger one stays in its file only


def find(source: Source) -> Iterator[NewPortion]:
    """Portions of at most `source.shard_reports` items, and of about `PORTION_BYTES`."""
    for _, entries in walk(source):
        for entry in entries:
            yield from portions(source, entry)


def load(
    source: Source, portion: NewPortion, guard: Guard | None = None, kept: bytes | None = None
) -> Iterator[Report | Rejected]:
    """The portion's items in their order: exactly `portion.items` reports or rejections.

    `kept` are the bytes that were kept of it, taken instead of the file.
    """
    guard = guard or Guard()
    results: list[Report | Rejected] = []
    whole: bytes | None = None
    try:
        with opened(source, portion.path, portion.fingerprint, kept) as file:
            try:
                table = _table(source, file)
            except RefusedError:
                whole = _whole(file)
                raise
            items = islice(table.items(portion.offset), portion.items)
            for number, item in enumerate(items, portion.first):
                name = f"{portion.path}#{number + 1}"
                results.append(_result(source, table, item, name, partial(guard.enter, number)))
        missing = Rejected(reason=Reason.CHANGED)
    except RefusedError as refused:
        results = []
        missing = Rejected(reason=refused.reason, detail=refused.detail, raw=whole)
    yield from results
    yield from [missing] * (portion.items - len(results))


def _table(source: Source, file: BinaryIO) -> CsvTable | JsonLines:
    return CsvTable(source, file) if source.kind == "csv" else JsonLines(source, file)


def portions(source: Source, entry: Entry, kept: bytes | None = None) -> Iterator[NewPortion]:
    """The portions of one file, or of the bytes that were kept of it."""
    offset = first = items = 0

    def portion(end: int) -> NewPortion:
        return NewPortion(
            kind="reports",
            source=source.name,
            path=entry.path,
            fingerprint=entry.fingerprint,
            offset=offset,
            first=first,
            items=items,
            size=end - offset,
        )

    try:
        with opened(source, entry.path, None, kept) as file:
            for item in _table(source, file).items(0):
                if items == source.shard_reports or item.offset - offset > PORTION_BYTES:
                    if items:
                        yield portion(item.offset)
                    first, items = first + items, 0
                if first and not items:  # the first portion begins with the file, as that of one unreadable
                    offset = item.offset
                items += 1
    except RefusedError:  # it cannot be understood or read from here on: one more item, which loading rejects
        items += 1
    if items:
        yield portion(entry.size)


def _result(
    source: Source, table: CsvTable | JsonLines, item: Item, name: str, enter: Callable[[], None]
) -> Report | Rejected:
    try:
        enter()
        if len(item.raw) > source.max_text_bytes:
            raise RefusedError(Reason.TOO_LARGE, f"more than {source.max_text_bytes:,} bytes")
        values = table.values(item)
    except RefusedError as refused:
        if len(table.header) + len(item.raw) <= ROW_BYTES:
            return Rejected(reason=refused.reason, detail=refused.detail, raw=table.header + item.raw)
        place = f"{len(item.raw):,} bytes from byte {item.offset:,} of the file, not kept"
        detail = f"{refused.detail}; {place}" if refused.detail else place
        return Rejected(reason=refused.reason, detail=detail)
    return fields.report(source, values.said, values.text, file_name=name, warnings=values.warnings)


def _whole(file: BinaryIO) -> bytes | None:
    file.seek(0)
    raw = file.read(KEPT_BYTES + 1)
    return raw if len(raw) <= KEPT_BYTES else None
