"""The command `spinetriage read`: reports in, readings out, in the order of the input; nothing is stored."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flows import display
from nlp import reader

LINES = {".jsonl", ".ndjson"}


@dataclass(frozen=True, slots=True)
class Asked:
    """One report to read, or the reason why it cannot be."""

    identity: Any
    text: str = ""
    context: dict[str, Any] | None = None
    error: str = ""


def show(paths: list[Path], as_json: bool) -> bool:
    """Print a reading for each report of `paths`; tell whether every one could be read.

    Parameters
    ----------
    paths
        Text files (one report each, the file's name is its id), files of JSON lines (by their ending), or
        `-` for JSON lines on standard input.
    as_json
        Print one JSON object a line instead of text for people.
    """
    complete = True
    for asked in (one for path in paths for one in _asked(path)):
        if asked.error:
            complete = False
            _print({"id": asked.identity, "error": asked.error}, as_json)
        else:
            reading = reader.read(asked.text, **(asked.context or {})).to_dict()
            _print({"id": asked.identity, **reading}, as_json)
    return complete


def _asked(path: Path) -> Iterator[Asked]:
    if str(path) == "-":
        yield from _lines(sys.stdin.buffer, "line")
    elif path.suffix.lower() in LINES:
        try:
            with path.open("rb") as file:
                yield from _lines(file, f"{path.name} line")
        except OSError as error:
            yield Asked(path.name, error=f"cannot be opened: {error.strerror}")
    else:
        try:
            yield Asked(path.name, path.read_bytes().decode("utf-8-sig"))
        except OSError as error:
            yield Asked(path.name, error=f"cannot be opened: {error.strerror}")
        except UnicodeDecodeError:
            yield Asked(path.name, error="is not UTF-8 text; convert it, for example with iconv")


def _lines(lines: Any, where: str) -> Iterator[Asked]:
    for number, line in enumerate(lines, 1):
        if line.strip():
            yield _line(line, f"{where} {number}")


def _line(line: bytes, place: str) -> Asked:
    """Take one JSON line; what is wrong with it is said without a word of its content."""
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        return Asked(None, error=f"{place}: is not JSON; expected one object a line")
    if not isinstance(value, dict):
        return Asked(None, error=f'{place}: is not an object; expected {{"id": …, "text": …}}')
    identity, text = value.pop("id", None), value.pop("text", None)
    if not isinstance(identity, str | int):
        return Asked(None, error=f'{place}: has no "id"; expected a text or a number')
    if not isinstance(text, str):
        return Asked(identity, error=f'{place}: has no "text"; expected the text of a report')
    return Asked(identity, text, value)


def _print(value: dict[str, Any], as_json: bool) -> None:
    if as_json:
        sys.stdout.write(json.dumps(value, ensure_ascii=False) + "\n")
    elif "error" in value:
        display.complaints.print(f"{value['id']}: {value['error']}", markup=False)
    else:
        display.reading(str(value["id"]), value)
