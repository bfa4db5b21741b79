"""Folders of DICOM files, grouped to studies; only headers are read, and of them a few fields.

DICOM images are no reports: what is wrong with a file is a `Fault`, not an outcome.
"""

from __future__ import annotations

import hashlib
import io
import logging
import re
import warnings
from collections.abc import Callable, Iterable, Iterator
from pathlib import PurePosixPath
from typing import Any, BinaryIO, NamedTuple

from pydicom import config
from pydicom.dataset import Dataset
from pydicom.filereader import read_dataset, read_partial
from pydicom.multival import MultiValue
from pydicom.sequence import Sequence
from pydicom.tag import BaseTag, Tag
from pydicom.uid import DeflatedExplicitVRLittleEndian, MediaStorageDirectoryStorage

from flows.intake import fields
from flows.intake.folder import opened, scan, walk
from flows.intake.guard import Guard, Key, Refusal
from flows.intake.report import Reason, RefusedError
from flows.intake.sources import Source
from review.records import POISON, NewPortion, NewSeries, NewStudy

# Of this process: pydicom puts values, that is patient data, into what it warns of and logs.
logging.getLogger("pydicom").setLevel(logging.CRITICAL + 1)
config.settings.reading_validation_mode = config.IGNORE

# In the order of their numbers: reading ends after the last one.
TAGS: list[BaseTag | int] = [
    Tag(keyword)
    for keyword in (
        "SpecificCharacterSet",
        "StudyDate",
        "StudyTime",
        "AccessionNumber",
        "IssuerOfAccessionNumberSequence",
        "Modality",
        "StudyDescription",
        "SOPInstanceUID",
        "PatientID",
        "IssuerOfPatientID",
        "PatientBirthDate",
        "PatientSex",
        "PatientAge",
        "ContrastBolusAgent",
        "BodyPartExamined",
        "StudyInstanceUID",
        "SeriesInstanceUID",
        "RequestedProcedureDescription",
    )
]
# Objects made from images or beside them; they say nothing about how the patient was examined.
DERIVED = {"SR", "PR", "KO", "SEG", "DOC", "REG", "FID", "RWV", "ANN", "PLAN", "RTSTRUCT", "RTPLAN", "RTDOSE"}

UIDS = ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID")

_META_BYTES = 64 * 2**10  # more than any file meta information has
_LONGEST_VALUE = 64 * 2**10


class Fault(NamedTuple):
    """A file (or folder) that adds nothing to a study."""

    file: str
    reason: Reason
    detail: str

    @property
    def told(self) -> str:
        """The detail with the file's name in its folder, as much as fits where details are kept."""
        name = PurePosixPath(self.file).name[-400:]
        return f"{name}: {self.detail}" if self.detail else name


def find(source: Source) -> Iterator[NewPortion]:
    """Each folder with DICOM files is a portion; its items are the files directly in it."""
    for folder, entries in walk(source):
        digest = hashlib.sha256()
        for entry in entries:
            digest.update(f"{entry.path}\0{entry.fingerprint}\0".encode())
        yield NewPortion(
            kind="studies",
            source=source.name,
            path=folder,
            fingerprint=digest.hexdigest()[:32],
            items=len(entries),
        )


def load(
    source: Source, portion: NewPortion, guard: Guard | None = None
) -> tuple[list[NewStudy], list[Fault]]:
    """The studies in a folder as it is now, and the files that could not be used."""
    try:
        entries, _ = scan(source, portion.path)
    except FileNotFoundError:
        return [], [Fault(portion.path, Reason.VANISHED, "")]
    except OSError as error:
        return [], [Fault(portion.path, Reason.UNREADABLE, error.strerror or "")]
    guard = guard or Guard()
    studies: dict[str, _Study] = {}
    faults: list[Fault] = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # as for the log: pydicom's warnings hold values
        for entry in entries:
            try:
                guard.enter(key(entry.path, entry.fingerprint))
                dataset = _header(source, entry.path)
                if dataset is not None:
                    study_uid = _uid(dataset, "StudyInstanceUID")
                    studies.setdefault(study_uid, _Study()).add(dataset)
            except RefusedError as refused:
                detail = refused.detail
                if refused.reason in POISON:  # so that it is known which file it was
                    detail = f"{detail} ({entry.fingerprint})"
                faults.append(Fault(entry.path, refused.reason, detail))
    return [study.record(source, uid, portion.path) for uid, study in studies.items()], faults


