"""What a run leaves at Prefect for the operator: names, tags, a table and a summary in words.

Prefect stores all of it in clear: ids, counts and the names of configured sources, nothing of a patient.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import UUID

from django.conf import settings
from prefect.artifacts import create_markdown_artifact, create_table_artifact
from prefect.client.orchestration import get_client
from prefect.logging import get_run_logger
from prefect.runtime import flow_run

from flows import agreement, places
from review import ledger

SHOWN = 8  # digits of the rules version that tell one from another


def tag_run(run: int) -> None:
    """Tag the current flow run with its ledger and what it took in."""
    summary = ledger.summary(run)
    scope = ledger.scope(run)
    is_named = any(source.name == scope for source in places.of(""))
    # The path of somebody's own folder may hold a name.
    source = scope if is_named else "own-folder" if scope else "all-sources"
    rules = summary["rules_version"].rpartition(":")[2][:SHOWN]
    told = {summary["trigger"], agreement.tag(), f"source:{source}", f"rules:{rules}"}
    tags = {*flow_run.get_tags(), "spinetriage", *told}
    with get_client(sync_client=True) as client:
        client.update_flow_run(UUID(flow_run.get_id()), tags=sorted(tags))


def summarize(run: int) -> None:
    """Leave the counts as a table and in words, and let the flow run's name tell the gist."""
    summary = ledger.summary(run)
    if (read_again := summary["reread"]) is not None:
        rows = [{"what": name, "number": number} for name, number in read_again.items()]
        create_table_artifact(rows, key="reread", description=f"Run {run}: read again with other rules")
    else:
        rows = [
            {"kind": kind[:-1], "name": name, "inputs": number}
            for kind in ("outcomes", "tiers")
            for name, number in summary[kind].items()
        ]
        create_table_artifact(rows, key="outcomes", description=f"Run {run}: {summary['inputs']} inputs")
    create_markdown_artifact(in_words(summary), key="summary", description=f"Run {run} in words")
    with get_client(sync_client=True) as client:
        client.update_flow_run(UUID(flow_run.get_id()), name=f"run-{run}: {_gist(summary)}")
    get_run_logger().info("Run %s: %s", run, _gist(summary))


def in_words(summary: dict[str, Any]) -> str:
    """Return a run's summary as Markdown, with the link to our page of the run."""
    told = _reread(summary) if summary["reread"] is not None else _batch(summary)
    lines = [f"# Run {summary['run']}", *told]
    page = f"/runs/{summary['run']}/"
    if settings.ALERTS.pages:
        lines.append(f"[This run in the ledger]({settings.ALERTS.pages}{page})")
    else:
        lines.append(f"This run in the ledger: `{page}` of the review pages.")
    return "\n\n".join(lines)


def _batch(summary: dict[str, Any]) -> Iterator[str]:
    new = summary["inputs"] - summary["unchanged"]
    yield f"{new} new inputs and {summary['unchanged']} that were known already."
    yield f"Studies: {summary['studies']}."
    yield f"Into the queue: {_listed(summary['tiers']) or 'nothing'}."
    if told := _listed({name: summary["outcomes"][name] for name in ("rejected", "unreadable_text")}):
        yield f"For a person to look at: {told}."


def _reread(summary: dict[str, Any]) -> Iterator[str]:
    yield f"Read again with other rules: {_gist(summary)}."


def _gist(summary: dict[str, Any]) -> str:
    if summary["reread"] is not None:
        return _listed(summary["reread"]) or "no reading"
    new = summary["inputs"] - summary["unchanged"]
    return f"{new} new inputs" + (f", {queued}" if (queued := _listed(summary["tiers"])) else "")


def _listed(counts: dict[str, int]) -> str:
    return ", ".join(f"{number} {name.replace('_', ' ')}" for name, number in counts.items() if number)
