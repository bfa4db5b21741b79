"""What the commands of auditors print for people: one run, and who did what."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.utils import timezone
from rich.table import Table
from rich.text import Text

from flows.display import clean, console, minute, summary
from flows.printout_rules import counted

if TYPE_CHECKING:
    from review.history.actions import Shown


# What a run without a scope takes from, where that is not every source.
ALL_OF = {"retry": "rejected inputs", "reread": "the record"}


def run(found: dict[str, Any]) -> None:
    """Print everything about one run, without its inputs: `--csv` has those."""
    if found["reread"]:
        console.print(f"Run {found['run']}: {found['state']}")
        counted(found["reread"])
    else:
        summary(found)
    started_by = " of ".join(filter(None, (found["trigger"], found["by"])))
    facts = {
        "kind": found["kind"],
        "started": f"{minute(found['started_at'])} (UTC), by {started_by}",
        "reason": found["reason"],
        "ended": minute(found["ended_at"]),
        "took": "" if found["seconds"] is None else f"{found['seconds']} s",
        "took from": found["scope"] or ALL_OF.get(found["kind"], "every configured source"),
        "rules": found["rules_version"],
        "program": found["code_version"],
        "Prefect run": found["prefect_flow_run"] or "none",
        "error": found["error"],
        "took over": _handing(found["took_over"]),
        "taken over by": f"run {found['taken_over_by']['run']}" if found["taken_over_by"] else "",
    }
    for name, value in facts.items():
        if value:
            console.print(f"  {name}: {clean(str(value))}", markup=False)
    odd = [shard for shard in found["shards_in_order"] if shard["attempts"] > 1 or shard["error"]]
    for shard in odd:
        said = f"shard {shard['shard']}, {shard['state']} after {shard['attempts']} attempts {shard['error']}"
        console.print(f"  {clean(said)}", markup=False)
    if not found["reread"]:  # which has no inputs of its own
        console.print(f"Each input: spinetriage runs {found['run']} --csv", markup=False)


def actions(shown: Shown) -> None:
    """Print a piece of the audit, the newest first."""
    if not shown.entries:
        console.print("Nothing in the audit fits.")
        return
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    for heading in ("Row", "When", "Who", "Did what", "From", "Beside it"):
        table.add_column(heading, overflow="fold", no_wrap=heading == "Row")
    for entry in shown.entries:
        first, last = (timezone.localtime(row.at) for row in (entry.oldest, entry.newest))
        times = len(entry.lines)
        when = f"{first:%Y-%m-%d %H:%M:%S}" + (f"\nto {last:%Y-%m-%d %H:%M:%S}" if times > 1 else "")
        did = "".join(entry.words) + (f" {times} times" if times > 1 else "")
        beside = entry.lines[0][1] if times == 1 else f"{times} rows, see --csv"
        cells = (str(entry.newest.number), when, entry.by, did, entry.origin, beside)
        table.add_row(*(Text(clean(cell)) for cell in cells))
    console.print(table)
    if shown.before:
        console.print(
            f"There is more before row {shown.before}: narrow it with --since and --until, or take all "
            "with --csv.",
            markup=False,
        )


def _handing(took: dict[str, Any] | None) -> str:
    if not took:
        return ""
    crashed = f" from crashed run {', '.join(map(str, took['crashed']))}" if took["crashed"] else ""
    return f"{took['shards']} shards{crashed}"
