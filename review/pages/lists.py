"""The pages that list: open cases, runs, rejected inputs."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET

from review import caseload, ledger
from review.access import may
from review.models import Run
from review.pages.frame import frame
from review.pages.rights import needs, reader

SIZE = 50  # rows on a page


@require_GET
def home(request: HttpRequest) -> HttpResponse:
    """Lead everybody to the first page that they may open."""
    menu = frame(request)["menu"]
    return redirect(menu[0][0]) if menu else render(request, "pages/nothing.html")


@require_GET
@needs("queue")
def worklist(request: HttpRequest) -> HttpResponse:
    """Show the open cases: tier, then the oldest, then the id."""
    account = reader(request)
    page = _Page(request, caseload.open_count(account))
    listed = caseload.rows(account, page.start, page.stop)
    last = Run.objects.order_by("-id").first()
    shown = {"rows": listed, "page": page, "last_run": last, "may_decide": may(account, "decide")}
    return render(request, "pages/worklist.html", shown)


@require_GET
@needs("runs")
def runs(request: HttpRequest) -> HttpResponse:
    """Show what ran, the newest first."""
    page = _Page(request, Run.objects.count())
    rows = [_timed(run, "started_at", "ended_at") for run in ledger.runs(SIZE, page.start)]
    return render(request, "pages/runs.html", {"runs": rows, "page": page})


@require_GET
@needs("rejected")
def rejected(request: HttpRequest) -> HttpResponse:
    """Show the inputs that could not be taken, with the reason and nothing of their text."""
    account = reader(request)
    page = _Page(request, ledger.rejected_count(account))
    rows = [_timed(row, "at") for row in ledger.rejected(account, SIZE, page.start)]
    return render(request, "pages/rejected.html", {"rows": rows, "page": page})


def _timed(row: dict[str, Any], *names: str) -> dict[str, Any]:
    """Return the row with its times as times again, for the time zone of the pages."""
    return row | {name: row[name] and datetime.fromisoformat(row[name]) for name in names}


class _Page:
    """Which piece of a list is asked for; an impossible number means the nearest page there is."""

    def __init__(self, request: HttpRequest, total: int) -> None:
        asked = request.GET.get("page", "1")
        self.total = total
        self.last = max(1, -(-total // SIZE))
        self.number = min(int(asked), self.last) if asked.isdecimal() and len(asked) < 10 else 1
        self.number = max(1, self.number)
        self.start = (self.number - 1) * SIZE
        self.stop = self.start + SIZE
        self.before = self.number - 1
        self.after = self.number + 1 if self.number < self.last else 0
