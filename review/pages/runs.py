"""What ran: the list of runs, one run with its inputs, its shards, and the tables to take away."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_GET

from review import audit, flow_runs, ledger
from review.access import may
from review.history import actions, runs
from review.history.asked import AskedError
from review.ledger.history import TIERS
from review.meanings import meaning
from review.models import Account, AuditRow, Outcome, Run, Shard
from review.pages.pace import paced
from review.pages.piece import SIZE, Piece
from review.pages.rights import needs, reader

AUDITED = 200  # rows of the audit about a run that its page shows


@require_GET
@needs("runs")
def listed(request: HttpRequest) -> HttpResponse:
    """Show what ran, the newest first."""
    shown: dict[str, Any] = {"offers": runs.offers(), "asked": request.GET.dict()}
    try:
        given = runs.chosen(request.GET.dict(), "page")
    except AskedError as fault:
        return render(request, "pages/runs.html", shown | {"fault": str(fault)}, status=400)
    page = Piece(request, runs.runs_of(given).count())
    rows = [_in_words(run) for run in runs.show(given, SIZE, page.start)]
    shown |= {"runs": rows, "page": page, "query": runs.query(given), "asked": given}
    return render(request, "pages/runs.html", shown)


@require_GET
@needs("runs")
@paced("exports")
def table(request: HttpRequest) -> HttpResponseBase:
    """Hand out the runs that the filters leave as CSV; that is recorded."""
    try:
        given = runs.chosen(request.GET.dict())
    except AskedError as fault:
        return refusal(fault)
    return download(runs.as_csv(reader(request), given), "runs.csv")


@require_GET
@needs("runs")
def run(request: HttpRequest, run_id: int) -> HttpResponse:
    """Show one run: its facts, what was odd, what the audit says of it, and its inputs without their text."""
    account = reader(request)
    found = get_object_or_404(Run.objects.select_related("account"), pk=run_id)
    shown = _facts(found) | {"asked": request.GET.dict()}
    if may(account, "history"):
        shown["entries"] = _audited(account, found)
    try:
        given = runs.chosen_inputs(request.GET.dict())
    except AskedError as fault:
        return render(request, "pages/run.html", shown | {"fault": str(fault)}, status=400)
    piece = runs.inputs(run_id, account, given, request.GET.get(runs.AFTER, "")[:40])
    rows = [
        row
        | {"came": Outcome(row["outcome"]).label, "meaning": meaning(row["reason"]) if row["reason"] else ""}
        for row in piece.rows
    ]
    shown |= {
        "rows": rows,
        "after": piece.after,
        "query": runs.query(given),
        "asked": given,
        "may_explain": may(account, "explain"),
    }
    return render(request, "pages/run.html", shown)


@require_GET
@needs("runs")
def shards(request: HttpRequest, run_id: int) -> HttpResponse:
    """Show all shards of a run in their order."""
    found = get_object_or_404(Run, pk=run_id)
    parts = Shard.objects.filter(run=found).order_by("number")
    page = Piece(request, parts.count())
    shown = {"run": found, "page": page, "shards": parts[page.start : page.stop]}
    return render(request, "pages/run_shards.html", shown)


@require_GET
@needs("runs")
@paced("exports")
def outcomes(request: HttpRequest, run_id: int) -> HttpResponseBase:
    """Hand out the outcome of each input of a run as CSV, without any text; that is recorded."""
    found = get_object_or_404(Run, pk=run_id)
    return download(runs.outcomes_csv(reader(request), found.pk), f"run-{found.pk}.csv")


def download(lines: Iterable[str], name: str) -> HttpResponseBase:
    """Hand out a table line by line, so that a long one is never in memory."""
    response = StreamingHttpResponse(lines, content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def refusal(fault: AskedError) -> HttpResponse:
    """Say what of an address cannot be used, where a table was asked for."""
    return HttpResponse(str(fault), status=400, content_type="text/plain; charset=utf-8")


def timed(row: dict[str, Any], *names: str) -> dict[str, Any]:
    """Return the row with its times as times again, for the time zone of the pages."""
    return row | {name: row[name] and datetime.fromisoformat(row[name]) for name in names}


def _in_words(run: dict[str, Any]) -> dict[str, Any]:
    counts = [(name, Outcome(name).label, number) for name, number in run["outcomes"].items()]
    return timed(run, "started_at", "ended_at") | {"counts": counts}


def _facts(found: Run) -> dict[str, Any]:
    took, lost = runs.handings(found)
    parts = Shard.objects.filter(run=found)
    return {
        "run": _in_words(ledger.summary(found.pk)),
        "row": found,
        "took": took,
        "lost": lost,
        "odd": runs.noteworthy(found.pk)[:SIZE],
        "parts": parts.count(),
        "sources": runs.sources_of(found.pk),
        "prefect": flow_runs.link(found.prefect_flow_run),
        "outcomes": Outcome.choices,
        "tiers": TIERS,
    }


def _audited(account: Account, found: Run) -> list[actions.Entry]:
    subject = f"run:{found.pk}"
    rows = list(AuditRow.objects.filter(subject=subject).order_by("-number")[:AUDITED])
    audit.record(audit.Action.AUDIT_READ, actor=account.actor, subject=subject, rows=len(rows))
    return actions.fold(rows, account)
