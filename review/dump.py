"""Bytes that nobody could read, as people can look at them: as text as far as they are, and as numbers."""

from __future__ import annotations

from dataclasses import dataclass

TEXT_BYTES = 64 * 2**10  # shown as text
ROW, ROWS = 16, 64  # bytes of a row of numbers, and rows


@dataclass(frozen=True, slots=True)
class Dump:
    """The beginning of some bytes, for a page; what a terminal or browser could act on is replaced."""

    size: int
    text: str
    rows: list[tuple[str, str, str]]  # offset, bytes, characters
    is_cut: bool  # the text goes on


def dump(raw: bytes) -> Dump:
    """Return the beginning of `raw` as text (UTF-8, what is none replaced) and as hexadecimal numbers."""
    text = raw[:TEXT_BYTES].decode("utf-8", "replace")
    starts = range(0, min(len(raw), ROW * ROWS), ROW)
    return Dump(
        size=len(raw),
        text="".join(c if c.isprintable() or c in "\n\t" else "\N{REPLACEMENT CHARACTER}" for c in text),
        rows=[(f"{at:06x}", raw[at : at + ROW].hex(" "), _plain(raw[at : at + ROW])) for at in starts],
        is_cut=len(raw) > TEXT_BYTES,
    )


def _plain(some: bytes) -> str:
    return "".join(chr(byte) if 32 <= byte < 127 else "·" for byte in some)
