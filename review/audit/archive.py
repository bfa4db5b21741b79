"""The record of a stretch of time as one archive, for an auditor outside; and checking such an archive."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import os
import zipfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from django.db.models import FilteredRelation, Q, QuerySet
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from review.audit.anchor import heads
from review.audit.chain import Action, record, row_mac
from review.audit.fhir import audit_event
from review.models import Account, AuditRow, Decision, Input, RuleSet, Run

Progress = Callable[[int, int], None]
Rows = Iterable[tuple[Any, ...]]
ROW = ("number", "at", "actor", "origin", "action", "subject", "detail", "mac")
RUN = (
    *("id", "kind", "state", "trigger", "account_id", "started_at", "ended_at", "rules_version"),
    *("code_version", "prefect_flow_run", "unchanged", "error"),
)
INPUT = {
    "input": "id",
    "run": "shard__run_id",
    "shard": "shard_id",
    "item": "item",
    "source": "portion__source",
    "outcome": "outcome",
    "reason": "reason",
    "report": "version__report_id",
    "version": "version__number",
    "text_digest": "version__text_digest",
    "tier": "first__tier",
    "score": "first__score",
    "decided_by": "first__decided_by",
    "reading_digest": "first__digest",
    "case": "version__report__case",
}
DECISION = (
    *("id", "case_id", "reading_id", "account_id", "at", "verdict", "reason", "rule", "tier", "tier_given"),
)
CHECKING = """How to check this archive

Without the key of the audit:
1. Compare the SHA-256 of this file with the one that the command printed when it made it. The row
   `audit.exported` of the audit holds the digest of manifest.json.
2. Compare the SHA-256 of each file with manifest.json (unzip, then: sha256sum FILE).
3. In audit.jsonl the numbers rise by one without a gap, and the last row's `mac` is `chain.last.mac` of
   the manifest. Compare it, and any other, with the hospital's own file of heads (it lies outside the
   database, see SPINETRIAGE_AUDIT_ANCHOR): one that differs shows that the record was written anew.
With the key, at the hospital: `spinetriage audit check-export FILE` computes the `mac` of each row
   (HMAC-SHA256 over the `mac` of the row before and the row itself), which proves that no row was
   changed, left out or put in.
