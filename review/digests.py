"""Digests over the ledger's own rows; an audit recomputes them from the tables."""

from __future__ import annotations

import hashlib
import json
import zlib
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from operator import attrgetter
from typing import Any

from django.db.models import Model

from review.models import (
    CaseEvent,
    Communication,
    Correction,
    Decision,
    Discard,
    Input,
    Outcome,
    ReportVersion,
    RuleSet,
    Study,
    StudySeries,
)

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
_BEGUN = (
    *("id", "kind", "trigger", "account_id", "reason", "scope", "started_at", "rules_version"),
    *("code_version", "host", "pid", "process_start"),
)
# What the digest of a row covers, by table, as `attrgetter` and `values_list` name it.
COLUMNS: dict[str, tuple[str, ...]] = {
    "version": (
        *("id", "report_id", "report__key", "report__source", "report__first_arrival", "number", "status"),
        *("arrived_at", "result_time", "text", "text_digest", *FACTS, "study_id", "context", "warnings"),
    ),
    # Its digest column stands for the text, the context and the reader's object: see `reading_digest`.
    "reading": (
        *("version_id", "shard_id", "at", "rules_version", "tier", "score", "unreadable", "decided_by"),
        "digest",
    ),
    "input": ("portion_id", "item", "outcome", "reason", "detail", "raw", "version_id"),
    "portion": (
        *("id", "source", "path", "path_digest", "fingerprint", "offset", "attempt", "first", "items"),
        "again_id",
    ),
    "shard": (
        *("id", "run_id", "number", "kind", "source", "state", "attempts", "created_at", "started_at"),
        *("ended_at", "error", "counts", "terms", "request_id"),
    ),
    "study": (
        *("id", "study_uid", "source", "folder", "accession", "accession_issuer", "patient_id"),
        *("patient_issuer", "birth_date", "sex", "age", "modality", "body_part", "description"),
        *("contrast_agent", "study_time"),
    ),
    # A run from its beginning on, and all of it once it has ended.
    "run_begun": (*_BEGUN,),
    "run": (*(*_BEGUN, "state", "ended_at", "heartbeat_at", "prefect_flow_run", "unchanged", "error"),),
    # What lets a person in, as whom, and to which reports; roles have a table of their own.
    "account": (
        *("id", "username", "is_active", "is_staff", "is_superuser", "origin", "os_user", "sources"),
    ),
}
SERIES = ("series_uid", "folder_digest", "modality", "instances")
# What comes of reading a row that was changed into something that we never write.
UNREADABLE = (ValueError, KeyError, TypeError, AttributeError, IndexError, zlib.error)
FORM = 2  # how the digest of a shard is made now; early rows of the audit do not say


def _plain(value: object) -> str:
    """Return what JSON does not know: a moment, or the digest of bytes."""
    if isinstance(value, datetime):
        return _moment(value)
    if isinstance(value, bytes | memoryview):
        return hashlib.sha256(value).hexdigest()
    raise TypeError(f"no digest covers a {type(value).__name__}")


_encode = json.JSONEncoder(
    sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False, default=_plain
).encode


def canonical(value: Any) -> str:
    """Return `value` as JSON that is the same text for the same content."""
    return _encode(value)


def sha256(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def row_digest(values: Sequence[Any]) -> str:
    """Return the digest of one row, given what `COLUMNS` names of it, in that order."""
    return sha256(_encode(values))


def digest_of(table: str, row: Model) -> str:
    """Return the digest of one row of a table of `COLUMNS`."""
    return row_digest([attrgetter(name.replace("__", "."))(row) for name in COLUMNS[table]])


def stored_line(item: str, version: str, reading: str) -> str:
    """Return what a shard's digest says of one input.

    Each part is the digest of one row, so that a row which lost its words to an erasure can be stood for by
    the digest that it had before; "" where there is no such row. A duplicate names the version that holds
    its text. A shard of a reread has no inputs: its lines are the digests of its readings.
    """
    return sha256(f"{item} {version} {reading}")


def reading_digest(text: str, context: dict[str, Any], data: str) -> str:
    """Return the digest of one reading: what was read, what was told about it, what came out."""
    return sha256(canonical([sha256(text), context, data]))


def rules_version(files: Mapping[str, str], program: Mapping[str, str], libraries: Mapping[str, str]) -> str:
    """Return the name of the rules that these files, program and libraries are.

    Parameters
    ----------
    files
        The text of each rule file by its name.
    program
        The SHA-256 of each file of the program that reads, by its name.
    libraries
        The version of each library under it.
    """
    digests = {name: sha256(text) for name, text in files.items()}
    whole = {"files": digests, "program": dict(program), "libraries": dict(libraries)}
    return f"sha256:{sha256(canonical(whole))}"


def applied_digest(rules: RuleSet) -> str:
    """Return the digest of the act by which rules went live."""
    at = _moment(rules.applied_at) if rules.applied_at else ""
    return sha256(canonical([rules.version, at, rules.applied_by_id, rules.reason]))


def study_digests(studies: Iterable[int]) -> list[tuple[int, str]]:
    """Return the digests of studies together with their series, by id."""
    ids = sorted(studies)
    series: dict[int, list[Any]] = {}
    for study, *said in StudySeries.objects.filter(study__in=ids).values_list("study_id", *SERIES):
        series.setdefault(study, []).append(said)
    rows = Study.objects.filter(pk__in=ids).order_by("pk").values_list(*COLUMNS["study"])
    return [(row[0], row_digest([*row, sorted(series.get(row[0], []))])) for row in rows]


def input_line(item: Input, version: ReportVersion | None, read: str) -> str:
    """Return what the digest of an early shard says of one input; `stored_line` took its place.

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


def decision_digest(decision: Decision, key: str, read: str = "") -> str:
    """Return the digest of a decision together with the case as it stood before the person.

    Parameters
    ----------
    read
        What stands for the digest of the reading, if its words were erased.
    """
    version = decision.reading.version
    said = {
        "case": decision.case_id,
        "report": key,
        "version": version.pk,
        "read": read or reading_digest(version.text, version.context, decision.reading.data),
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


def discard_digest(put_away: Discard) -> str:
    """Return the digest of the act that put a rejected input away, with the reason as written."""
    said = [put_away.input_id, put_away.account_id, _moment(put_away.at), put_away.reason]
    return sha256(canonical(said))


def taken_back_digest(put_away: Discard) -> str:
    """Return the digest of the act that took a discard back."""
    at = _moment(put_away.ended_at) if put_away.ended_at else ""
    return sha256(canonical([put_away.pk, put_away.ended_by_id, at]))


def _moment(at: datetime) -> str:
    return at.astimezone(UTC).isoformat()
