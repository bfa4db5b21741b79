"""What commands print for people: tables and summaries. Programs use `--json`."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, TypeVar

from rich.console import Console
from rich.progress import track
from rich.table import Table
from rich.text import Text

from review.duration import duration

if TYPE_CHECKING:
    from review.statistics import Table as Figures

T = TypeVar("T")
# Where nobody's window sets a width, tables need more than the usual 80 columns.
WIDTH = None if sys.stdout.isatty() else 120
console = Console(width=WIDTH)
complaints = Console(stderr=True)

# Word, shape and colour together: colour alone tells nothing on a grey printout.
TIERS = {
    "stat": Text("▲ STAT", style="bold red"),
    "urgent": Text("● urgent", style="bold yellow"),
    "soon": Text("○ soon", style="cyan"),
    "unread": Text("? unread", style="magenta"),
    "routine": Text("· routine", style="dim"),
}


def as_json(value: Any) -> None:
    """Print one JSON document, keys in their given order."""
    json.dump(value, sys.stdout, ensure_ascii=False, indent=1, default=str)
    sys.stdout.write("\n")


def counted(items: Iterable[T], total: int, what: str) -> Iterator[T]:
    """Give items on, with a progress bar where somebody looks."""
    is_seen = complaints.is_terminal
    yield from track(items, what, total, console=complaints, transient=True, disable=not is_seen)


def complain(said: str) -> None:
    """Say on standard error, on one line, what is wrong."""
    complaints.print(clean(said), markup=False, highlight=False, soft_wrap=True)


def tell(said: str) -> None:
    """Say something in a sentence or two, on one line."""
    console.print(clean(said), markup=False, highlight=False, soft_wrap=True)


def text(said: Text) -> None:
    """Print running text; only a terminal needs it cut into lines."""
    console.print(said, soft_wrap=not console.is_terminal)


def clean(text: str) -> str:
    """A text with a mark for each character that could steer the terminal; offsets stay."""
    return "".join(c if c.isprintable() or c in "\n\t" else "\N{REPLACEMENT CHARACTER}" for c in text)


def standing(row: dict[str, Any]) -> Text:
    """Say how long a case of the queue waits, whether too long, and who was called about it."""
    text = Text(duration(row["waiting_minutes"]))
    if row["overdue"]:
        text.append(f"\noverdue, limit\n{duration(row['limit_minutes'])}", style="bold")
    if row["escalation"] != "none":
        text.append({"again": "\nannounced again", "lead": "\nbrought to leads"}[row["escalation"]])
    return text


def limit(sources: list[str]) -> None:
    """Say that an account sees some sources only, so that an empty list is not taken for a calm day."""
    if sources:
        console.print(f"This account sees these sources only: {', '.join(sources)}.", markup=False)


def minute(when: str | None) -> str:
    """Say a time of the ledger (ISO 8601, UTC) to the minute."""
    return when[:16].replace("T", " ") if when else "–"


def queue(rows: list[dict[str, Any]], total: int) -> None:
    """Print the review queue in its order: tier, oldest, id."""
    if not rows:
        console.print("The queue is empty.")
        return
    table = Table(title=f"Review queue: {total} open cases", title_justify="left", expand=True)
    for heading in ("Priority", "Waiting", "Case"):
        table.add_column(heading, no_wrap=True)
    for heading, ratio in (("Patient", 3), ("Study", 5), ("Why", 12)):
        table.add_column(heading, ratio=ratio, overflow="fold")
    for row in rows:
        table.add_row(
            TIERS[row["tier"]],
            standing(row),
            str(row["case"]),
            Text(row["patient"]),
            Text(row["study"]),
            Text(row["why"]),
        )
    console.print(table)
    if len(rows) < total:
        console.print(f"… and {total - len(rows)} more; see all of them with --limit {total}.")


def summary(run: dict[str, Any]) -> None:
    """Print what became of one run's inputs."""
    table = Table(title=f"Run {run['run']}: {run['state']}", title_justify="left")
    table.add_column("Outcome")
    table.add_column("Inputs", justify="right")
    for outcome, number in run["outcomes"].items():
        table.add_row(outcome.replace("_", " "), f"{number:,}")
    table.add_section()
    table.add_row("all inputs", f"{run['inputs']:,}")
    console.print(table)
    if run["tiers"]:
        console.print("Queued:", *(Text.assemble(TIERS[tier], f" {n} ") for tier, n in run["tiers"].items()))