An account is a number here, unless the archive holds accounts.csv. No report text is in it.
"""


class ArchiveError(RuntimeError):
    """An archive cannot be made or checked; the text says why and the way out."""


def export(
    account: Account, span: tuple[datetime, datetime], to: Path, names_reason: str, progress: Progress
) -> dict[str, Any]:
    """Write the record of a stretch of time into a new archive, and return its manifest.

    Rows are streamed: memory does not grow with them. That it was exported is recorded before the file has
    its name.

    Parameters
    ----------
    span
        From, and until when (not included); by the times of the audit's rows.
    names_reason
        Why the names of accounts go along; "" = they do not.
    """
    if account.sources:
        raise ArchiveError("This account sees some sources only; an archive is made of the whole record.")
    if to.exists() or to.is_symlink():
        raise ArchiveError(f"{to} is there already; name a new file.")
    draft = to.with_name(f".{to.name}.{os.getpid()}.partial")
    try:
        handle = os.open(draft, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w+b") as stream:
            with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
                said = _fill(_Writer(archive, progress), span, with_names=bool(names_reason))
            stream.flush()
            os.fsync(stream.fileno())
        digest = hashlib.sha256(_manifest(said).encode()).hexdigest()
        detail = {"manifest": digest, "rows": said["rows"], "names": bool(names_reason)}
        why = hashlib.sha256(names_reason.encode()).hexdigest() if names_reason else ""
        record(Action.AUDIT_EXPORTED, actor=account.actor, subject=account.actor, why=why, **detail)
        draft.rename(to)
    except OSError as error:
        raise ArchiveError(f"{to} cannot be written: {error.strerror}.") from None
    finally:
        draft.unlink(missing_ok=True)
    return said


def _fill(out: _Writer, span: tuple[datetime, datetime], *, with_names: bool) -> dict[str, Any]:
    rows = _rows(span)
    first, last = rows.first(), rows.last()
    before = AuditRow.objects.filter(number=first.number - 1).first() if first else None
    runs = Run.objects.filter(started_at__gte=span[0], started_at__lt=span[1]).order_by("pk")
    reading = FilteredRelation("version__readings", condition=Q(version__readings__shard=None))
    inputs = Input.objects.annotate(first=reading).filter(shard__run__in=runs).order_by("pk")
    decisions = Decision.objects.filter(at__gte=span[0], at__lt=span[1]).order_by("pk")
    out.total = 3 * rows.count() + inputs.count()
    out.lines("audit.jsonl", (_json(_plain(row)) for row in rows.iterator()))
    out.table("audit.csv", ROW, (_cells(row) for row in rows.iterator()))
    out.lines("fhir-audit-events.ndjson", (_json(audit_event(row)) for row in rows.iterator()))
    out.table("runs.csv", RUN, runs.values_list(*RUN))
    out.table("outcomes.csv", tuple(INPUT), inputs.values_list(*INPUT.values()).iterator())
    out.table("decisions.csv", DECISION, decisions.values_list(*DECISION).iterator())
    out.lines("rules.jsonl", (_json(_rules(one)) for one in RuleSet.objects.order_by("pk").iterator()))
    if first and last:
        kept = ((number, mac) for number, mac in heads() if first.number <= number <= last.number)
        out.table("heads.csv", ("number", "mac"), kept)
    if with_names:
        names = Account.objects.order_by("pk").values_list("pk", "username")
        out.table("accounts.csv", ("account", "name"), names)
    out.lines("CHECKING.txt", CHECKING.splitlines())
    said = {
        "form": 1,
        "made_at": timezone.now().isoformat(),
        "program": version("spinetriage"),
        "since": span[0].isoformat(),
        "until": span[1].isoformat(),
        "rows": rows.count(),
        "chain": {
            "before": before.mac if before else "",
            "first": first.number if first else None,
            "last": {"number": last.number, "mac": last.mac} if last else None,
        },
        "with_names": with_names,
        "files": out.files,
    }
    out.archive.writestr("manifest.json", _manifest(said))
    return said


def _rows(span: tuple[datetime, datetime]) -> QuerySet[AuditRow]:
    """Return the rows from the first to the last of the stretch, by number: none is left out between."""
    there = AuditRow.objects.filter(at__gte=span[0], at__lt=span[1]).order_by("number")
    numbers = there.values_list("number", flat=True)
    first, last = numbers.first(), numbers.last()
    if first is None or last is None:
        return AuditRow.objects.none()
    return AuditRow.objects.filter(number__gte=first, number__lte=last).order_by("number")


class _Writer:
    """Writes files of an archive one after the other, with their digests and counts."""

    def __init__(self, archive: zipfile.ZipFile, progress: Progress) -> None:
        self.archive, self.progress = archive, progress
        self.files: dict[str, dict[str, Any]] = {}
        self.done, self.total = 0, 0

    def lines(self, name: str, lines: Iterable[str]) -> None:
        digest, count = hashlib.sha256(), 0
        with self.archive.open(name, "w", force_zip64=True) as file:
            for line in lines:
                data = f"{line}\n".encode()
                digest.update(data)
                file.write(data)
                count += 1
                self.done += 1
                if self.done % 1000 == 0:
                    self.progress(self.done, self.total)
        self.files[name] = {"lines": count, "sha256": digest.hexdigest()}

    def table(self, name: str, header: tuple[str, ...], rows: Rows) -> None:
        self.lines(name, _csv(header, rows))


def _csv(header: tuple[str, ...], rows: Rows) -> Iterator[str]:
    yield ",".join(header)
    for cells in rows:
        line = io.StringIO()
        csv.writer(line, lineterminator="").writerow(
            cell.isoformat() if isinstance(cell, datetime) else cell for cell in cells
        )
        yield line.getvalue()


def _plain(row: AuditRow) -> dict[str, Any]:
    return {name: getattr(row, name) for name in ROW}


def _cells(row: AuditRow) -> tuple[Any, ...]:
    return tuple(_json(row.detail) if name == "detail" else getattr(row, name) for name in ROW)


def _rules(rules: RuleSet) -> dict[str, Any]:
    return {
        "version": rules.version,
        "first_used": rules.first_used,
        "code_version": rules.code_version,
        "libraries": rules.libraries,
        "files_sha256": hashlib.sha256(bytes(rules.files)).hexdigest(),
        "applied_at": rules.applied_at,
        "applied_by": rules.applied_by_id,
    }


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, default=datetime.isoformat)


def _manifest(said: dict[str, Any]) -> str:
    return json.dumps(said, indent=1, sort_keys=True) + "\n"


def check(file: Path) -> list[str]:
    """Return what is wrong with an archive, as sentences: its files, and each row of the chain by our key."""
    try:
        with zipfile.ZipFile(file) as archive:
            said = json.loads(archive.read("manifest.json"))
            faults = list(_file_faults(archive, said))
            faults += _chain_faults(archive, said)
    except (OSError, zipfile.BadZipFile, KeyError, ValueError):
        raise ArchiveError(f"{file} is no whole archive of `spinetriage audit export`.") from None
    return faults


def _file_faults(archive: zipfile.ZipFile, said: dict[str, Any]) -> Iterator[str]:
    there = set(archive.namelist()) - {"manifest.json"}
    for name in sorted(there ^ said["files"].keys()):
        yield f"{name} is missing, or does not belong to the archive"
    for name in sorted(there & said["files"].keys()):
        with archive.open(name) as stream, suppress(zipfile.BadZipFile):
            if hashlib.file_digest(stream, "sha256").hexdigest() == said["files"][name]["sha256"]:  # type: ignore[arg-type]
                continue
        yield f"{name} was changed"


def _chain_faults(archive: zipfile.ZipFile, said: dict[str, Any]) -> Iterator[str]:
    before, expected = said["chain"]["before"], said["chain"]["first"]
    with archive.open("audit.jsonl") as stream:
        for line in stream:
            cells = json.loads(line)
            row = AuditRow(**cells | {"at": parse_datetime(cells["at"])})
            if row.number != expected:
                yield f"rows {expected} to {row.number - 1} are missing"
            if row_mac(row, before) != row.mac:
                yield f"row {row.number} does not fit the chain: it or the row before was changed"
            before, expected = row.mac, row.number + 1
    last = said["chain"]["last"]
    if last and (last["number"], last["mac"]) != (expected - 1, before):
        yield f"the chain ends at row {expected - 1}, the manifest says {last['number']}"
