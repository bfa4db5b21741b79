"""Links to the scheduler's pages, made without asking or importing it."""

from __future__ import annotations

import json
import os
from uuid import UUID

from review.site import var_folder


def link(flow_run: str) -> str:
    """Return where Prefect shows a flow run; "" when that is not known now.

    The address is SPINETRIAGE_PREFECT_PAGES, else that of our own server, which exists only while it runs.

    Parameters
    ----------
    flow_run
        `Run.prefect_flow_run`: an id, or "" for none.
    """
    try:
        identity = UUID(flow_run)
    except ValueError:
        return ""
    pages = os.environ.get("SPINETRIAGE_PREFECT_PAGES") or _own()
    return f"{pages.rstrip('/')}/runs/flow-run/{identity}" if pages else ""


def _own() -> str:
    try:
        state = json.loads((var_folder() / "prefect/server.json").read_text(encoding="utf-8"))
        return str(state["url"]).removesuffix("/api")
    except (OSError, ValueError, KeyError, TypeError):  # none runs, or it is being started at this moment
        return ""
