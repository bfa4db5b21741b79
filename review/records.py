"""What the other rooms hand to review: plain, frozen records with no behaviour.

Dates are ISO 8601 text where a source gave a date only, aware datetimes where it gave a time.
An empty string means "the source did not say".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

# Rejections that lie in the circumstances and not in the bytes: the next run tries again.
CIRCUMSTANCES = ("unreadable", "vanished", "changed", "not_delivered")
# What killed the reader: not touched again unless a person wants it.
POISON = ("reader_killed", "reader_stalled", "out_of_memory")

PortionKind = Literal["reports", "studies"]
ShardKind = Literal["reports", "studies", "readings"]
ReportStatus = Literal["preliminary", "final", "corrected", "addendum", "deleted"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """Everything that a rules version stands for; the version is over files, program and libraries."""

    version: str
    files: Mapping[str, str]  # the text of each rule file by name
    program: Mapping[str, str]  # the SHA-256 of each file of the program that reads
    libraries: Mapping[str, str]  # name and version of what it runs on
    code_version: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NewPortion:
    """A piece of a source that one shard takes.

    A text report is one portion; a table is cut into portions of some hundred rows; a folder of DICOM
    files is one portion. `fingerprint` changes when the bytes may have changed (size and modification
    time, or a digest over those of a folder's files); `(source, path, fingerprint, offset)` is unique in
    the ledger for each attempt, so that two runs never take the same portion.
    """

    kind: PortionKind
    source: str
    path: str  # relative to the source's folder, with forward slashes
    fingerprint: str
    offset: int = 0  # bytes from the start of the file
    first: int = 0  # number of the first item in the file, from 0
    items: int = 1  # report items held; for studies the number of files
    size: int = 0  # bytes to be read, as far as known; not stored
    again: int | None = None  # the rejected input that it takes again


@dataclass(frozen=True, slots=True, kw_only=True)
class NewSeries:
    """One DICOM series as found in one folder."""

    series_uid: str
    modality: str
    instances: int


@dataclass(frozen=True, slots=True, kw_only=True)
class NewStudy:
    """One DICOM study, or the part of it that one folder holds."""

    study_uid: str
    source: str
    folder: str
    accession: str = ""
    accession_issuer: str = ""
    patient_id: str = ""
    patient_issuer: str = ""
    birth_date: str = ""  # YYYY-MM-DD
    sex: str = ""  # M, F, O or ""
    age: str = ""  # DICOM AS, for example 067Y
    modality: str = ""  # the first series' modality that is not a derived object's
    body_part: str = ""
    description: str = ""
    contrast_agent: str = ""
    study_time: str = ""  # local ISO 8601, no zone: DICOM gives none; YYYY-MM-DD when there is no time
    series: tuple[NewSeries, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class NewVersion:
    """One version of a report, read or known to need no reading.

    `text` is what was read (an addendum together with its parent), `text_digest` the SHA-256 of the text
    as it arrived. `reading` is the reader's `Reading.to_dict()`; None when the version needs no reading
    (a duplicate, a version older than the one held, a withdrawal).
    """

    key: str
    status: ReportStatus
    text: str
    text_digest: str
    result_time: datetime | None = None
    accession: str = ""
    accession_issuer: str = ""
    patient_id: str = ""
    patient_issuer: str = ""
    birth_date: str = ""
    sex: str = ""
    modality: str = ""
    description: str = ""
    study_uid: str = ""  # "" when no study was linked
    context: dict[str, Any] = field(default_factory=dict)
    reading: dict[str, Any] | None = None
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class NewOutcome:
    """What became of one input: either a report version, or a rejection with its reason.

    `raw` is kept for a rejected input only, so that it can be tried again.
    """

    portion: int  # the ledger's portion id
    item: int  # number of the item in its file, from 0
    version: NewVersion | None = None
    reason: str = ""  # a code of the closed list of rejections; "" when a version was made
    detail: str = ""  # for people; never text of the report or names
    raw: bytes | None = None