def key(path: str, fingerprint: str) -> Key:
    """What a file is to a guard: a file that replaced it under the same name is another one."""
    return f"{path} ({fingerprint})"


def known(portion: NewPortion, told: Iterable[tuple[str, str]]) -> dict[Key, Refusal]:
    """Return the files of a folder that killed the reader before, from recorded reasons and details."""
    refused = {}
    for reason, detail in told:
        name, _, rest = detail.rpartition(": ")
        why, _, fingerprint = rest.rstrip(")").rpartition(" (")
        path = name if portion.path == "." else f"{portion.path}/{name}"
        refused[key(path, fingerprint)] = Refusal(Reason(reason), why)
    return refused


class _Study:
    """What the files of one study say: of each fact the first file that says it counts."""

    def __init__(self) -> None:
        self._facts: dict[str, str] = {}
        self._modalities: dict[str, str] = {}  # by series
        self._instances: dict[str, set[str]] = {}  # by series

    def add(self, dataset: Dataset) -> None:
        """Count a file; the facts are taken from the first file of each series only.

        Raises
        ------
        RefusedError
            When the file names another patient than those before it.
        """
        series = _uid(dataset, "SeriesInstanceUID")
        if series not in self._instances:
            facts = _facts(dataset)
            self._require_same(facts, "patient_id", "birth_date")
            self._facts = facts | self._facts
            self._modalities[series] = _value(dataset, "Modality", longest=16)
        else:
            self._require_same({"patient_id": _value(dataset, "PatientID")}, "patient_id")
        self._instances.setdefault(series, set()).add(_uid(dataset, "SOPInstanceUID"))

    def _require_same(self, facts: dict[str, str], *names: str) -> None:
        for name in names:
            if facts.get(name) and facts[name] != self._facts.get(name, facts[name]):
                raise RefusedError(Reason.MIXED_PATIENTS)

    def record(self, source: Source, study_uid: str, folder: str) -> NewStudy:
        issuers = {"accession_issuer": source.issuer, "patient_issuer": source.issuer}
        examined = [modality for modality in self._modalities.values() if modality not in DERIVED]
        return NewStudy(
            study_uid=study_uid,
            source=source.name,
            folder=folder,
            modality=next(filter(None, examined), ""),
            series=tuple(
                NewSeries(series_uid=uid, modality=self._modalities[uid], instances=len(instances))
                for uid, instances in self._instances.items()
            ),
            **(issuers | self._facts),
        )


def _header(source: Source, path: str) -> Dataset | None:
    """The header of a file that has all three UIDs; None for a DICOMDIR, which lists other files."""
    with opened(source, path) as file:
        bare = _require_dicom(file)
        try:
            if _is_directory(file):
                return None
            file.seek(0)
            # Ends before the pixels and before most private elements; large values are not read.
            dataset = read_partial(
                file,
                stop_when=lambda tag, _vr, _length: tag > TAGS[-1],
                defer_size=_LONGEST_VALUE,
                force=bare,
                specific_tags=TAGS,
            )
            complete = all(_uid(dataset, name) for name in UIDS)
        except RefusedError:
            raise
        except EOFError:
            complete = False
        except Exception as error:
            if isinstance(error, OSError) and error.errno:  # the disk's, not pydicom's
                raise
            raise RefusedError(Reason.BROKEN_DICOM, type(error).__name__) from None
    if not complete:
        raise RefusedError(Reason.NOT_DICOM if bare else Reason.TRUNCATED)
    return dataset