def runs(rows: list[dict[str, Any]]) -> None:
    """Print the history of runs, newest first."""
    table = Table(title="Runs", title_justify="left")
    for heading in ("Run", "State", "Started (UTC)", "Ended (UTC)", "Inputs", "Outcomes", "Prefect run"):
        table.add_column(heading, overflow="fold")
    for row in rows:
        counts = row["reread"] or row["outcomes"]
        outcomes = ", ".join(f"{n} {name.replace('_', ' ')}" for name, n in counts.items() if n)
        cells = [
            row["run"],
            f"{row['state']}: {row['error']}" if row["error"] else row["state"],
            minute(row["started_at"]),
            minute(row["ended_at"]),
            row["inputs"],
            outcomes,
        ]
        table.add_row(*map(str, cells), row["prefect_flow_run"] or "–")
    console.print(table)


def rejected(rows: list[dict[str, Any]], total: int, state: str) -> None:
    """Print the inputs from which no report text could be taken."""
    if not rows:
        console.print("Nothing that was rejected waits." if state == "waiting" else "There is nothing such.")
        return
    table = Table(title=f"Rejected inputs, {state}: {total:,}", title_justify="left")
    for heading in ("Input", "Run", "Waiting", "Rejected (UTC)"):
        table.add_column(heading, no_wrap=heading != "Waiting")
    for heading in ("Source", "File", "Item", "Why", "Detail"):
        table.add_column(heading, overflow="fold")
    for row in rows:
        waiting = Text(row["waited"] or "–")
        if row["overdue"]:
            waiting.append("\n▲ overdue", style="bold")
        table.add_row(
            row["input"],
            str(row["run"]),
            waiting,
            minute(row["since"].isoformat()),
            row["source"],
            Text(clean(row["path"])),
            str(row["item"]),
            f"{row['meaning']} ({row['reason']})",
            Text(clean(row["detail"])),
        )
    console.print(table)
    if len(rows) < total:
        console.print(f"… and {total - len(rows)} more; see all of them with --limit {total}.")


def holds(rows: list[dict[str, Any]]) -> None:
    """Print the legal holds."""
    if not rows:
        console.print("There is no legal hold.")
        return
    table = Table(title=f"Legal holds: {len(rows)}", title_justify="left")
    for heading in ("Hold", "On", "Reports", "Why", "Placed", "Lifted"):
        table.add_column(heading, overflow="fold")
    for row in rows:
        lifted = f"{minute(row['lifted_at'])}, {row['lifted_by']}" if row["lifted_at"] else "stands"
        placed = f"{minute(row['placed_at'])}, {row['placed_by']}"
        cells = (row["hold"], f"a {row['on']}", row["reports"], row["reason"] or "erased", placed, lifted)
        table.add_row(*(Text(clean(str(cell))) for cell in cells))
    console.print(table)


def users(rows: list[dict[str, Any]]) -> None:
    """Print the accounts."""
    table = Table(title=f"Accounts: {len(rows)}", title_justify="left")
    for heading in ("Account", "Roles", "State", "Last login (UTC)", "Sources", "Second factor", "Password"):
        table.add_column(heading, overflow="fold")
    for row in rows:
        factor = ("on" if row["second_factor"] else "off") if row["origin"] == "local" else "elsewhere"
        table.add_row(
            Text(row["account"]),
            ", ".join(row["roles"]) or "none",
            row["state"],
            minute(row["last_login"] and row["last_login"].isoformat()),
            Text(", ".join(row["sources"]) or "all"),
            factor,
            row["password"],
        )
    console.print(table)


def figures(table: Figures) -> None:
    """Print a table of figures with what it says; one by day is for pictures and programs."""
    console.print()
    console.print(Text(table.title, style="bold"))
    console.print(table.says, markup=False)
    if not table.rows or table.columns[0].key == "day":
        return
    shown = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    for column in table.columns:
        shown.add_column(column.heading, justify="left" if column.kind == "text" else "right")
    for row in table.shown:
        shown.add_row(*(Text(cell) for cell, _ in row))
    console.print(shown)
    console.print(Text(table.of, style="dim"))


def facts(values: dict[str, Any]) -> None:
    """Print names with their values, a line each."""
    for name, value in values.items():
        inner = (
            value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
        )
        console.print(f"{name.replace('_', ' ')}: {'' if inner else value}", markup=False)
        for key, one in inner:
            console.print(f"  {key}: {one}", markup=False)
