"""The page of alerts: what is wrong now, who was told, and what was wrong before."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from review import alerts as standing
from review.pages.piece import SIZE, Piece
from review.pages.rights import needs


@require_GET
@needs("alerts")
def alerts(request: HttpRequest) -> HttpResponse:
    """Show the open alerts, how each way of telling people stands, and a piece of the history."""
    page = Piece(request, standing.closed().count())
    shown = {
        "alerts": standing.open_alerts(),
        "tellings": standing.tellings(),
        "closed": standing.closed_alerts(SIZE, page.start),
        "page": page,
        "remind_hours": settings.ALERTS.remind_hours,
        "every_minutes": settings.SITE.every_minutes["alerts"],
    }
    return render(request, "pages/alerts.html", shown)
