"""The commands of auditors: `spinetriage runs`, `actions` and `explain`."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from flows.acting import As, Json, acting_as

if TYPE_CHECKING:
    from review.models import Account

Since = Annotated[str, typer.Option(help="From this day or minute on, as 2026-11-01 or 2026-11-01T08:30.")]
Until = Annotated[str, typer.Option(help="Before this minute; a day counts to its end.")]
Csv = Annotated[bool, typer.Option("--csv", help="Print all of it as CSV.")]


class UnknownError(RuntimeError):
    """What was asked for is not there; the text says the way out."""


def runs(  # noqa: PLR0917 - each is an option
    run: Annotated[int, typer.Argument(min=0, max=10**18, help="One run, by its number.")] = 0,
    since: Since = "",
    until: Until = "",
    state: Annotated[str, typer.Option(help="running, completed, failed or crashed.")] = "",
    trigger: Annotated[str, typer.Option(help="What started it: command, schedule …")] = "",
    kind: Annotated[str, typer.Option(help="triage, reread or retry.")] = "",
    rules: Annotated[str, typer.Option(help="A rules version, sha256:…")] = "",
    limit: Annotated[int, typer.Option(min=1, help="How many to print at most.")] = 20,
    csv: Csv = False,
    json: Json = False,
    as_: As = "",
) -> None:
    """List the runs, newest first; of one run tell all, and with --csv the outcome of each of its inputs."""
    account = acting_as(as_, "runs")
    from flows import display
    from review.history import runs as history
    from review.history.asked import AskedError

    if run:
        _one_run(run, account, csv, json)
        return
    given = {
        "since": since, "until": until, "state": state, "trigger": trigger, "kind": kind, "rules": rules
    }  # fmt: skip
    try:
        asked = history.chosen(given)
    except AskedError as fault:
        _wrong(fault)
    if csv:
        _print(history.as_csv(account, asked))
        return
    rows = history.show(asked, limit)
    display.as_json(rows) if json else display.runs(rows)


def actions(  # noqa: PLR0917 - each is an option
    by: Annotated[str, typer.Option(help="Only what this person did; `system` for the program.")] = "",
    since: Since = "",
    until: Until = "",
    action: Annotated[str, typer.Option(help="Only this act, such as case.decided (docs/audit.md).")] = "",
    about: Annotated[str, typer.Option(help="Only what was done to this: case:12, report:7, run:3 …")] = "",
    limit: Annotated[int, typer.Option(min=1, help="How many rows of the audit to read at most.")] = 300,
    csv: Csv = False,
    json: Json = False,
    as_: As = "",
) -> None:
    """Tell who did what, the newest first, repeats folded. That the audit was read is recorded in it."""
    account = acting_as(as_, "history")
    from flows import display, told
    from review.history import actions as history
    from review.history.asked import AskedError

    try:
        given = {
            "by": history.by_name(by), "action": action, "about": about, "since": since, "until": until
        }  # fmt: skip
        asked = history.chosen(given)
    except AskedError as fault:
        _wrong(fault)
    if csv:
        _print(history.as_csv(account, asked))
        return
    shown = history.show(account, asked, size=limit)
    if json:
        display.as_json([history.as_dict(entry) for entry in shown.entries])
    else:
        told.actions(shown)


def explain(identity: str, json: Json = False, as_: As = "") -> None:
    """Tell what became of a report, and why: by report key, accession, case, input or file name."""
    account = acting_as(as_, "explain")
    from flows import display, printout
    from review import ledger

    found = ledger.explain(identity, account)
    if found is None:
        raise UnknownError(
            "No report of that name that this account may see. Give a report key, an accession number, "
            "a case (C12), an input (I12) or a file name."
        )
    display.as_json(found) if json else printout.explanation(found)


def _one_run(run: int, account: Account, csv: bool, json: bool) -> None:
    from flows import display, told
    from review.history import runs as history

    found = history.one(run)
    if found is None:
        raise UnknownError(f"There is no run {run}. `spinetriage runs` lists them.")
    if csv:
        _print(history.outcomes_csv(account, run))
    elif json:
        display.as_json(found)
    else:
        told.run(found)


def _print(lines: Iterable[Any]) -> None:
    for line in lines:
        sys.stdout.write(line)


def _wrong(fault: Exception) -> NoReturn:
    raise typer.BadParameter(str(fault)) from None
