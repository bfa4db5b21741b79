"""Where reports and studies come from: `config/sources.toml`, parsed strictly."""

from __future__ import annotations

import hashlib
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, cast
from zoneinfo import ZoneInfo

from flows.intake.report import FIELDS, KEPT_BYTES
from flows.intake.settings import SourceError, Table

Kind = Literal["text", "csv", "jsonl", "dicom"]
KINDS: tuple[Kind, ...] = ("text", "csv", "jsonl", "dicom")

MAX_TEXT_BYTES = 2_000_000  # a report is never that long
LONGEST_ITEM_SECONDS = (
    120  # a run that waits for an item must not seem dead: see review.ledger.running.SILENCE
)
DEFAULT_PATTERNS: dict[Kind, tuple[str, ...]] = {
    "text": ("*.txt",),
    "csv": ("*.csv",),
    "jsonl": ("*.jsonl", "*.ndjson"),
    "dicom": ("*.dcm", "*."),
}
DEFAULT_COLUMNS = {name: name for name in FIELDS} | {"text": "report_text"}
DEFAULT_LABELS = {
    "accession": "accession",
    "report number": "report_number",
    "patient id": "patient_id",
    "birth date": "birth_date",
    "sex": "sex",
    "status": "status",
    "result time": "result_time",
    "modality": "modality",
    "study": "study_description",
    "study date": "study_date",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """How much one task takes, reports (or rows of a table) and DICOM files; and what one item may cost.

    `item_seconds` and `memory_mb` (beyond what the reader itself needs) are limits of the process that takes
    files apart and reads: an item that goes beyond them is rejected.
    """

    shard_reports: int = 250
    shard_files: int = 2000
    item_seconds: int = 60
    memory_mb: int = 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """One place that reports or studies come from.

    `issuer` is the authority that gave out the accession and patient numbers; empty means unknown, which
    agrees with any. `labels` maps labels in lower case to fields, `columns` fields to column names.
    """

    name: str
    kind: Kind
    folder: Path
    patterns: tuple[str, ...]
    issuer: str
    encoding: str = "utf-8"
    timezone: ZoneInfo = field(default_factory=lambda: ZoneInfo("UTC"))
    delimiter: str = ","
    columns: Mapping[str, str] = field(default_factory=lambda: DEFAULT_COLUMNS)
    labels: Mapping[str, str] = field(default_factory=lambda: DEFAULT_LABELS)
    filename: re.Pattern[str] | None = None
    settle_seconds: int = 0
    max_text_bytes: int = MAX_TEXT_BYTES
    shard_reports: int = 250
    enabled: bool = True


def load(path: Path, root: Path) -> tuple[Batch, tuple[Source, ...]]:
    """Read the configuration of all sources.

    Parameters
    ----------
    path
        The TOML file.
    root
        The folder that relative folders start from: the project's root.

    Raises
    ------
    SourceError
        For anything that is not understood; the text says file, key, what came and what was expected.
    """
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SourceError(f"{path}: cannot be read ({error.strerror}); expected a TOML file.") from None
    except ValueError as error:  # not UTF-8, not TOML, or a name that stands twice
        raise SourceError(f"{path}: is not valid TOML: {error}.") from None
    top = Table(document, str(path))
    table = top.table("batch")
    batch = Batch(
        shard_reports=table.number("shard_reports", 250, least=1),
        shard_files=table.number("shard_files", 2000, least=1),
        item_seconds=table.number("item_seconds", 60, least=1, most=LONGEST_ITEM_SECONDS),
        memory_mb=table.number("memory_mb", 1024, least=256),
    )
    table.finish()
    sources = top.table("sources")
    found = tuple(_source(sources.table(name), name, root, batch) for name in sources.left())
    top.finish()
    if not any(source.enabled for source in found):
        raise SourceError(f"{path}: has no source that is enabled; expected at least one [sources.NAME].")
    return batch, found


def adhoc(folder: Path, batch: Batch | None = None) -> tuple[Source, ...]:
    """Sources for somebody's own folder: all four formats at any depth, with the default names.

    The numbers' issuer is unknown. The names carry a digest of the folder's whole path, so that two folders
    of the same name are told apart.
    """
    if not folder.is_dir():
        raise SourceError(f"{folder}: is not a folder; expected a folder with reports or DICOM files.")
    place = folder.resolve()
    slug = re.sub(r"[^a-z0-9]+", "-", place.name.lower())[:60].strip("-") or "folder"
    mark = hashlib.sha256(str(place).encode(errors="surrogateescape")).hexdigest()[:6]
    return tuple(
        Source(
            name=f"{slug}-{mark}-{kind}",
            kind=kind,
            folder=place,
            patterns=DEFAULT_PATTERNS[kind],
            issuer="",
            shard_reports=(batch or Batch()).shard_reports,
        )
        for kind in KINDS
    )


def _source(table: Table, name: str, root: Path, batch: Batch) -> Source:
    # Name and issuer are part of a report's key, which has its limit.
    if not re.fullmatch(r"[a-z0-9][a-z0-9_-]{0,99}", name):
        raise table.error("", "has a name that is not made of up to 100 of a-z, 0-9, - and _")
    kind = cast(Kind, table.one_of("kind", KINDS))
    issuer = table.text("issuer")
    if "/" in issuer or len(issuer) > 100:  # "/" ends the issuer in a report's key
        raise table.error("issuer", f"is {issuer!r}; expected a name of up to 100 characters without '/'")
    # Settings that only some kinds have: elsewhere they are unknown, and refused as such.
    special: dict[str, Any] = {}
    if kind != "dicom":
        special["encoding"] = table.encoding("encoding", "utf-8", one_byte_newlines=kind != "text")
        special["timezone"] = table.zone("timezone", "UTC")
        special["max_text_bytes"] = table.number("max_text_bytes", MAX_TEXT_BYTES, least=1, most=KEPT_BYTES)
    if kind == "text":
        labels = table.names("labels", DEFAULT_LABELS)
        table.require_known("labels", labels.values(), FIELDS)
        special["labels"] = {label.lower(): name for label, name in labels.items()}
        special["filename"] = table.template("filename", FIELDS)
    if kind == "csv":
        special["delimiter"] = table.character("delimiter", ",")
    if kind in ("csv", "jsonl"):
        columns = table.names("columns", {})
        table.require_known("columns", columns, DEFAULT_COLUMNS)
        special["columns"] = DEFAULT_COLUMNS | columns
    source = Source(
        name=name,
        kind=kind,
        folder=root / table.text("folder"),
        patterns=table.patterns("patterns", DEFAULT_PATTERNS[kind]),
        issuer=issuer,
        settle_seconds=table.number("settle_seconds", 0, least=0),
        shard_reports=batch.shard_reports,
        enabled=table.flag("enabled", True),
        **special,
    )
    table.finish()
    return source
