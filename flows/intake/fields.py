"""From the words of a source to the fields of a report.

Nothing here rejects a report: what cannot be understood counts as unknown, with a warning.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from flows.intake.report import Report
from flows.intake.sources import Source
from review.records import ReportStatus

LONGEST = 128  # characters of a field, if not said otherwise here
LONGEST_OF = {"modality": 16, "study_description": 256, "indication": 5000}

STATUSES: dict[str, ReportStatus] = {
    "preliminary": "preliminary",
    "prelim": "preliminary",
    "p": "preliminary",
    "final": "final",
    "f": "final",
    "corrected": "corrected",
    "amended": "corrected",
    "c": "corrected",
    "addendum": "addendum",
    "appended": "addendum",
    "deleted": "deleted",
    "entered-in-error": "deleted",
    "d": "deleted",
}
SEXES = {"m": "M", "male": "M", "f": "F", "female": "F", "o": "O", "other": "O", "u": "", "unknown": ""}

_SURROGATES = re.compile("[\ud800-\udfff]")
_ISO_TIME = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d.*")
_COMPACT_TIME = re.compile(r"(\d{8})T?(\d{4}|\d{6})(?:\.\d+)?(Z|[+-]\d{4})?")


def report(
    source: Source, values: Mapping[str, str], text: str, *, file_name: str, warnings: tuple[str, ...] = ()
) -> Report:
    """Make a report of what a source said.

    Parameters
    ----------
    values
        Names of `FIELDS` and what the source said for each.
    text
        The report's text; its newlines become "\\n", so that a copy with other newlines is the same text.
    file_name
        Relative to the source's folder, with the item's number if the file holds several.
    """
    found: dict[str, Any] = {}
    noted = list(warnings)
    for name, value in values.items():
        said = phrase(value)
        if not said:
            continue
        try:
            found[name] = _parse(name, said, source.timezone)
        except ValueError:
            noted.append(f"{name}_not_understood")
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    if _SURROGATES.search(text):
        text = _SURROGATES.sub("\N{REPLACEMENT CHARACTER}", text)
        noted.append("characters_replaced")
    if not found.get("accession_issuer"):
        found["accession_issuer"] = source.issuer
    if not found.get("patient_issuer"):
        found["patient_issuer"] = source.issuer
    return Report(
        text=text,
        file_name=file_name,
        source=source.name,
        issuer=source.issuer,
        warnings=tuple(noted),
        **found,
    )


def calendar_date(value: str) -> str:
    """YYYY-MM-DD of an ISO or DICOM date, which a time may follow; anything else is a ValueError."""
    match = re.fullmatch(r"(\d{4}-\d\d-\d\d|\d{8})(?:[T ].*)?", value)
    if not match:
        raise ValueError
    return date.fromisoformat(match[1]).isoformat()


def age(value: str) -> str:
    """A DICOM age such as 067Y, of itself or of a number of years; anything else is a ValueError."""
    match = re.fullmatch(r"(\d{1,3})\s?([DWMY]?)", value.upper())
    if not match:
        raise ValueError
    return f"{int(match[1]):03d}{match[2] or 'Y'}"


def sex(value: str) -> str:
    return _known(SEXES, value)


def _status(value: str) -> str:
    return _known(STATUSES, value)


def _known(words: Mapping[str, str], value: str) -> str:
    if value.lower() not in words:
        raise ValueError
    return words[value.lower()]


def _time(value: str, zone: ZoneInfo) -> datetime:
    """A point in time, ISO 8601 or as DICOM and HL7 write it; one that names no zone is in the source's."""
    if match := _COMPACT_TIME.fullmatch(value):
        day, clock, offset = match.groups()
        value = f"{day}T{clock}{offset or ''}"
    elif not _ISO_TIME.fullmatch(value):
        raise ValueError
    moment = datetime.fromisoformat(value)
    if not 1900 <= moment.year <= 2200:  # a placeholder; and far ones cannot be moved to another zone
        raise ValueError
    return moment if moment.tzinfo else moment.replace(tzinfo=zone)


_PARSERS: dict[str, Callable[[str], str]] = {
    "birth_date": calendar_date,
    "study_date": calendar_date,
    "age": age,
    "sex": sex,
    "status": _status,
}


def _parse(name: str, value: str, zone: ZoneInfo) -> str | datetime:
    if len(value) > LONGEST_OF.get(name, LONGEST):
        raise ValueError
    if name == "result_time":
        return _time(value, zone)
    return _PARSERS[name](value) if name in _PARSERS else value


def phrase(value: str) -> str:
    """A value on one line, without invisible characters: copied numbers bring some along."""
    return " ".join("".join(c for c in value if c.isprintable() or c.isspace()).split())
