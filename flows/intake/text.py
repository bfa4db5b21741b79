"""Plain-text reports, one a file."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import PurePosixPath

from flows.intake import fields
from flows.intake.encoding import decode
from flows.intake.folder import Entry, opened, walk
from flows.intake.guard import Guard
from flows.intake.report import KEPT_BYTES, Reason, RefusedError, Rejected, Report
from flows.intake.sources import Source
from review.records import NewPortion

_LABELLED = re.compile(r"[ \t]*([^:\n]{1,40}?)[ \t]*:(.*)")


def find(source: Source) -> Iterator[NewPortion]:
    """Each file is a portion of one item."""
    for _, entries in walk(source):
        for entry in entries:
            yield from portions(source, entry)


def portions(source: Source, entry: Entry) -> Iterator[NewPortion]:
    """The one portion of a file."""
    yield NewPortion(
        kind="reports",
        source=source.name,
        path=entry.path,
        fingerprint=entry.fingerprint,
        size=entry.size,
    )


def load(
    source: Source,
    portion: NewPortion,
    guard: Guard | None = None,
    kept: bytes | None = None,
    *,
    in_place: bool = False,
) -> Iterator[Report | Rejected]:
    """The file's report, or why there is none. An empty file is a report without text.

    `kept` are the bytes that were kept of it, taken instead of the file. With `in_place` the lines of the
    header become spaces instead of going, so that offsets in the report's text count from the beginning of
    the file.
    """
    raw: bytes | None = None
    try:
        with opened(source, portion.path, portion.fingerprint, kept) as file:
            raw = file.read(KEPT_BYTES + 1)
        (guard or Guard()).enter(portion.first)
        if len(raw) > source.max_text_bytes:
            raise RefusedError(Reason.TOO_LARGE, f"more than {source.max_text_bytes:,} bytes")
        decoded = decode(raw, source.encoding)
    except RefusedError as refused:
        whole = raw if raw is not None and len(raw) <= KEPT_BYTES else None
        yield Rejected(reason=refused.reason, detail=refused.detail, raw=whole)
        return
    said, text = _header(source, decoded.text, in_place)
    values = _from_name(source, portion.path) | {name: value for name, value in said.items() if value.strip()}
    yield fields.report(source, values, text, file_name=portion.path, warnings=decoded.warnings)


def _from_name(source: Source, path: str) -> dict[str, str]:
    match = source.filename.fullmatch(PurePosixPath(path).name) if source.filename else None
    return match.groupdict() if match else {}


def _header(source: Source, text: str, in_place: bool) -> tuple[dict[str, str], str]:
    """Take the lines with a known label out of the block before the first blank line.

    Any other line stays in the text: a report that merely begins like a header must lose none of its words.
    """
    lines = text.splitlines(keepends=True)
    end = next((number for number, line in enumerate(lines) if not line.strip()), len(lines))
    said: dict[str, str] = {}
    kept = []
    whole = True  # the block is nothing but a header
    for line in lines[:end]:
        match = _LABELLED.match(line)
        name = source.labels.get(match[1].lower()) if match else None
        if match and name:
            said[name] = match[2]
            if in_place:
                kept.append(re.sub(r"[^\r\n]", " ", line))
        else:
            kept.append(line)
            whole = False
    if not said:
        return {}, text
    body = lines[end + 1 :] if whole and not in_place else lines[end:]
    return said, "".join(kept + body)
