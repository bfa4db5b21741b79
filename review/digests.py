"""Digests over the ledger's own rows; an audit recomputes them from the tables."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from datetime import UTC
from typing import Any

from review.models import Decision, Input, Outcome, Reading, ReportVersion


def canonical(value: Any) -> str:
    """Return `value` as JSON that is the same text for the same content."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def sha256(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def reading_digest(text: str, context: dict[str, Any], data: str) -> str:
    """Return the digest of one reading: what was read, what was told about it, what came out."""
    return sha256(canonical([sha256(text), context, data]))


def input_line(item: Input, key: str, version: ReportVersion | None, reading: Reading | None) -> str:
    """Return what a shard's digest says of one input.

    A version without a reading (superseded, withdrawn) stands there with the digest of its text; a
    duplicate with none, for the text belongs to the input that brought it first.
    """
    read = ""
    if version and item.outcome != Outcome.DUPLICATE:
        read = sha256(version.text)
        if reading:
            read = reading_digest(version.text, version.context, reading.data)
    digest = version.text_digest if version else ""
    return canonical([item.portion_id, item.item, item.attempt, item.outcome, item.reason, key, digest, read])


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
