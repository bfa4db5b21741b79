"""What is known of the patient, the study and its images, in the words of the page."""

from __future__ import annotations

import string
from dataclasses import dataclass
from urllib.parse import quote

from django.db.models import Count, Sum

from review.models import ReportVersion, Study, StudySeries

_CLASSES = {"i": "in-patient", "o": "out-patient", "e": "emergency", "p": "pre-admitted"}
_MISSING = {
    "study_uid": "no study is known for this report",
    "accession": "the accession number is not known",
}
_UNITS = {"Y": "y", "M": "months", "W": "weeks", "D": "days"}
Fact = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Viewer:
    """The way to the images: a link, or why there is none; both are empty when no viewer is set."""

    link: str = ""
    why: str = ""


def viewer(template: str, version: ReportVersion) -> Viewer:
    """Fill the link of `site.toml` with what is known of the study; never half of it."""
    study = version.study
    known = {
        "study_uid": study.study_uid if study else "",
        "accession": version.accession or (study.accession if study else ""),
    }
    needed = [name for _, name, _, _ in string.Formatter().parse(template) if name]
    missing = [name for name in needed if not known[name]]
    if missing:
        return Viewer(why=_MISSING[missing[0]])
    return Viewer(template.format(**{name: quote(value, safe="") for name, value in known.items()}))


def patient_facts(version: ReportVersion) -> list[Fact]:
    """Return what is known of the patient."""
    study, context = version.study, version.context
    kind = str(context.get("patient_class") or "")
    return [
        ("Patient id", version.patient_id or "not given"),
        ("Id given by", version.patient_issuer),
        ("Born", version.birth_date or (study.birth_date if study else "")),
        ("Age", age(str(context.get("patient_age") or (study.age if study else "")))),
        ("Sex", version.sex or (study.sex if study else "") or "not given"),
        ("Class", _CLASSES.get(kind.lower(), kind)),
    ]


def study_facts(version: ReportVersion) -> list[Fact]:
    """Return what is known of the study: its own header first, else what the report says of it."""
    study, context = version.study, version.context

    def told(name: str) -> str:
        return str(context.get(name) or "")

    return [
        ("Modality", (study.modality if study else "") or version.modality),
        ("Description", (study.description if study else "") or version.description),
        ("Body part", (study.body_part if study else "") or told("body_part")),
        ("Contrast", (study.contrast_agent if study else "") or told("contrast")),
        ("Study time", _time((study.study_time if study else "") or told("study_date"))),
        ("Indication", told("indication")),
        ("Accession", version.accession or (study.accession if study else "") or "not given"),
        ("Accession by", version.accession_issuer or (study.accession_issuer if study else "")),
        ("Study uid", study.study_uid if study else "no study found"),
        ("Images", images(study) if study else ""),
    ]


def images(study: Study) -> str:
    """Say how many series and images of a study are here."""
    counted = StudySeries.objects.filter(study=study).aggregate(
        series=Count("series_uid", distinct=True), images=Sum("instances")
    )
    return f"{counted['series']} series, {counted['images'] or 0} images"


def age(told: str) -> str:
    """Return a DICOM age such as 067Y as people say it."""
    number, unit = told[:-1], told[-1:].upper()
    return f"{int(number)} {_UNITS[unit]}" if number.isdecimal() and unit in _UNITS else told


def _time(told: str) -> str:
    """Return a local ISO time as the page writes it."""
    day, _, clock = told.partition("T")
    return f"{day} {clock[:5]}".strip()
