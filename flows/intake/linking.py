"""Which study a report belongs to. Where that is not certain, there is no link, and a warning says why."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from flows.intake.report import Report, Study

# Names of the same kind of examination: reports say MRI or XR where DICOM says MR or CR.
_SAME_MODALITY = {"MRI": "MR", "XR": "CR", "DX": "CR", "DR": "CR", "PET": "PT"}


@dataclass(frozen=True, slots=True)
class Link:
    """The study of a report, or None; `warnings` are codes of `review.meanings`."""

    study: Study | None
    warnings: tuple[str, ...] = ()


def link(report: Report, studies: Iterable[Study]) -> Link:
    """Find the report's study by accession number and issuer, else by patient, modality and date.

    Parameters
    ----------
    studies
        Candidates: at least those with the report's accession number and those of its patient. Parts of one
        study (from several folders) count as one.

    Notes
    -----
    A study with an accession number other than the report's is not taken for the same patient's: on one day
    a patient may have two examinations of one modality. A missing issuer agrees with any.
    """
    candidates = list(studies)
    fitting = [study for study in candidates if _same_accession(report, study)]
    if not fitting:
        fitting = [study for study in candidates if _same_examination(report, study)]
    if not fitting:
        return Link(None, ("no_study_found",))
    others = {study.study_uid for study in fitting if _other_patient(report, study)}
    fitting = [study for study in fitting if study.study_uid not in others]
    if not fitting:
        return Link(None, ("identity_conflict",))
    for fits in (_same_modality, _same_day):
        if _several(fitting):
            fitting = [study for study in fitting if fits(report, study)]
    if not fitting or _several(fitting):
        return Link(None, ("ambiguous_study",))
    return Link(next((study for study in fitting if study.modality), fitting[0]))


def _several(studies: list[Study]) -> bool:
    return len({study.study_uid for study in studies}) > 1


def _agree(one: str, other: str) -> bool:
    return not one or not other or one == other


def _same_accession(report: Report, study: Study) -> bool:
    return (
        report.accession != ""
        and report.accession == study.accession
        and _agree(report.accession_issuer, study.accession_issuer)
    )


def _other_accession(report: Report, study: Study) -> bool:
    return not _agree(report.accession, study.accession) and _agree(
        report.accession_issuer, study.accession_issuer
    )


def _same_examination(report: Report, study: Study) -> bool:
    return (
        report.patient_id != ""
        and report.patient_id == study.patient_id
        and _agree(report.patient_issuer, study.patient_issuer)
        and _same_modality(report, study)
        and _same_day(report, study)
        and not _other_accession(report, study)
    )


def _other_patient(report: Report, study: Study) -> bool:
    # Numbers of two issuers say nothing about each other.
    comparable = _agree(report.patient_issuer, study.patient_issuer)
    return (comparable and not _agree(report.patient_id, study.patient_id)) or not _agree(
        report.birth_date, study.birth_date
    )


def _same_modality(report: Report, study: Study) -> bool:
    return report.modality != "" and _kind(report.modality) == _kind(study.modality)


def _kind(modality: str) -> str:
    return _SAME_MODALITY.get(modality.upper(), modality.upper())


def _same_day(report: Report, study: Study) -> bool:
    return report.study_date != "" and report.study_date == study.study_time[:10]
