"""Digests over the ledger's own rows; an audit recomputes them from the tables."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from datetime import UTC
from typing import Any

from review.models import Decision, Input, Outcome, ReportVersion

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
    return sha256(
        canonical(
            {
                "case": decision.case_id,
                "report": key,
                "version": version.pk,
                "read": reading_digest(version.text, version.context, decision.reading.data),
                "account": decision.account_id,
                "at": decision.at.astimezone(UTC).isoformat(),
                "verdict": decision.verdict,
                "reason": decision.reason,
                "comment": decision.comment,
                "tier": decision.tier,
            }
        )
    )
