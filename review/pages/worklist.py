"""The worklist."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from review import caseload
from review.access import may
from review.models import Run
from review.pages.piece import Piece
from review.pages.rights import needs, reader


@require_GET
@needs("queue")
def worklist(request: HttpRequest) -> HttpResponse:
    """Show the open cases: tier, then the oldest, then the id."""
    account = reader(request)
    page = Piece(request, caseload.open_count(account))
    listed = caseload.rows(account, page.start, page.stop)
    last = Run.objects.order_by("-id").first()
    shown = {"rows": listed, "page": page, "last_run": last, "may_decide": may(account, "decide")}
    return render(request, "pages/worklist.html", shown)
