"""What a replay, a trial of rules and a reread came to, as people read it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from rich.table import Table
from rich.text import Text

from flows.display import TIERS, clean, console

if TYPE_CHECKING:
    from flows.replay import Tally

RESULTS = {
    "same": "readings are the same, byte for byte",
    "other_program": "differ, as another version of the program made them",
    "other_libraries": "differ, as the program ran on other libraries",
    "unexplained": "DIFFER WITHOUT AN EXPLANATION",
    "rules_not_kept": "cannot be made again: their rules were not kept",
    "erased": "have lost their words to an erasure",
}
REREAD = {
    "readings": "reports read again",
    "opened": "cases opened",
    "raised": "cases rose",
    "waits_again": "decided cases wait again",
    "calmer": "reports read as less urgent; their cases keep their tier",
    "failed": "reports could not be read with these rules, and keep their reading",
}
LONGEST = 60  # characters of a value that differs


def replay(tally: Tally) -> None:
    """Print the counts, then each reading that differs with its reason and the places."""
    told = tally.as_dict()
    for result, number in told["results"].items():
        if number or result == "same":
            console.print(f"{number:>9,}  {RESULTS[result]}", markup=False, highlight=False)
    for one in told["why"]:
        console.print(f"\n{one['readings']:,}: {one['why']}.", markup=False, highlight=False)
    for one in told["listed"]:
        console.print()
        console.print(Text(clean(f"{one['report']}, version {one['version']}"), style="bold"))
        console.print(f"  {one['why']}", markup=False, highlight=False)
        for place in one["differences"]:
            stored, now = (_short(place[name]) for name in ("stored", "now"))
            console.print(Text(clean(f"  {place['at']}: stored {stored}, now {now}")))


def trial(told: dict[str, Any]) -> None:
    """Print what other rules would change: tiers, cases, decided cases, concepts, words."""
    console.print(f"{told['reports']:,} reports read, {told['changed']:,} of them would change tier.")
    if told["changed"]:
        console.print(_tiers(told["tiers"]))
    for what, number in told["cases"].items():
        console.print(f"{number:>9,}  {what}", markup=False, highlight=False)
    if told["decided"]:
        console.print(_decided(told["decided"]))
    if told["concepts"]:
        table = _table("Affirmed in reports", "New", "Lost")
        for row in told["concepts"]:
            table.add_row(row["concept"], f"{row['new']:,}", f"{row['lost']:,}")
        console.print(table)
    if told["words"]:
        table = _table("Words that make the difference", "Reports", "What", "For example")
        for row in told["words"]:
            sign = "+" if row["what"] == "new" else "-"
            words = f"{sign} {clean(row['quote'])}"
            what = f"{row['concept']}, {row['certainty']}"
            table.add_row(Text(words), f"{row['reports']:,}", what, Text(clean(", ".join(row["examples"]))))
        console.print(table)


def reread(told: dict[str, Any]) -> None:
    """Print what a reread did."""
    console.print(f"Run {told['run']}: {told['state']}. The rules are live.")
    counted(told)


def counted(counts: dict[str, int]) -> None:
    """Print what a reread did to reports and cases."""
    for name, what in REREAD.items():
        console.print(f"{counts[name]:>9,}  {what}", markup=False, highlight=False)


def _tiers(rows: list[dict[str, Any]]) -> Table:
    """Tier so far by tier then; what stays is in brackets."""
    numbers = {(row["before"], row["after"]): row["reports"] for row in rows}
    names = [name for name in TIERS if any(name in pair for pair in numbers)]
    table = _table("So far, then:", *names)
    for before in names:
        cells = [numbers.get((before, after), 0) for after in names]
        shown = [
            "." if not n else f"({n:,})" if before == after else f"{n:,}"
            for after, n in zip(names, cells, strict=True)
        ]
        table.add_row(TIERS[before], *shown)
    return table


def _decided(rows: list[dict[str, Any]]) -> Table:
    table = _table("Of the cases that were", "", "Number", "Share", "95 % interval")
    for row in rows:
        interval = f"{row['low']:.3f} to {row['high']:.3f}"
        number = f"{row['count']:,} of {row['of']:,}"
        table.add_row(row["verdict"], row["what"], number, f"{row['share']:.3f}", interval)
    return table


def _table(first: str, *others: str) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    table.add_column(first, overflow="fold")
    for heading in others:
        table.add_column(heading, overflow="fold")
    return table


def _short(value: Any) -> str:
    said = json.dumps(value, ensure_ascii=False)
    return said if len(said) <= LONGEST else f"{said[:LONGEST]} …"
