"""What intake makes of a report item: a `Report`, or a `Rejected` with its reason."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any, TypeAlias

from review.records import NewStudy, ReportStatus

if TYPE_CHECKING:
    from review.ledger.studies import HeldStudy

# A study as found in its folder, or as the ledger holds it.
Study: TypeAlias = "NewStudy | HeldStudy"

KEPT_BYTES = 64 * 2**20  # of a rejected item; a larger one stays in its folder only
LONGEST_NAME = 300  # characters of a file name in a key; a longer one is replaced by its digest


class Reason(StrEnum):
    """Why no report or study could be taken from an item; `review.meanings` says each in plain English."""

    BINARY = "binary"
    UNDECODABLE = "undecodable"
    TOO_LARGE = "too_large"
    UNREADABLE = "unreadable"
    VANISHED = "vanished"
    CHANGED = "changed"
    BROKEN_ROW = "broken_row"
    BROKEN_LINE = "broken_line"
    NO_TEXT = "no_text"
    READER_FAILED = "reader_failed"
    READER_KILLED = "reader_killed"
    READER_STALLED = "reader_stalled"
    OUT_OF_MEMORY = "out_of_memory"
    NOT_DICOM = "not_dicom"
    TRUNCATED = "truncated"
    DEFLATED = "deflated"
    BROKEN_DICOM = "broken_dicom"
    MIXED_PATIENTS = "mixed_patients"


# What a source may say of a report, beside its text.
FIELDS = (
    "report_number",
    "accession",
    "accession_issuer",
    "patient_id",
    "patient_issuer",
    "birth_date",
    "sex",
    "age",
    "status",
    "result_time",
    "modality",
    "body_part",
    "study_description",
    "study_date",
    "contrast",
    "indication",
    "patient_class",
)


class RefusedError(Exception):
    """No report can be taken from some bytes; carries nothing of their content."""

    def __init__(self, reason: Reason, detail: str = "") -> None:
        super().__init__(reason, detail)
        self.reason = reason
        self.detail = detail


# Without repr: neither a log nor an error may show what is in it.
@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Report:
    """One report as it arrived. An empty field means that the source did not say, or not so that it could
    be understood (then a warning says so)."""

    text: str
    file_name: str  # relative to the source's folder; in a table with "#" and the item's number from 1
    source: str  # the source's name
    issuer: str = ""  # the source's
    report_number: str = ""
    accession: str = ""
    accession_issuer: str = ""
    patient_id: str = ""
    patient_issuer: str = ""
    birth_date: str = ""  # YYYY-MM-DD
    sex: str = ""  # M, F, O
    age: str = ""  # DICOM AS, for example 067Y
    status: ReportStatus = "final"  # also when the source said none, or one that is not known
    result_time: datetime | None = None  # aware
    modality: str = ""
    body_part: str = ""
    study_description: str = ""
    study_date: str = ""  # YYYY-MM-DD
    contrast: str = ""
    indication: str = ""
    patient_class: str = ""
    warnings: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        """Which report it is: its issuer with its number, else with the accession number, else its file.

        A file's name is unique in its source only; so are numbers of which nobody knows the issuer.
        """
        if self.report_number:
            return f"{self.issuer or self.source}/report/{self.report_number}"
        if self.accession:
            return f"{self.issuer or self.source}/accession/{self.accession}"
        name = self.file_name
        if len(name) > LONGEST_NAME:
            name = hashlib.sha256(name.encode()).hexdigest()
        return f"{self.source}/file/{name}"

    @property
    def text_digest(self) -> str:
        """SHA-256 of the text, as hexadecimal digits."""
        return hashlib.sha256(self.text.encode()).hexdigest()


# Without repr: neither a log nor an error may show what is in it.
@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Rejected:
    """An item that no report could be taken from.

    `raw` is a small file of its own that the same reader can take again (a table's row comes with its
    header); None when there is nothing to keep or too much: more than `KEPT_BYTES` of a file, or than
    `table.ROW_BYTES` of a row and its header, as a shard may hold hundreds of them.
    """

    reason: Reason
    detail: str = ""
    raw: bytes | None = None


def context(report: Report, study: Study | None) -> dict[str, Any]:
    """What the reader should know beside the text; the study fills in what the report does not say.

    Keys are those of `spinetriage read --json`; unknown ones are left out.
    """
    facts = {
        "modality": report.modality,
        "body_part": report.body_part,
        "study_description": report.study_description,
        "contrast": report.contrast,
        "indication": report.indication,
        "patient_age": report.age,
        "patient_sex": report.sex,
        "patient_class": report.patient_class,
        "study_date": report.study_date,
    }
    birth_date = report.birth_date
    if study is not None:
        of_study = {
            "modality": study.modality,
            "body_part": study.body_part,
            "study_description": study.description,
            "contrast": study.contrast_agent,
            "patient_age": study.age,
            "patient_sex": study.sex,
            "study_date": study.study_time[:10],
        }
        facts |= {name: value for name, value in of_study.items() if not facts[name]}
        birth_date = birth_date or study.birth_date
    facts["patient_age"] = facts["patient_age"] or _age(birth_date, facts["study_date"])
    return {name: value for name, value in facts.items() if value}


def _age(birth_date: str, study_date: str) -> str:
    if not birth_date or not study_date:
        return ""
    born, seen = date.fromisoformat(birth_date), date.fromisoformat(study_date)
    years = seen.year - born.year - ((seen.month, seen.day) < (born.month, born.day))
    return f"{years:03d}Y" if 0 <= years <= 150 else ""
