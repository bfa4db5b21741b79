"""What is left of a row whose words were erased.

Erasing takes what a patient's words and identity are; tiers, outcomes, kinds, times, ids and digests stay.
One table of these forms serves who erases and who verifies: an erased row must be exactly its blank form.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.db.models import Model, QuerySet

from review.digests import (
    canonical,
    communication_digest,
    correction_digest,
    decision_digest,
    digest_of,
    event_digest,
    reading_digest,
    sha256,
    study_digests,
)
from review.models import (
    CaseEvent,
    Communication,
    Correction,
    Decision,
    Input,
    LegalHold,
    Portion,
    Reading,
    ReportVersion,
    Study,
)

# Who the patient is and what was examined; the modality says nothing of a person, and statistics need it.
NAMES = (
    "accession",
    "accession_issuer",
    "patient_id",
    "patient_issuer",
    "birth_date",
    "sex",
    "description",
)
# Of a study as its headers tell it; the UID stays, by which later images of it are known.
STUDY = (*NAMES, "folder", "age", "body_part", "contrast_agent", "study_time")
Values = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Erasable:
    """A table that can lose its words.

    `rows` are its rows as `digest` needs them; `left` gives the values that stay in the fields that are
    erased. `always` says that a row is named even where it had no words: so that who asks for a version's
    words, or reads it again, learns that it was erased.
    """

    rows: Callable[[], QuerySet[Any]]
    digest: Callable[[Any], str]
    left: Callable[[Any], Values]
    always: bool = False

    def is_blank(self, row: Model) -> bool:
        """Whether nothing of the row is left but its blank form."""
        return all(getattr(row, name) == value for name, value in self.left(row).items())


def _blank_reading(reading: Reading) -> Values:
    """Leave the reader's object without a word of the report: what the columns say, and nothing beside it."""
    said = {
        "suspicious": reading.tier != "routine",
        "tier": reading.tier,
        "score": reading.score,
        "neural": "none",
        "unreadable": reading.unreadable or None,
        "decided_by": reading.decided_by,
        "reasons": [],
        "findings": [],
        "context_findings": [],
        "red_flags": [],
        "conflicts": [],
        "rules_version": reading.rules_version,
    }
    return {"data": canonical(said)}


def _left(*names: str, **others: Any) -> Callable[[Any], Values]:
    return lambda _: dict.fromkeys(names, "") | others


def _row(table: str) -> Callable[[Any], str]:
    return lambda row: digest_of(table, row)


def hold_digest(hold: LegalHold) -> str:
    """Return the digest of a legal hold: on whom, by whom, why, since when."""
    said = [hold.pk, hold.patient_id, hold.patient_issuer, hold.report_id, hold.reason]
    return sha256(canonical([*said, hold.placed_by_id, hold.placed_at]))


_DECISIONS = Decision.objects.select_related("reading__version__report")

# By the names under which `ErasedRow.table` knows them, in the order in which they are erased: a digest that
# covers words of other rows is made before those are gone.
ERASABLE: dict[str, Erasable] = {
    "decision": Erasable(
        _DECISIONS.all,
        lambda one: decision_digest(one, one.reading.version.report.key),
        _left("comment"),
    ),
    "event": Erasable(CaseEvent.objects.all, event_digest, _left("note")),
    "correction": Erasable(
        Correction.objects.all,
        correction_digest,
        _left("category", "certainty", compartments=[], levels=[]),
    ),
    "communication": Erasable(
        Communication.objects.all, communication_digest, _left("finding", "told_to", "told_by", "note")
    ),
    "reading": Erasable(
        Reading.objects.select_related("version").all,
        lambda one: reading_digest(one.version.text, one.version.context, one.data),
        _blank_reading,
        always=True,
    ),
    "version": Erasable(
        ReportVersion.objects.select_related("report").all,
        _row("version"),
        _left("text", *NAMES, context={}),
        always=True,
    ),
    "input": Erasable(Input.objects.all, _row("input"), _left("detail", raw=None)),
    "portion": Erasable(Portion.objects.all, _row("portion"), _left("path")),
    "study": Erasable(Study.objects.all, lambda one: study_digests([one.pk])[0][1], _left(*STUDY)),
    "hold": Erasable(LegalHold.objects.all, hold_digest, _left("patient_id", "patient_issuer", "reason")),
}
