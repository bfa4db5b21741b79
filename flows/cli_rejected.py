"""The command `spinetriage rejected`: the desk of inputs that could not be taken."""

from __future__ import annotations

import os
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from flows.acting import As, Json, acting_as, end_politely


class RejectedError(RuntimeError):
    """The desk could not do what was asked; the text says why and the way out."""


def rejected(  # noqa: PLR0917 - one option each, as on the page
    inputs: Annotated[list[str] | None, typer.Argument(help="Inputs, such as I12 I13.")] = None,
    retry: Annotated[bool, typer.Option("--retry", help="Try the named inputs again, now.")] = False,
    retry_all: Annotated[
        bool, typer.Option("--retry-all", help="Try everything again that waits and fits the filters, now.")
    ] = False,
    raw: Annotated[bool, typer.Option("--raw", help="Write the bytes of one input to a new file.")] = False,
    to: Annotated[Path | None, typer.Option(help="The new file of --raw; I12.bin when not given.")] = None,
    discard: Annotated[
        str, typer.Option(metavar="WHY", help="Put the named inputs away, for this reason.")
    ] = "",
    take_back: Annotated[
        bool, typer.Option("--take-back", help="Let the named, discarded inputs wait again.")
    ] = False,
    state: Annotated[str, typer.Option(help="waiting, retrying, discarded or replaced.")] = "waiting",
    reason: Annotated[str, typer.Option(help="Rejected for this reason, such as broken_row.")] = "",
    source: Annotated[str, typer.Option(help="Only those of this source.")] = "",
    since: Annotated[str, typer.Option(help="Rejected on this day or later, as 2026-11-01.")] = "",
    until: Annotated[str, typer.Option(help="Rejected on this day or before.")] = "",
    overdue: Annotated[bool, typer.Option("--overdue", help="Only those that wait for too long.")] = False,
    limit: Annotated[int, typer.Option(min=1, help="How many to print at most.")] = 100,
    json: Json = False,
    as_: As = "",
) -> None:
    """List the inputs from which no report text could be taken, who waits longest first; or act on them."""
    acts = {
        "--retry": retry,
        "--retry-all": retry_all,
        "--raw": raw,
        "--discard": bool(discard),
        "--take-back": take_back,
    }
    asked = [name for name, is_asked in acts.items() if is_asked]
    if len(asked) > 1:
        raise typer.BadParameter(f"one act at a time; got {' and '.join(asked)}")
    act = asked[0] if asked else ""
    if bool(inputs) != (act not in ("", "--retry-all")):
        raise typer.BadParameter(
            f"{act or 'a list'} {'names no inputs' if inputs else 'names its inputs, as I12'}"
        )
    filters = {
        "state": state,
        "reason": reason,
        "source": source,
        "since": since,
        "until": until,
        "overdue": "1" if overdue else "",
    }
    named = inputs or []
    if act in ("--retry", "--retry-all"):
        _retry(acting_as(as_, "retry"), named, filters, json)
    elif act == "--raw":
        _write(acting_as(as_, "raw"), named, to)
    elif act:
        _put_away(acting_as(as_, "discard"), named, discard)
    else:
        _list(acting_as(as_, "rejected"), filters, limit, json)


def _list(account: Any, filters: dict[str, str], limit: int, json: bool) -> None:
    from django.utils import timezone

    from flows import display
    from review import desk

    now = timezone.now()
    asked = desk.wanted(filters)
    rows = desk.listing(account, asked, now, 0, limit)
    if json:
        display.as_json([_plain(row) for row in rows])
        return
    display.rejected(rows, asked.of(account, now).count(), asked.state)
    display.limit(account.sources)


def _plain(row: dict[str, Any]) -> dict[str, Any]:
    """Return a row for programs: times as ISO 8601, and nothing that only pages need."""
    return {
        name: value.isoformat() if isinstance(value, datetime) else value
        for name, value in row.items()
        if name not in ("id", "waited", "limited")
    }


def _retry(account: Any, named: list[str], filters: dict[str, str], json: bool) -> None:
    from flows import display, retries
    from flows.server import prefect_api
    from review import desk, ledger
    from review.site import var_folder

    end_politely()
    number = retries.open_retry(account, desk.numbers(named), desk.wanted(filters))
    with prefect_api(var_folder() / "prefect", display.complaints.print, console="CRITICAL") as url:
        from flows import foreground  # imports Prefect, which reads the server's address
        from flows.retry import retry

        foreground.carry_out(number, url, retry)
    summary = ledger.summary(number)
    display.as_json(summary) if json else display.summary(summary)
    if summary["state"] != "completed":
        raise RejectedError(
            f"Run {number} {summary['state']} ({summary['error']}). The next run takes what is left of it."
        )


def _write(account: Any, named: list[str], to: Path | None) -> None:
    from flows import display
    from review import desk

    numbers = desk.numbers(named)
    if len(numbers) != 1:
        raise RejectedError("The bytes of one input at a time; name one, such as I12.")
    kept = desk.read_bytes(account, numbers[0])
    file = to or Path(f"I{numbers[0]}.bin")
    try:
        # A new file always: one that is there may be readable by others, or be a link to elsewhere.
        with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as stream:
            stream.write(kept)
    except FileExistsError:
        raise RejectedError(f"{file} is there already; name a new file with --to.") from None
    except OSError as error:
        raise RejectedError(f"{file} cannot be written: {error.strerror}.") from None
    display.complaints.print(
        f"{len(kept)} bytes written to {file}. They are a patient's: keep them as you keep those.",
        markup=False,
        highlight=False,
    )


def _put_away(account: Any, named: list[str], why: str) -> None:
    from flows import display
    from review import desk

    ids = desk.numbers(named)
    done = desk.discard(account, ids, why) if why else desk.take_back(account, ids)
    display.console.print(f"{done} {'discarded' if why else 'taken back'}.")
