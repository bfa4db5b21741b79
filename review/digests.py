"""Digests over the ledger's own rows; an audit recomputes them from the tables."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from review.models import CaseEvent, Communication, Correction, Decision, Input, Outcome, ReportVersion

# What a version says of its report and patient, beside text, status and time.
FACTS = (
    "accession",
    "accession_issuer",
    "patient_id",
    "patient_issuer",
    "birth_date",
    "sex",
    "modality",
    "description",
)


def canonical(value: Any) -> str:
    """Return `value` as JSON that is the same text for the same content."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def sha256(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def reading_digest(text: str, context: dict[str, Any], data: str) -> str:
    """Return the digest of one reading: what was read, what was told about it, what came out."""
    return sha256(canonical([sha256(text), context, data]))


def input_line(item: Input, version: ReportVersion | None, read: str) -> str:
    """Return what a shard's digest says of one input: what it was, whose, and what became of it.

    Parameters
    ----------
    read
        The digest of the reading; "" where there is none, for a rejected input or a version that needed no
        reading. A duplicate only names the text: that belongs to the input that brought it first.
    """
    said: list[Any] = []
    if version and item.outcome == Outcome.DUPLICATE:
        said = [version.report.key, version.text_digest]
    elif version:
        at = version.result_time.astimezone(UTC).isoformat() if version.result_time else ""
        said = [version.report.key, version.text_digest, read or sha256(version.text), version.status, at]
        said += [getattr(version, name) for name in FACTS]
    return canonical([item.portion_id, item.item, item.outcome, item.reason, said])


def shard_digest(lines: Iterable[str]) -> str:
    """Return the digest of a shard over the lines of its inputs, whatever their order."""
    return sha256("\n".join(sorted(lines)))


def decision_digest(decision: Decision, key: str) -> str:
    """Return the digest of a decision together with the case as it stood before the person."""
    version = decision.reading.version
    said = {
        "case": decision.case_id,
        "report": key,
        "version": version.pk,
        "read": reading_digest(version.text, version.context, decision.reading.data),
        "account": decision.account_id,
        "at": _moment(decision.at),
        "verdict": decision.verdict,
        "reason": decision.reason,
        "comment": decision.comment,
        "tier": decision.tier,
    }
    if decision.tier_given is not None:  # decisions of before this was asked for keep their digest
        said["tier_given"] = decision.tier_given
    return sha256(canonical(said))


def event_digest(event: CaseEvent) -> str:
    """Return the digest of what a person did to a case, with the words they wrote."""
    said = [event.case_id, _moment(event.at), event.kind, event.account_id, event.whom_id]
    return sha256(canonical([*said, event.version_id, event.tier, event.note]))


def correction_digest(said: Correction) -> str:
    """Return the digest of what a person said of a stretch of the text."""
    who = [said.case_id, said.reading_id, said.account_id, _moment(said.at)]
    what = [said.kind, said.start, said.end, said.category, said.certainty, said.compartments, said.levels]
    return sha256(canonical([*who, *what]))


def communication_digest(told: Communication) -> str:
    """Return the digest of a communication record."""
    who = [told.case_id, told.decision_id, told.account_id, _moment(told.at)]
    what = [told.finding, told.told_to, told.told_by, _moment(told.found_at), _moment(told.told_at)]
    return sha256(canonical([*who, *what, told.method, told.note]))


def _moment(at: datetime) -> str:
    return at.astimezone(UTC).isoformat()
