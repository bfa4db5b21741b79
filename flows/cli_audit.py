"""The commands `spinetriage audit`: what proves the record."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from flows.acting import As, Json, acting_as
from flows.cli_keep import check_export, export

audit_app = typer.Typer(no_args_is_help=True, help="Check the record.")
audit_app.command()(export)
audit_app.command("check-export")(check_export)


WithPrefect = Annotated[
    bool, typer.Option("--with-prefect", help="Start our Prefect server for the comparison when none runs.")
]


@audit_app.command("verify")
def verify(with_prefect: WithPrefect = False, json: Json = False, as_: As = "") -> None:
    """Recompute the audit chain and the digests of the ledger, and check that no input is unaccounted for.

    The runs are compared with Prefect's history too when a Prefect server can be reached.
    """
    account = acting_as(as_, "verify")
    from django.db import DatabaseError

    from flows import display
    from review import audit

    result = audit.verify()
    compared, faults = _compared_with_prefect(with_prefect)
    result["faults"] += faults
    result |= {"ok": not result["faults"], "runs_compared_with_prefect": compared}
    display.as_json(result) if json else display.facts(result)
    counts = {"rows": result["rows"], "faults": len(result["faults"])}
    try:
        audit.record(audit.Action.AUDIT_VERIFIED, actor=account.actor, subject=account.actor, **counts)
    except DatabaseError:  # a record that was changed may take no row any more; what was found is told above
        display.complaints.print("That somebody verified the audit could not be written into it.")
    if not result["ok"]:
        raise typer.Exit(1)


def _compared_with_prefect(with_prefect: bool) -> tuple[int | None, list[dict[str, Any]]]:
    """Return how many runs were compared (None: no server could be reached), and the faults found."""
    from flows import display, server
    from review.site import var_folder

    home = var_folder() / "prefect"
    if not with_prefect and not server.can_be_reached(home):
        display.complaints.print(
            "The runs were not compared with Prefect's history: no Prefect server runs. "
            "`spinetriage audit verify --with-prefect` starts one."
        )
        return None, []
    with server.prefect_api(home, display.complaints.print):
        from django.utils import timezone

        from flows import agreement  # imports Prefect, which reads the server's address

        return agreement.compare(timezone.now())
