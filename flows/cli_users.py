"""The commands `spinetriage user`: who may enter, as administrators see to it."""

from __future__ import annotations

import getpass
from typing import Annotated, Any

import typer

from flows.acting import As, Json, acting_as, open_ledger

user_app = typer.Typer(no_args_is_help=True, help="Make accounts and look after them.")


@user_app.command("list")
def list_users(json: Json = False, as_: As = "") -> None:
    """List the accounts with their roles, state and last login."""
    acting_as(as_, "accounts")
    from flows import display
    from review import administration

    rows = administration.listing()
    display.as_json(rows) if json else display.users(rows)


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
    open_ledger()
    from review import accounts

    # The first account is made by whoever sets the machine up; after that it takes an administrator.
    by = acting_as(as_, "accounts") if accounts.has_admin() else None
    password = accounts.add_user(name, role, os_user, source or [], by=by)
    _tell_password(f"Account {name} ({role}).", password)


@user_app.command("roles")
def set_roles(
    name: str, roles: Annotated[list[str], typer.Argument(help="All roles of the account.")], as_: As = ""
) -> None:
    """Give an account these roles and no others."""
    by, account = _both(as_, name)
    from review import administration

    administration.set_roles(account, roles, by=by)


@user_app.command("reset")
def reset_user(
    name: str,
    second_factor: Annotated[
        bool, typer.Option(help="Forget the second factor, for a lost telephone.")
    ] = False,
    unlock: Annotated[
        bool, typer.Option(help="Only try passwords again, after too many wrong ones.")
    ] = False,
    as_: As = "",
) -> None:
    """Print a new first password; or, with an option, forget the second factor or end a lock-out instead."""
    by, account = _both(as_, name)
    from review import administration

    if second_factor:
        administration.reset_second_factor(account, by=by)
    if unlock:
        administration.unlock(account, by=by)
    if not (second_factor or unlock):
        _tell_password(f"Account {name}.", administration.reset_password(account, by=by))


@user_app.command("close")
def close_user(name: str, as_: As = "") -> None:
    """Shut an account: its sessions end, its cases are free; what it did stays recorded."""
    by, account = _both(as_, name)
    from review import administration

    administration.close(account, by=by)


@user_app.command("open")
def open_user(name: str, as_: As = "") -> None:
    """Let a closed account in again."""
    by, account = _both(as_, name)
    from review import administration

    administration.reopen(account, by=by)


@user_app.command("sample")
def sample_user() -> None:
    """Make the account that lets you see the sample data, and only those, on the command line."""
    open_ledger()
    from flows import places
    from review import accounts
    from review.site import ROOT

    samples = ROOT / "sample_reports"
    _, sources = places.configured()
    names = [source.name for source in sources if source.folder.is_relative_to(samples)]
    if names:  # an account limited to no source would see them all
        accounts.ensure_sample(getpass.getuser(), names)


def _both(as_: str, name: str) -> tuple[Any, Any]:
    """Return who acts, and on which account."""
    by = acting_as(as_, "accounts")
    from review import administration

    return by, administration.named(name)


def _tell_password(about: str, password: str) -> None:
    from flows import display

    display.console.print(f"{about} First password, shown only now: ", end="", markup=False, highlight=False)
    display.console.print(password, markup=False, highlight=False)
