"""The reader of each format."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from flows.intake import dicom, table, text
from flows.intake.guard import Guard
from flows.intake.report import Rejected, Report
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
    source: Source, portion: NewPortion, guard: Guard | None = None
) -> Iterator[Report | Rejected]:
    """What a portion of kind "reports" holds: exactly `portion.items` results, in order."""
    load = text.load if source.kind == "text" else table.load
    return load(source, portion, guard)


load_studies = dicom.load


def failures(found: Iterable[Report | Rejected] | Iterable[dicom.Fault]) -> frozenset[tuple[str, str]]:
    """What kept some of it from being read in the circumstances: reasons and details as recorded."""
    told = (
        (one.reason, one.told if isinstance(one, dicom.Fault) else one.detail)
        for one in found
        if not isinstance(one, Report)
    )
    return frozenset((reason, detail) for reason, detail in told if reason in CIRCUMSTANCES)
