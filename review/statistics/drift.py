"""Which terms come up more or less often than in the month before."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Any

from review.ledger.inputs import READ
from review.models import Run
from review.statistics.estimates import holm, same_share
from review.statistics.period import Scope
from review.statistics.table import Column, Table
from review.statistics.volume import shards

LEVEL = 0.05  # the chance that even one term is flagged though none has changed
MATTERS = 1.5  # times as many, or as few: less is beyond chance in a large hospital, and means nothing


def drift(scope: Scope) -> Table:
    """Compare how many of 1,000 reports affirm each concept with the 30 days before the period."""
    now = _terms(scope)
    before = _terms(replace(scope, period=scope.period.before))
    read, read_before = now.pop(READ, 0), before.pop(READ, 0)
    rows = [_row(term, now[term], read, before[term], read_before) for term in sorted({*now, *before})]
    tested = [row for row in rows if row["chance"] is not None]
    for row, chance in zip(tested, holm([row["chance"] for row in tested]), strict=True):
        row["chance"] = chance
        row["flag"] = _flag(row)
    rows.sort(key=lambda row: (not row["flag"], row["chance"] is None, row["chance"] or 0, row["concept"]))
    return Table(
        name="drift",
        title="Terms against the month before",
        says=_says(rows, len(tested), read, read_before),
        of=f"Concepts that readings affirm, per 1,000 texts read: {read:,} in the period, {read_before:,} "
        "in the 30 days before it. Tested are those of which at least five were expected in both "
        f"(two-proportion z-test, Holm's correction for {len(tested)} terms). Flagged when the corrected "
        f"chance is below {LEVEL:.0%} and the rate is at least × {MATTERS} or at most ÷ {MATTERS}. A "
        f"change may lie in the patients, in how reports are written, or in the machine. {_rules(scope)}",
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
        rows=rows,
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


def _says(rows: list[dict[str, Any]], tested: int, read: int, read_before: int) -> str:
    if not read or not read_before:
        return "Nothing to compare: no text was read in the period, or none in the 30 days before it."
    flagged = [f"{row['concept']} {row['flag']}" for row in rows if row["flag"]]
    if not flagged:
        return f"No concept has changed beyond chance, of {tested} tested."
    return f"{len(flagged)} of {tested} concepts tested have changed beyond chance: {', '.join(flagged[:8])}."


def _rules(scope: Scope) -> str:
    """Say whether the rules changed meanwhile: then a drift is no news of the patients."""
    runs = Run.objects.filter(
        started_at__gte=scope.period.before.start, started_at__lt=scope.period.end
    ).values_list("rules_version", flat=True)
    versions = runs.order_by().distinct().count()
    if versions > 1:
        return (
            f"The rules changed meanwhile ({versions} versions of them ran), which alone can be the reason."
        )
    return "The rules were the same all the time."
