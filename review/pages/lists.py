"""The first page of everybody, and the inputs that were rejected."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET

from review import ledger
from review.pages.frame import frame
from review.pages.piece import SIZE, Piece
from review.pages.rights import needs, reader
from review.pages.runs import timed


@require_GET
def home(request: HttpRequest) -> HttpResponse:
    """Lead everybody to the first page that they may open."""
    menu = frame(request)["menu"]
    return redirect(menu[0][0]) if menu else render(request, "pages/nothing.html")


@require_GET
@needs("rejected")
def rejected(request: HttpRequest) -> HttpResponse:
    """Show the inputs that could not be taken, with the reason and nothing of their text."""
    account = reader(request)
    page = Piece(request, ledger.rejected_count(account))
    rows = [timed(row, "at") for row in ledger.rejected(account, SIZE, page.start)]
    return render(request, "pages/rejected.html", {"rows": rows, "page": page})
