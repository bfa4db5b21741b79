"""The reader of each format."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from flows.intake import dicom, table, text
from flows.intake.folder import Entry, opened
from flows.intake.guard import Guard
from flows.intake.report import RefusedError, Rejected, Report
from flows.intake.sources import Source
from review.records import CIRCUMSTANCES, NewPortion

_FIND = {"text": text.find, "csv": table.find, "jsonl": table.find, "dicom": dicom.find}


def find(source: Source) -> Iterator[NewPortion]:
    """The portions of a source, as they lie there now, in the order of their names.

    Raises
    ------
    SourceError
        When the source's folder cannot be listed.
    """
    return _FIND[source.kind](source)


def load_reports(
    source: Source, portion: NewPortion, guard: Guard | None = None, kept: bytes | None = None
) -> Iterator[Report | Rejected]:
    """What a portion of kind "reports" holds: exactly `portion.items` results, in order.

    `kept` are the bytes that were kept of it, taken instead of the file.
    """
    load = text.load if source.kind == "text" else table.load
    return load(source, portion, guard, kept)


load_studies = dicom.load


def cut(source: Source, portion: NewPortion, kept: bytes | None) -> list[NewPortion]:
    """Cut a file anew that could not be cut when it was found; as it was kept, else as it lies there."""
    if source.kind == "text":
        return [portion]
    if kept is None:
        try:
            with opened(source, portion.path, portion.fingerprint):
                pass
        except RefusedError:
            return [portion]
    size, _, mtime = portion.fingerprint.partition("-")
    return list(table.portions(source, Entry(portion.path, int(size), int(mtime)), kept))


def failures(found: Iterable[Report | Rejected] | Iterable[dicom.Fault]) -> frozenset[tuple[str, str]]:
    """What kept some of it from being read in the circumstances: reasons and details as recorded."""
    told = (
        (one.reason, one.told if isinstance(one, dicom.Fault) else one.detail)
        for one in found
        if not isinstance(one, Report)
    )
    return frozenset((reason, detail) for reason, detail in told if reason in CIRCUMSTANCES)
