"""The command `spinetriage`. Each command sets up only the rooms it needs: `read` needs neither
database nor scheduler, and importing Prefect takes seconds.
"""

from __future__ import annotations

import getpass
import io
import os
import signal
import sys
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from review.models import Account

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,  # they print local variables, so patient data
    help="Find possible spinal lesions in radiology reports and put them into a review queue.",
)
user_app = typer.Typer(no_args_is_help=True, help="Make accounts.")
audit_app = typer.Typer(no_args_is_help=True, help="Check the record.")
app.add_typer(user_app, name="user")
app.add_typer(audit_app, name="audit")

Json = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]
Limit = Annotated[int, typer.Option(min=1, help="How many to print at most.")]
As = Annotated[str, typer.Option("--as", help="Act as this account, instead of the one mapped to you.")]


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
    place = traceback.extract_tb(error.__traceback__)[-1]
    return (
        f"{type(error).__name__} at {Path(place.filename).name}:{place.lineno}. This is a fault of the "
        "program; SPINETRIAGE_DEBUG=1 shows all of it, which may include patient data."
    )


def _end_politely() -> None:
    """Take SIGTERM as Ctrl-C: the run is closed, and our Prefect server with it.

    A command started in the background of a script inherits that Ctrl-C is ignored; that is undone.
    """
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))


def _open_ledger() -> None:
    """Set up Django and bring the tables up to date."""
    from review.setup import migrate, setup

    setup()
    migrate()


def _account(name: str, right: str) -> Account:
    """Open the ledger and return the account that this command acts as, which must have the right."""
    _open_ledger()
    from review.access import require
    from review.accounts import account_for

    account = account_for(name or None, getpass.getuser())
    require(account, right)
    return account


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
    account = _account(as_, "run")
    from flows import batch, display
    from flows.server import prefect_api
    from review import ledger
    from review.site import var_folder

    _end_politely()
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
    _end_politely()
    _open_ledger()
    from flows import display
    from flows.server import prefect_api
    from review.site import var_folder

    with prefect_api(var_folder() / "prefect", display.console.print) as url:
        from flows import service  # imports Prefect, which reads the server's address

        service.serve(port, url)


@app.command()
def queue(limit: Limit = 50, json: Json = False, as_: As = "") -> None:
    """List the open cases: tier, then the oldest first."""
    account = _account(as_, "queue")
    from flows import display
    from review import caseload

    rows = caseload.listing(account, None if json else limit)
    if json:
        display.as_json(rows)
    else:
        display.queue(rows, caseload.open_count(account))
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
def explain(identity: str, json: Json = False, as_: As = "") -> None:
    """Tell what became of a report, and why: by report key, accession, case, input or file name."""
    account = _account(as_, "explain")
    from flows import display, printout
    from review import ledger

    found = ledger.explain(identity, account)
    if found is None:
        raise CommandError(
            "No report of that name that this account may see. Give a report key, an accession number, "
            "a case (C12), an input (I12) or a file name."
        )
    display.as_json(found) if json else printout.explanation(found)


@app.command()
def rejected(limit: Limit = 100, json: Json = False, as_: As = "") -> None:
    """List the inputs from which no report text could be taken, with the reason."""
    account = _account(as_, "rejected")
    from flows import display
    from review import ledger

    rows = ledger.rejected(account, limit)
    if json:
        display.as_json(rows)
    else:
        display.rejected(rows)
        display.limit(account.sources)


@app.command()
def runs(limit: Limit = 20, json: Json = False, as_: As = "") -> None:
    """List the runs, newest first."""
    _account(as_, "runs")
    from flows import display
    from review import ledger

    rows = ledger.runs(limit)
    display.as_json(rows) if json else display.runs(rows)


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


@user_app.command("add")
def add_user(
    name: str,
    role: Annotated[str, typer.Option(help="radiologist, lead, auditor, operator or admin.")],
    os_user: Annotated[
        str, typer.Option(help="The operating-system user whose commands act as this account.")
    ] = "",
    source: Annotated[list[str] | None, typer.Option(help="Limit the account to these sources.")] = None,
    as_: As = "",
) -> None:
    """Make an account and print its first password, which must be changed at the first login."""
    _open_ledger()
    from flows import display
    from review import accounts

    # The first account is made by whoever sets the machine up; after that it takes an administrator.
    by = _account(as_, "accounts") if accounts.has_admin() else None
    password = accounts.add_user(name, role, os_user, source or [], by=by)
    display.console.print(f"Account {name} ({role}). First password, shown only now: ", end="")
    display.console.print(password, markup=False, highlight=False)


@user_app.command("sample")
def sample_user() -> None:
    """Make the account that lets you see the sample data, and only those, on the command line."""
    _open_ledger()
    from flows import places
    from review import accounts
    from review.site import ROOT

    samples = ROOT / "sample_reports"
    _, sources = places.configured()
    names = [source.name for source in sources if source.folder.is_relative_to(samples)]
    if names:  # an account limited to no source would see them all
        accounts.ensure_sample(getpass.getuser(), names)


@audit_app.command("verify")
def verify(json: Json = False, as_: As = "") -> None:
    """Recompute the audit chain and the digests of the ledger, and check that no input is unaccounted for."""
    _account(as_, "verify")
    from flows import display
    from review import audit

    result = audit.verify()
    display.as_json(result) if json else display.facts(result)
    if not result["ok"]:
        raise typer.Exit(1)
