"""A table of figures: the same for the page, for CSV, for commands and for the picture of it."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

from review.duration import duration
from review.formulas import harmless

Kind = Literal["text", "count", "share", "minutes", "whole", "rate", "ratio", "chance"]
OWN: Literal["own"] = "own"  # each row says the kind of its values itself, under `kind`


@dataclass(frozen=True, slots=True)
class Column:
    """What stands in a column: the key of its values, its heading, and how they are written for people."""

    key: str
    heading: str
    kind: Kind | Literal["own"] = "count"

    def kind_in(self, row: dict[str, Any]) -> Kind:
        """Return how the value of a row is written."""
        kind: Kind = row["kind"] if self.kind == OWN else self.kind
        return kind


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """Figures with what they mean.

    `says` is the main thing in a sentence, also for those who do not see the picture; `of` names what was
    counted and what was left out.
    """

    name: str
    title: str
    says: str
    of: str
    columns: tuple[Column, ...]
    rows: list[dict[str, Any]]

    @property
    def shown(self) -> list[list[tuple[str, bool]]]:
        """The cells as people read them, each with whether it is a number."""
        return [
            [(told(column.kind_in(row), row[column.key]), column.kind != "text") for column in self.columns]
            for row in self.rows
        ]

    @property
    def csv(self) -> str:
        """The table for programs: headings by key, numbers as they are, shares from 0 to 1."""
        out = io.StringIO()
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow([column.key for column in self.columns])
        for row in self.rows:
            writer.writerow([_plain(row[column.key]) for column in self.columns])
        return out.getvalue()

    def as_dict(self) -> dict[str, Any]:
        """Return the table as `spinetriage stats --json` prints it."""
        return {"title": self.title, "says": self.says, "of": self.of, "rows": self.rows}


def told(kind: Kind, value: Any) -> str:
    """Say a value of a kind in words; what is not known is a dash."""
    return "–" if value is None else _TOLD[kind](value)


def percent(share: float) -> str:
    """Say a share in per cent, with as many digits as a small one needs to be seen."""
    hundred = 100 * share
    digits = 1 if hundred >= 1 or hundred == 0 else 2 if hundred >= 0.1 else 3
    return f"{hundred:.{digits}f} %"


def between(low: float, high: float) -> str:
    """Say an interval."""
    return f"{percent(low)} to {percent(high)}"


_TOLD: dict[Kind, Callable[[Any], str]] = {
    "text": str,
    "count": lambda value: f"{value:,}",
    "share": percent,
    "minutes": duration,
    "whole": lambda value: f"{value:,.0f}",
    "rate": lambda value: f"{value:,.2f}",
    "ratio": lambda value: f"× {value:.2f}",
    "chance": lambda value: "< 0.001" if value < 0.001 else f"{value:.3f}",
}


def _plain(value: Any) -> Any:
    if isinstance(value, date):
        return value.isoformat()
    return harmless(value) if isinstance(value, str) else value
