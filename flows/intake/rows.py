"""Splitting a table into its items at byte offsets: rows of a CSV file, lines of JSON.

A file is read line by line and at most one row is held, however large the file is.
"""

from __future__ import annotations

import csv
import json
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from flows.intake.encoding import decode
from flows.intake.report import KEPT_BYTES, Reason, RefusedError
from flows.intake.sources import Source

# The csv module's own limit is 128 KiB a field, for the whole process. How much a report may have is the
# source's setting.
csv.field_size_limit(KEPT_BYTES)

_BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class Item:
    """One row or line: where it begins and its bytes.

    `cells` are a CSV row's, bytes as characters: a table's structure does not depend on its encoding.
    None when the row is broken, and for JSON.
    """

    offset: int
    raw: bytes
    cells: list[str] | None = None


@dataclass(frozen=True, slots=True)
class Values:
    """What an item says: field names and values, and the report's text."""

    said: dict[str, str]
    text: str
    warnings: tuple[str, ...]


class CsvTable:
    """Rows of a CSV file, quoted newlines included; `header` are the bytes of its first row.

    After a quote that is not balanced, every line is tried again as the beginning of a row. One with as many
    cells as the header is a good row, one with a misplaced quote the next broken row; any other line belongs
    to the broken row before it.

    Raises
    ------
    RefusedError
        When the header cannot be used.
    """

    def __init__(self, source: Source, file: BinaryIO) -> None:
        self._source = source
        self._lines = _Lines(file)
        header, names = self._read()
        while names == []:  # blank lines
            header, names = self._read()
        self.header = b"".join(header)
        encoding = decode(self.header, source.encoding).encoding
        if header and not names:
            raise RefusedError(Reason.BROKEN_ROW, "the header")
        self._width = len(names or ())
        titles = [_decoded(name, encoding).strip().casefold() for name in names or ()]
        self._places = {
            field: titles.index(column.casefold())
            for field, column in source.columns.items()
            if column.casefold() in titles
        }
        if header and "text" not in self._places:
            raise RefusedError(Reason.NO_TEXT, f"expected a column {source.columns['text']!r}")
        self._first = self._lines.position

    def items(self, offset: int) -> Iterator[Item]:
        """Items from an offset on, which is 0 or the one of an item."""
        self._lines.seek(max(offset, self._first))
        broken: list[bytes] = []
        start = here = self._lines.position
        while True:
            lines, cells = self._read()
            good = cells is not None and len(cells) == self._width
            if broken and (good or cells is None or here - start > self._source.max_text_bytes):
                yield Item(start, b"".join(broken))
                broken = []
            if not lines:
                return
            if cells is None:  # a quote went wrong: this line is broken, the next may begin a row
                self._lines.give_back(lines[1:])
                start, broken = here, lines[:1]
            elif good:
                yield Item(here, b"".join(lines), cells)
            elif broken:
                broken += lines
            elif cells:  # and no blank line
                yield Item(here, b"".join(lines))
            here = self._lines.position

    def values(self, item: Item) -> Values:
        """What an item says; raises `RefusedError`."""
        decoded = decode(item.raw, self._source.encoding)
        if item.cells is None:
            raise RefusedError(Reason.BROKEN_ROW, f"expected {self._width} columns and balanced quotes")
        said = {field: _decoded(item.cells[place], decoded.encoding) for field, place in self._places.items()}
        return Values(said, said.pop("text"), decoded.warnings)

    def _read(self) -> tuple[list[bytes], list[str] | None]:
        """The lines of one row and its cells; no cells if its quotes do not balance, no lines at the end."""
        lines: list[bytes] = []

        def feed() -> Iterator[str]:
            size = 0
            while line := self._lines.take():
                lines.append(line)
                size += len(line)
                if size > self._source.max_text_bytes:  # of a row, or after a quote that nothing closes
                    return
                yield line.decode("latin-1")

        try:
            cells = next(csv.reader(feed(), delimiter=self._source.delimiter, strict=True), None)
        except csv.Error:
            cells = None
        return lines, cells


class JsonLines:
    """Lines that are JSON objects; there is no header."""

    header = b""

    def __init__(self, source: Source, file: BinaryIO) -> None:
        self._source = source
        self._lines = _Lines(file)

    def items(self, offset: int) -> Iterator[Item]:
        """Items from an offset on, which is 0 or the one of an item."""
        self._lines.seek(offset)
        here = self._lines.position
        while line := self._lines.take():
            if line.strip():
                yield Item(here, line)
            here = self._lines.position

    def values(self, item: Item) -> Values:
        """What an item says; raises `RefusedError`."""
        decoded = decode(item.raw, self._source.encoding)
        try:
            found = json.loads(decoded.text)
        except (ValueError, RecursionError):
            found = None
        if not isinstance(found, dict):
            raise RefusedError(Reason.BROKEN_LINE)
        column = self._source.columns["text"]
        text = found.get(column, False)
        if text is not None and not isinstance(text, str):
            raise RefusedError(Reason.NO_TEXT, f"expected text under {column!r}")
        if text and "\0" in text:
            raise RefusedError(Reason.BINARY)
        said = {
            field: str(found[name])
            for field, name in self._source.columns.items()
            if field != "text" and isinstance(found.get(name), str | int | float)
        }
        return Values(said, text or "", decoded.warnings)


class _Lines:
    """Physical lines of a file, some of which can be given back; a byte order mark is passed over.

    A line longer than `KEPT_BYTES` comes in pieces of that size: none of them can be a report.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._given_back: deque[bytes] = deque()
        self.seek(0)

    def seek(self, offset: int) -> None:
        self._file.seek(offset)
        self._given_back.clear()
        self.position = offset
        if offset == 0 and self._file.read(len(_BOM)) == _BOM:
            self.position = len(_BOM)
        self._file.seek(self.position)

    def take(self) -> bytes:
        line = self._given_back.popleft() if self._given_back else self._file.readline(KEPT_BYTES)
        self.position += len(line)
        return line

    def give_back(self, lines: list[bytes]) -> None:
        self._given_back.extendleft(reversed(lines))
        self.position -= sum(map(len, lines))


def _decoded(cell: str, encoding: str) -> str:
    return cell.encode("latin-1").decode(encoding)
