"""The reader of each format."""

from __future__ import annotations

from collections.abc import Iterator

from flows.intake import dicom, table, text
from flows.intake.report import Rejected, Report
from flows.intake.sources import Source
from review.records import NewPortion

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
