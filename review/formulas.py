"""Cells of a CSV, which a spreadsheet takes for formulas when they begin so."""

from __future__ import annotations

_BEGIN = ("=", "+", "-", "@", "\t", "\r")


def harmless(cell: str) -> str:
    """Return a cell that no spreadsheet reckons with: descriptions come from other systems."""
    return f"'{cell}" if cell.startswith(_BEGIN) else cell
