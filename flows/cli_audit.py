"""The commands `spinetriage audit`: what proves the record."""

from __future__ import annotations

import typer

from flows.acting import As, Json, acting_as

audit_app = typer.Typer(no_args_is_help=True, help="Check the record.")


@audit_app.command("verify")
def verify(json: Json = False, as_: As = "") -> None:
    """Recompute the audit chain and the digests of the ledger, and check that no input is unaccounted for."""
    acting_as(as_, "verify")
    from flows import display
    from review import audit

    result = audit.verify()
    display.as_json(result) if json else display.facts(result)
    if not result["ok"]:
        raise typer.Exit(1)
