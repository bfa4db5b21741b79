"""The command `spinetriage`. Each command sets up only the rooms it needs: `read` needs neither
database nor scheduler, and importing Prefect takes seconds.
"""

from __future__ import annotations

import io
import os
import sys
import traceback
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from flows.acting import As, Json, acting_as, end_politely, open_ledger, speak
from flows.cli_alerts import alerts
from flows.cli_audit import audit_app
from flows.cli_figures import sample, stats
from flows.cli_history import actions, explain, runs
from flows.cli_keep import backup, erase, expire, hold_app, restore
from flows.cli_rejected import rejected
from flows.cli_rules import replay, reread
from flows.cli_users import user_app

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,  # they print local variables, so patient data
    help="Find possible spinal lesions in radiology reports and put them into a review queue.",
)
app.add_typer(user_app, name="user")
app.add_typer(audit_app, name="audit")
app.add_typer(hold_app, name="hold")
for command in (backup, restore, erase, expire):
    app.command()(command)
app.command()(stats)
app.command()(sample)
app.command()(reread)
audit_app.command("replay")(replay)
app.command()(alerts)
app.command()(explain)
app.command()(runs)
app.command()(actions)
app.command()(rejected)

Limit = Annotated[int, typer.Option(min=1, help="How many to print at most.")]


class CommandError(RuntimeError):
    """A command could not do its work; the text says what came and the way out."""


def main() -> None:
    """Run the command; tell an error in one line without data. Exit 0 done, 1 not done, 2 wrong use."""
    for stream in (sys.stdout, sys.stderr):  # what no encoding can hold is told, as JSON too, by its number
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")
    try:
        app()
    except KeyboardInterrupt:
        sys.exit(130)
    except Exception as error:  # the last line of defence: a traceback may carry report text
        if os.environ.get("SPINETRIAGE_DEBUG") == "1":
            raise
        sys.stderr.write(f"spinetriage: {_one_line(error)}\n")
        sys.exit(1)


def _one_line(error: Exception) -> str:
    """Say what is wrong: our own errors are written for people, any other is named by type and place only."""
    if type(error).__module__.partition(".")[0] in {"flows", "nlp", "review"}:
        return str(error)
    from review.outage import outage

    place = traceback.extract_tb(error.__traceback__)[-1]
    what = f"{type(error).__name__} at {Path(place.filename).name}:{place.lineno}"
    if cause := outage(error):
        return f"{cause} ({what}). Mend that, then repeat the command: what is done stays done."
    return (
        f"{what}. This is a fault of the "
        "program; SPINETRIAGE_DEBUG=1 shows all of it, which may include patient data."
    )


@app.command()
def run(
    source: Annotated[
        str,
        typer.Option(help="A source named in config/sources.toml, or a folder. All sources when not given."),
    ] = "",
    json: Json = False,
    as_: As = "",
) -> None:
    """Take everything unprocessed in one batch, and say what became of it."""
    account = acting_as(as_, "run")
    from flows import batch, display
    from flows.server import prefect_api
    from review import ledger
    from review.site import var_folder

    end_politely()
    batch.check(source)
    # This command tells itself how the run ended.
    with prefect_api(var_folder() / "prefect", display.complaints.print, console="CRITICAL") as url:
        from flows import foreground  # imports Prefect, which reads the server's address

        number = batch.open_run("command", source, account.actor)
        foreground.carry_out(number, url)
    summary = ledger.summary(number)
    display.as_json(summary) if json else display.summary(summary)
    if summary["state"] != "completed":
        raise CommandError(
            f"Run {number} {summary['state']} ({summary['error']}). Start it again: what is done stays done."
        )


@app.command()
def up(
    port: Annotated[int, typer.Option(help="Port of the review pages on 127.0.0.1.")] = 8000,
) -> None:
    """Serve the schedules and the review pages until Ctrl-C."""
    end_politely()
    speak()
    open_ledger()
    from flows import batch, display
    from flows.server import prefect_api
    from review.site import var_folder

    batch.check("")
    home = var_folder() / "prefect"
    with prefect_api(home, display.console.print) as url:
        from flows import service  # imports Prefect, which reads the server's address

        service.serve(port, url, home)


@app.command()
def queue(
    limit: Limit = 50,
    filter_: Annotated[
        str, typer.Option("--filter", help="As in the worklist's address, such as 'tier=stat&overdue=1'.")
    ] = "",
    json: Json = False,
    as_: As = "",
) -> None:
    """List the open cases: tier, then the oldest first."""
    account = acting_as(as_, "queue")
    from flows import display
    from review import caseload

    rows = caseload.listing(account, None if json else limit, filter_)
    if json:
        display.as_json(rows)
    else:
        display.queue(rows, caseload.total(account, filter_))
        display.limit(account.sources)


@app.command()
def read(
    paths: Annotated[
        list[Path] | None,
        typer.Argument(help="Reports (.txt, .csv, .jsonl), folders of them, or - for JSON lines."),
    ] = None,
    json: Json = False,
) -> None:
    """Read reports and print their readings; nothing is stored."""
    from flows import reading

    if not reading.show(paths or [Path("-")], json):
        raise typer.Exit(1)


@app.command()
def evaluate(
    gold: Annotated[Path, typer.Argument(help="Labelled reports, one JSON object a line.")],
    errors: Annotated[str, typer.Option(help="How many mistakes to list: a number, or all.")] = "20",
    json: Json = False,
) -> None:
    """Read labelled reports and print how right the readings are; nothing is stored."""
    if errors != "all" and not errors.isdecimal():
        raise typer.BadParameter("expected a number, or all", param_hint="--errors")
    from flows import evaluation

    evaluation.show(gold, json, None if errors == "all" else int(errors))


@app.command()
def labels(
    since: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Only cases decided on this day or later.")
    ] = None,
    to: Annotated[Path | None, typer.Option(help="A new file, instead of standard output.")] = None,
    as_: As = "",
) -> None:
    """Write decided cases as labelled reports for `evaluate`: what people say of each, with its text."""
    account = acting_as(as_, "labels")
    from flows import labels as decided

    decided.write(account, since, to)


@app.command()
def check(json: Json = False) -> None:
    """Check the configuration without running anything; say what it holds and what looks like a slip."""
    from review.setup import setup

    setup()
    from flows import checking, display

    facts = checking.facts()
    display.as_json(facts) if json else checking.show(facts)
    if facts["missing_folders"]:
        raise CommandError(
            f"There is no folder for {', '.join(facts['missing_folders'])}. Make it, or mend its entry in "
            "config/sources.toml."
        )
