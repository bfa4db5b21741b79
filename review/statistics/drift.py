"""Which terms come up more or less often than in the month before."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import Any

from review.ledger.inputs import READ
from review.models import Run
from review.statistics.estimates import holm, same_share
from review.statistics.period import Scope
from review.statistics.table import Column, Table
from review.statistics.volume import shards

LEVEL = 0.05  # the chance that even one term is flagged though none has changed
MATTERS = 1.5  # times as many, or as few: less is beyond chance in a large hospital, and means nothing


@dataclass(frozen=True, slots=True)
class Comparison:
    """What two periods came to: a row for each concept, those that have changed first."""

    rows: list[dict[str, Any]]
    read: int
    read_before: int
    # How many versions of the rules ran meanwhile: with more than one, a drift is no news of the patients.
    rules: int

    @property
    def tested(self) -> int:
        """How many concepts came up often enough to be tested."""
        return sum(row["chance"] is not None for row in self.rows)

    @property
    def changed(self) -> list[dict[str, Any]]:
        """The rows that have changed beyond chance, and by so much that it matters."""
        return [row for row in self.rows if row["flag"]]


def compared(scope: Scope) -> Comparison:
    """Compare the period with the 30 days before it."""
    now = _terms(scope)
    before = _terms(replace(scope, period=scope.period.before))
    read, read_before = now.pop(READ, 0), before.pop(READ, 0)
    rows = [_row(term, now[term], read, before[term], read_before) for term in sorted({*now, *before})]
    tested = [row for row in rows if row["chance"] is not None]
    for row, chance in zip(tested, holm([row["chance"] for row in tested]), strict=True):
        row["chance"] = chance
        row["flag"] = _flag(row)
    rows.sort(key=lambda row: (not row["flag"], row["chance"] is None, row["chance"] or 0, row["concept"]))
    return Comparison(rows=rows, read=read, read_before=read_before, rules=_rules(scope))


def drift(scope: Scope) -> Table:
    """Compare how many of 1,000 reports affirm each concept with the 30 days before the period."""
    found = compared(scope)
    return Table(
        name="drift",
        title="Terms against the month before",
        says=_says(found),
        of=f"Concepts that readings affirm, per 1,000 texts read: {found.read:,} in the period, "
        f"{found.read_before:,} in the 30 days before it. Tested are those of which at least five "
        f"were expected in both (two-proportion z-test, Holm's correction for {found.tested} terms). Flagged "
        f"when the corrected chance is below {LEVEL:.0%} and the rate is at least × {MATTERS} or at most "
        f"÷ {MATTERS}. "
        "A change may lie in the patients, in how reports are written, or in the machine. "
        f"{_meanwhile(found.rules)}",
        columns=(
            Column("concept", "Concept", "text"),
            Column("before", "month before"),
            Column("rate_before", "per 1,000", "rate"),
            Column("now", "period"),
            Column("rate", "per 1,000", "rate"),
            Column("ratio", "ratio", "ratio"),
            Column("chance", "chance, corrected", "chance"),
            Column("flag", "changed", "text"),
        ),
        rows=found.rows,
    )


def _terms(scope: Scope) -> Counter[str]:
    found: Counter[str] = Counter()
    for terms in shards(scope).values_list("terms", flat=True).iterator():
        found.update(terms)
    return found


def _row(term: str, now: int, read: int, before: int, read_before: int) -> dict[str, Any]:
    rate = 1000 * now / read if read else None
    rate_before = 1000 * before / read_before if read_before else None
    return {
        "concept": term,
        "before": before,
        "rate_before": rate_before,
        "now": now,
        "rate": rate,
        "ratio": rate / rate_before if rate is not None and rate_before else None,
        "chance": same_share(now, read, before, read_before),
        "flag": "",
    }


def _flag(row: dict[str, Any]) -> str:
    rate, before = row["rate"], row["rate_before"]
    if row["chance"] >= LEVEL:
        return ""
    if rate >= MATTERS * before:
        return "▲ more often"
    return "▼ less often" if rate * MATTERS <= before else ""


def _says(found: Comparison) -> str:
    if not found.read or not found.read_before:
        return "Nothing to compare: no text was read in the period, or none in the 30 days before it."
    flagged = [f"{row['concept']} {row['flag']}" for row in found.changed]
    if not flagged:
        return f"No concept has changed beyond chance, of {found.tested} tested."
    named = ", ".join(flagged[:8])
    return f"{len(flagged)} of {found.tested} concepts tested have changed beyond chance: {named}."


def _rules(scope: Scope) -> int:
    runs = Run.objects.filter(
        started_at__gte=scope.period.before.start, started_at__lt=scope.period.end
    ).values_list("rules_version", flat=True)
    return runs.order_by().distinct().count()


def _meanwhile(versions: int) -> str:
    if versions > 1:
        return (
            f"The rules changed meanwhile ({versions} versions of them ran), which alone can be the reason."
        )
    return "The rules were the same all the time."
