"""The reader of each format."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from flows.intake import dicom, table, text
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


def load_reports(source: Source, portion: NewPortion) -> Iterator[Report | Rejected]:
    """What a portion of kind "reports" holds: exactly `portion.items` results, in order."""
    return text.load(source, portion) if source.kind == "text" else table.load(source, portion)


load_studies = dicom.load


def failures(source: Source, portion: NewPortion) -> frozenset[tuple[str, str]]:
    """What keeps a portion, or a file of its folder, from being read now: reasons and details as recorded."""
    found: Iterable[tuple[str, str]]
    if portion.kind == "studies":
        found = ((fault.reason, fault.told) for fault in load_studies(source, portion)[1])
    else:
        results = load_reports(source, portion)
        found = ((one.reason, one.detail) for one in results if isinstance(one, Rejected))
    return frozenset((reason, detail) for reason, detail in found if reason in CIRCUMSTANCES)
