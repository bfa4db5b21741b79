"""The commands `spinetriage stats` and `sample`: what the work came to, and what the machine misses."""

from __future__ import annotations

from typing import Annotated

import typer

from flows.acting import As, Json, acting_as


def stats(
    since: Annotated[str, typer.Option(help="First day, as 2026-11-01; 30 days when not given.")] = "",
    until: Annotated[str, typer.Option(help="Last day; today when not given.")] = "",
    json: Json = False,
    as_: As = "",
) -> None:
    """Show volume, waiting times, confirmed shares, what the machine misses, drift and corrections."""
    account = acting_as(as_, "statistics")
    from django.utils import timezone

    from flows import display
    from review.statistics import Period, PeriodError, Scope, tables

    now = timezone.now()
    try:
        period = Period.asked({"since": since, "until": until}, timezone.localdate(now))
    except PeriodError as fault:
        raise typer.BadParameter(str(fault), param_hint="--since, --until") from None
    found = tables(Scope(account=account, period=period, now=now))
    if json:
        named = {table.name: table.as_dict() for table in found}
        display.as_json({"since": period.since, "until": period.until, "sources": account.sources, **named})
    else:
        display.console.print(f"{period.since} to {period.until}")
        for table in found:
            display.figures(table)
        display.limit(account.sources)


def sample(json: Json = False, as_: As = "") -> None:
    """Draw the quality sample now: routine reports that people read blind."""
    acting_as(as_, "run")
    from django.conf import settings
    from django.utils import timezone

    from flows import display
    from review import caseload

    drawn = caseload.draw(timezone.now())
    if json:
        display.as_json({"looked_at": drawn.looked_at, "opened": drawn.opened})
    elif settings.SITE.quality.share:
        display.console.print(
            f"{drawn.looked_at} routine reports looked at, {drawn.opened} of them drawn and opened as cases."
        )
    else:
        display.console.print("The sample is off: share is 0 in [quality] of config/site.toml.", markup=False)
