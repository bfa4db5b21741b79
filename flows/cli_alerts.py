"""The command `spinetriage alerts`: what is wrong now, for people, cron and monitors."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from flows.acting import As, Json, acting_as

if TYPE_CHECKING:
    from review.alerts import Telling


def alerts(
    test: Annotated[
        bool, typer.Option("--test", help="Only send a test through every way of telling people.")
    ] = False,
    json: Json = False,
    as_: As = "",
) -> None:
    """Look for what is wrong now, tell people, and list the open alerts; exit 1 while one is open.

    It needs neither Prefect nor `spinetriage up`, so cron and a monitor can ask it when those are dead.
    """
    acting_as(as_, "alerts")
    from django.utils import timezone

    from review import alerts as standing

    if test:
        _try_out(standing.try_out(), json)
        return
    standing.look(timezone.now())
    standing.tell(timezone.now())
    found, tellings = standing.open_alerts(), standing.tellings()
    _as_json(found, tellings) if json else _show(found, tellings)
    if found:
        raise typer.Exit(1)


def _as_json(found: list[dict[str, Any]], tellings: list[Telling]) -> None:
    from dataclasses import asdict

    from flows import display

    told_by = [asdict(telling) for telling in tellings]
    display.as_json({"alerts": list(map(_plain, found)), "told_by": list(map(_plain, told_by))})


def _plain(row: dict[str, Any]) -> dict[str, Any]:
    return {key: value.isoformat() if isinstance(value, datetime) else value for key, value in row.items()}


def _show(found: list[dict[str, Any]], tellings: list[Telling]) -> None:
    from django.utils import timezone
    from rich.text import Text

    from flows import display

    for alert in found:
        since = timezone.localtime(alert["opened_at"]).strftime("%-d %b %Y %H:%M")
        display.text(Text(f"ALERT {alert['alert']} since {since}: {alert['title']}"))
        display.text(Text(f"  {alert['what']}\n  What to do: {alert['way_out']}"))
    if not found:
        display.text(Text("No alert is open."))
    for telling in tellings:
        if telling.error:
            display.complain(
                f"{telling.name} fails ({telling.error}); tried in {telling.tries} rounds so far"
            )
    if not tellings:
        display.complain("Nobody is told of alerts: see [email] and [webhook] in config/alerts.toml.")


def _try_out(results: dict[str, str], json: bool) -> None:
    from rich.text import Text

    from flows import display

    if json:
        display.as_json({name: wrong or "sent" for name, wrong in results.items()})
    else:
        for name, wrong in results.items():
            display.text(Text(f"{name}: {wrong or 'a test was sent'}"))
    if not results:
        display.complain(
            "There is no way of telling people: see [email] and [webhook] in config/alerts.toml."
        )
    if not results or any(results.values()):
        raise typer.Exit(1)