def _require_dicom(file: BinaryIO) -> bool:
    """Leave the file at its first element; true when it has no preamble, as old archives write it."""
    start = file.read(132)
    if start[128:] == b"DICM":
        return False
    if start[:2] not in (b"\x02\x00", b"\x08\x00"):  # the groups that a DICOM file can begin with
        raise RefusedError(Reason.NOT_DICOM)
    file.seek(0)
    return True


def _is_directory(file: BinaryIO) -> bool:
    """Read the file meta information alone, before pydicom would inflate what follows it."""
    start = file.read(_META_BYTES)
    buffer = io.BytesIO(start)
    meta = read_dataset(
        buffer,
        is_implicit_VR=False,
        is_little_endian=True,
        stop_when=lambda tag, _vr, _length: tag.group != 2,
    )
    if start[:2] != b"\x02\x00":
        return False
    if buffer.tell() == len(start):
        raise RefusedError(Reason.BROKEN_DICOM if len(start) == _META_BYTES else Reason.TRUNCATED)
    syntax = meta.get("TransferSyntaxUID")
    if not syntax:
        raise RefusedError(Reason.BROKEN_DICOM, "no transfer syntax")
    if syntax == DeflatedExplicitVRLittleEndian:
        raise RefusedError(Reason.DEFLATED)
    return bool(meta.get("MediaStorageSOPClassUID") == MediaStorageDirectoryStorage)


def _facts(dataset: Dataset) -> dict[str, str]:
    """The facts of a study that a file names, as fields of `NewStudy`."""
    issuers = _element(dataset, "IssuerOfAccessionNumberSequence")
    issuer = issuers[0] if isinstance(issuers, Sequence) and issuers else Dataset()
    day = _parsed(fields.calendar_date, _value(dataset, "StudyDate"))
    clock = re.fullmatch(r"(\d\d)(\d\d)(\d\d)?(\.\d+)?", _value(dataset, "StudyTime"))
    facts = {
        "accession": _value(dataset, "AccessionNumber"),
        "accession_issuer": _value(issuer, "LocalNamespaceEntityID") or _value(issuer, "UniversalEntityID"),
        "patient_id": _value(dataset, "PatientID"),
        "patient_issuer": _value(dataset, "IssuerOfPatientID"),
        "birth_date": _parsed(fields.calendar_date, _value(dataset, "PatientBirthDate")),
        "sex": _parsed(fields.sex, _value(dataset, "PatientSex")),
        "age": _parsed(fields.age, _value(dataset, "PatientAge")),
        "body_part": _value(dataset, "BodyPartExamined"),
        "description": _value(dataset, "StudyDescription")
        or _value(dataset, "RequestedProcedureDescription"),
        "contrast_agent": _value(dataset, "ContrastBolusAgent"),
        "study_time": f"{day}T{clock[1]}:{clock[2]}:{clock[3] or '00'}" if day and clock else day,
    }
    return {name: value for name, value in facts.items() if value}


def _parsed(parse: Callable[[str], str], value: str) -> str:
    try:
        return parse(value)
    except ValueError:
        return ""


def _uid(dataset: Dataset, keyword: str) -> str:
    value = _value(dataset, keyword)
    return value if re.fullmatch(r"[0-9.]{1,64}", value) else ""


def _value(dataset: Dataset, keyword: str, longest: int = fields.LONGEST) -> str:
    """An element as text on one line; empty when there is none, or longer than DICOM allows by far."""
    value = _element(dataset, keyword)
    values = value if isinstance(value, MultiValue) else [value]
    text = fields.phrase(" ".join(one for one in values if isinstance(one, str)))
    return text if len(text) <= longest else ""


def _element(dataset: Dataset, keyword: str) -> Any:
    """The value of an element; None when it is absent, too large to be read, or cannot be decoded."""
    try:
        element = dataset.get_item(keyword, keep_deferred=True)
        return None if element is None or element.value is None else dataset[keyword].value
    except Exception:  # whatever a damaged value brings about in pydicom: it says nothing
        return None
