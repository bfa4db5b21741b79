"""The commands `spinetriage reread` and `audit replay`: other rules go live, and readings are made again."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from flows.acting import As, Json, acting_as, end_politely

Limit = Annotated[int, typer.Option(min=0, help="How many to list at most.")]


def replay(
    run: Annotated[int | None, typer.Argument(help="The number of a run.")] = None,
    report: Annotated[
        str, typer.Option(help="Instead of a run: a report key, a case (C12), an input (I12) or a file name.")
    ] = "",
    limit: Limit = 20,
    json: Json = False,
    as_: As = "",
) -> None:
    """Read stored reports again with the very rules of their readings, and compare to the byte."""
    if (run is None) == (not report):
        raise typer.BadParameter("expected the number of a run, or --report with the name of a report")
    account = acting_as(as_, "replay")
    from flows import display, printout_rules
    from flows import replay as replaying

    tally = replaying.replay(account, run, report, limit)
    if json:
        display.as_json(tally.as_dict())
    else:
        printout_rules.replay(tally)
        display.limit(account.sources)
    if not tally.is_sound:
        raise typer.Exit(1)


def reread(
    *,
    rules: Annotated[
        Path, typer.Option(help="The folder with the rules, such as a changed copy of config/.")
    ],
    since: Annotated[str, typer.Option(help="Reports that came since: 90d, or a day as 2026-09-01.")] = "90d",
    source: Annotated[str, typer.Option(help="Reports of one source only.")] = "",
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what would change; nothing is stored.")
    ] = False,
    to: Annotated[
        Path | None, typer.Option(help="With --dry-run: a new CSV file with each changed report.")
    ] = None,
    reason: Annotated[str, typer.Option(help="Why these rules go live.")] = "",
    limit: Limit = 20,
    json: Json = False,
    as_: As = "",
) -> None:
    """Show what other rules would change in past reports, or let them go live and read those again."""
    if to and not dry_run:
        raise typer.BadParameter("belongs to --dry-run", param_hint="--to")
    account = acting_as(as_, "reread")
    from flows import applying, display, printout_rules, trial
    from review import ledger

    found, moment = applying.load(rules), applying.moment(since)
    applying.check_source(source, account)
    if dry_run:
        told = trial.run(account, found, moment, source, to).as_dict(limit)
        display.as_json(told) if json else printout_rules.trial(told)
        return
    end_politely()
    run = applying.open_run(account, found, reason=reason, since=moment, source=source)
    ended = applying.carry_out(run)
    told = {"run": run, "state": ended["state"], "error": ended["error"], **ledger.reread_counts(run)}
    display.as_json(told) if json else printout_rules.reread(told)
    if ended["state"] != "completed":
        raise applying.ApplyError(
            f"Run {run} {ended['state']} ({ended['error']}). The rules are live. Give the same command "
            "again: what is done stays done."
        )
