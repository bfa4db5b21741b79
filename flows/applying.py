"""How other rules go live: a named person says so, with a reason, and reports of before are read again."""

from __future__ import annotations

import re
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

from django.utils import timezone

from flows import display, editions, places
from flows.server import prefect_api
from nlp import rules, vocabulary
from nlp.evaluation.lists import faults
from nlp.rules import Rules
from review import ledger
from review.models import Account
from review.site import var_folder

WARNINGS = 5  # what looks like a slip, told at most


class ApplyError(RuntimeError):
    """The rules cannot go live as they lie there; the text says why and the way out."""


def load(folder: Path) -> Rules:
    """Read the rules of a folder, and tell what in them looks like a slip.

    Raises
    ------
    ConfigError
        When they cannot be used: the text names file, key and what was expected.
    """
    found = rules.load(folder)
    vocabulary.compile_rules(found)
    told = faults(found)
    for line in told[:WARNINGS]:
        display.complain(f"warning: {line}")
    if len(told) > WARNINGS:
        display.complain(f"warning: … and {len(told) - WARNINGS} more; `spinetriage check` lists them")
    return found


def moment(since: str) -> datetime:
    """Return the moment that "90d" (so many days ago) or a day such as "2026-09-01" means.

    Raises
    ------
    ApplyError
        When it means none.
    """
    try:
        if days := re.fullmatch(r"([0-9]{1,5})d", since):
            return timezone.now() - timedelta(days=int(days[1]))
        return timezone.make_aware(datetime.combine(date.fromisoformat(since), time()))
    except (ValueError, OverflowError):
        raise ApplyError(
            f"--since is {since!r}; a number of days such as 90d, or a day such as 2026-09-01 was expected"
        ) from None


def check_source(source: str, account: Account) -> None:
    """Refuse a source that is not known, or that the account may not see."""
    names = [one.name for one in places.configured()[1]]
    if source and (source not in names or (account.sources and source not in account.sources)):
        raise ApplyError(
            f"There is no source {source!r} that this account may see; the sources are {', '.join(names)}."
        )


def open_run(account: Account, found: Rules, *, reason: str, since: datetime, source: str) -> int:
    """Let rules go live that lie in the configuration already, and open the run that reads again with them.

    Raises
    ------
    ApplyError
        When the configuration holds other rules: what goes live must be what new reports are read with.
    RereadError
        While another reread goes on, or a batch that still reads with other rules.
    """
    if not reason.strip():
        raise ApplyError("Say with --reason why these rules go live, or look first with --dry-run.")
    live = rules.load()
    if live.version != found.version:
        names = sorted({name for name, _ in live.files.items() ^ found.files.items()})
        raise ApplyError(
            f"New reports are read with the rules in {rules.config_folder()}, and those differ in "
            f"{', '.join(names)}. Copy these files there first, then repeat. Nothing was changed."
        )
    editions.keep(found)
    batch, _ = places.configured()
    return ledger.open_reread(
        account,
        reason=reason.strip(),
        since=since,
        source=source,
        rules_version=found.version,
        code_version=editions.CODE,
        size=batch.shard_reports,
    )


def carry_out(run: int) -> dict[str, Any]:
    """Read again in this process, with a progress bar, and return how the run ended."""
    # This command tells itself how the run ended.
    with prefect_api(var_folder() / "prefect", display.complaints.print, console="CRITICAL") as url:
        from flows import foreground  # noqa: PLC0415 - imports Prefect, which reads the server's address
        from flows.reread import reread  # noqa: PLC0415

        foreground.carry_out(run, url, reread, ledger.reread_progress)
    return ledger.summary(run)
