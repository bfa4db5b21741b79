"""The command `spinetriage read`: reports in, readings out, in the order of the input; nothing is stored."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, BinaryIO

from flows import display, printout
from flows.intake import folder, sources, table, text
from flows.intake.report import KEPT_BYTES, RefusedError, Rejected, Report, context
from flows.intake.sources import MAX_TEXT_BYTES, Source
from nlp import reader
from review.meanings import meaning
from review.site import ROOT, config_folder


@dataclass(frozen=True, slots=True, repr=False)
class Asked:
    """One report to read, or the reason why it cannot be."""

    identity: Any
    text: str = ""
    context: dict[str, Any] = field(default_factory=dict)
    error: str = ""
    warnings: tuple[str, ...] = ()


def show(paths: list[Path], as_json: bool) -> bool:
    """Print a reading for each report of `paths`; tell whether every one could be read.

    Parameters
    ----------
    paths
        Files of reports as a batch takes them (text, CSV, JSON lines), folders of such, files of JSON lines
        with `id` and `text`, or `-` for those on standard input. A text file's offsets count from its
        beginning, its header included, a newline as one character.
    as_json
        Print one JSON object a line instead of text for people.
    """
    complete, anything = True, False
    for asked in (one for path in paths for one in _asked(path)):
        anything = True
        if asked.error:
            complete = False
            _complain(asked, as_json)
        else:
            reading = reader.read(asked.text, **asked.context).to_dict()
            if as_json:
                _line_out({"id": asked.identity, **reading})
            else:
                printout.show(asked.identity, reading, asked.text, asked.context)
                for warning in asked.warnings:
                    display.complain(f"{asked.identity}: {meaning(warning)}")
    if not anything and not as_json:
        display.complain("There was no report to read.")
    return complete


def lines(file: BinaryIO) -> Iterator[tuple[int, bytes]]:
    """Number the lines of a file that are not blank; of one longer than `KEPT_BYTES` give so much only."""
    number = 0
    while line := file.readline(KEPT_BYTES):
        number += 1
        rest = line
        while rest and not rest.endswith(b"\n"):
            rest = file.readline(KEPT_BYTES)
        if number == 1:
            line = line.removeprefix(b"\xef\xbb\xbf")
        if line.strip():
            yield number, line


def _asked(path: Path) -> Iterator[Asked]:
    if str(path) == "-":
        if sys.stdin.isatty():
            display.complain('Type JSON lines, {"id": …, "text": …}; end with Ctrl-D.')
        yield from _lines(sys.stdin.buffer, "line")
        return
    place = path.resolve()
    if place.is_dir():
        for source in _sources(place):
            for _, entries in folder.walk(source):
                for entry in entries:
                    yield from _file(source, entry)
        return
    try:
        entry = folder.entry(place)
    except OSError as error:
        yield Asked(path.name, error=f"cannot be opened: {error.strerror}")
        return
    # A file of no known ending is text.
    wanting = [source for source in _sources(place.parent) if folder.wanted(source, place.name)]
    yield from _file((wanting or _as_text(place.parent))[0], entry)


def _sources(place: Path) -> list[Source]:
    """The sources that take from a folder, as if it were theirs; any folder's when none is configured so."""
    _, configured = sources.load(config_folder() / "sources.toml", ROOT)
    reports = [source for source in configured if source.kind != "dicom"]
    there = [source for source in reports if place.is_relative_to(source.folder.resolve())]
    those = there or [source for source in sources.adhoc(place) if source.kind != "dicom"]
    return [replace(source, folder=place, settle_seconds=0) for source in those]


def _as_text(place: Path) -> list[Source]:
    return [source for source in sources.adhoc(place) if source.kind == "text"]


def _file(source: Source, entry: folder.Entry) -> Iterator[Asked]:
    """The reports of one file as a batch would take them, or as lines of the command's own kind."""
    if source.kind == "jsonl":
        try:
            with folder.opened(source, entry.path) as file:
                first = next(lines(file), (0, b""))[1]
                if not _is_export(source, first):
                    file.seek(0)
                    yield from _lines(file, f"{entry.path} line")
                    return
        except RefusedError as refused:
            yield Asked(entry.path, error=_said(refused))
            return
    kind = text if source.kind == "text" else table
    for portion in kind.portions(source, entry):
        loaded = text.load(source, portion, in_place=True) if kind is text else table.load(source, portion)
        for number, one in enumerate(loaded, portion.first + 1):
            if isinstance(one, Report):
                yield Asked(one.file_name, one.text, context(one, None), warnings=one.warnings)
            else:
                name = entry.path if kind is text else f"{entry.path}#{number}"
                yield Asked(name, error=_said(one))


def _is_export(source: Source, line: bytes) -> bool:
    """Tell an export of reports by its first line: the text does not stand under the command's own key."""
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        return False
    return isinstance(value, dict) and "text" not in value and source.columns["text"] in value


def _lines(file: BinaryIO, where: str) -> Iterator[Asked]:
    for number, line in lines(file):
        yield _line(line, f"{where} {number}")


def _line(line: bytes, place: str) -> Asked:
    """Take one JSON line; what is wrong with it is said without a word of its content."""
    try:
        value = json.loads(line) if len(line) < KEPT_BYTES else None
    except (ValueError, RecursionError):
        return Asked(None, error=f"{place}: is not JSON; expected one object a line")
    if not isinstance(value, dict):
        what = "is not an object" if len(line) < KEPT_BYTES else f"is longer than {KEPT_BYTES:,} bytes"
        return Asked(None, error=f'{place}: {what}; expected {{"id": …, "text": …}}')
    identity, said = value.pop("id", None), value.pop("text", None)
    if not isinstance(identity, str | int):
        return Asked(None, error=f'{place}: has no "id"; expected a text or a number')
    if not isinstance(said, str):
        return Asked(identity, error=f'{place}: has no "text"; expected the text of a report')
    if len(said) > MAX_TEXT_BYTES:
        return Asked(identity, error=f"{place}: the text is longer than {MAX_TEXT_BYTES:,} characters")
    return Asked(identity, said, value)


def _said(refused: RefusedError | Rejected) -> str:
    why = meaning(refused.reason).rstrip(".")
    return f"{why} ({refused.detail})" if refused.detail else why


def _complain(asked: Asked, as_json: bool) -> None:
    if as_json:
        _line_out({"id": asked.identity, "error": asked.error})
    elif asked.identity is None:
        display.complain(asked.error)
    else:
        display.complain(f"{asked.identity}: {asked.error}")


def _line_out(value: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(value, ensure_ascii=False) + "\n")
