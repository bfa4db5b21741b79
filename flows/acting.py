"""As whom a command acts, and the options that commands share."""

from __future__ import annotations

import getpass
import os
import signal
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from review.models import Account

Json = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]
As = Annotated[str, typer.Option("--as", help="Act as this account, instead of the one mapped to you.")]


def speak() -> None:
    """Let this process and those it starts log what goes on, in one form."""
    from review.logs import form

    os.environ.setdefault("SPINETRIAGE_LOG_LEVEL", "INFO")
    os.environ.setdefault("SPINETRIAGE_LOG", form())


def end_politely() -> None:
    """Take SIGTERM as Ctrl-C: the run is closed, and our Prefect server with it.

    A command started in the background of a script inherits that Ctrl-C is ignored; that is undone.
    """
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))


def open_ledger() -> None:
    """Set up Django and bring the tables up to date."""
    from review.setup import migrate, setup

    setup()
    from review import audit

    audit.by_command()
    migrate()


def acting_as(name: str, right: str) -> Account:
    """Open the ledger and return the account that this command acts as, which must have the right."""
    open_ledger()
    from review.access import require
    from review.accounts import account_for

    account = account_for(name or None, getpass.getuser())
    require(account, right)
    return account
