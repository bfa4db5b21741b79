"""The pages that list what runs did: runs, rejected inputs."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET

from review import ledger
from review.models import Run
from review.pages.frame import frame
from review.pages.piece import SIZE, Piece
from review.pages.rights import needs, reader


@require_GET
def home(request: HttpRequest) -> HttpResponse:
    """Lead everybody to the first page that they may open."""
    menu = frame(request)["menu"]
    return redirect(menu[0][0]) if menu else render(request, "pages/nothing.html")


@require_GET
@needs("runs")
def runs(request: HttpRequest) -> HttpResponse:
    """Show what ran, the newest first."""
    page = Piece(request, Run.objects.count())
    rows = [_timed(run, "started_at", "ended_at") for run in ledger.runs(SIZE, page.start)]
    return render(request, "pages/runs.html", {"runs": rows, "page": page})


@require_GET
@needs("rejected")
def rejected(request: HttpRequest) -> HttpResponse:
    """Show the inputs that could not be taken, with the reason and nothing of their text."""
    account = reader(request)
    page = Piece(request, ledger.rejected_count(account))
    rows = [_timed(row, "at") for row in ledger.rejected(account, SIZE, page.start)]
    return render(request, "pages/rejected.html", {"rows": rows, "page": page})


def _timed(row: dict[str, Any], *names: str) -> dict[str, Any]:
    """Return the row with its times as times again, for the time zone of the pages."""
    return row | {name: row[name] and datetime.fromisoformat(row[name]) for name in names}
