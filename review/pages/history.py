"""Who did what: the rows of the audit as people read them, and as a table to take away."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.views.decorators.http import require_GET

from review.history import actions, timeline
from review.history.asked import AskedError
from review.history.words import WORDS
from review.pages.pace import paced
from review.pages.rights import needs, reader
from review.pages.runs import download, refusal


@require_GET
@needs("history")
def history(request: HttpRequest) -> HttpResponse:
    """Show the acts that the filters leave, the newest first, repeats folded. That is recorded."""
    acts = sorted(((str(action), said.format("…")) for action, said in WORDS.items()), key=lambda one: one[1])
    shown: dict[str, Any] = {"people": actions.people(), "acts": acts, "asked": request.GET.dict()}
    shown["zone"] = settings.TIME_ZONE
    try:
        given = actions.chosen(request.GET.dict())
    except AskedError as fault:
        return render(request, "pages/history.html", shown | {"fault": str(fault)}, status=400)
    piece = actions.show(reader(request), given, before(request))
    shown |= {"piece": piece, "asked": given, "query": actions.query(given), "is_first": not before(request)}
    return render(request, "pages/history.html", shown)


@require_GET
@needs("history")
@paced("exports")
def table(request: HttpRequest) -> HttpResponseBase:
    """Hand out all rows that the filters leave as CSV; that is recorded."""
    try:
        given = actions.chosen(request.GET.dict())
    except AskedError as fault:
        return refusal(fault)
    return download(actions.as_csv(reader(request), given), "actions.csv")


def before(request: HttpRequest) -> int:
    """Return where in the list the page begins; 0 for the newest rows, also when it is no number."""
    said = request.GET.get(actions.BEFORE, "")
    return int(said) if said.isascii() and said.isdecimal() and len(said) < 19 else 0


@require_GET
@needs("history")
def of_report(request: HttpRequest, report_id: int) -> HttpResponse:
    """Show everything that is recorded of a report in one line of time. That it was read is recorded."""
    account = reader(request)
    report = timeline.report_of(report_id, account)
    if report is None:
        raise Http404("There is no such report among those you may see.")
    lists = request.GET.get("lists") == "1"
    shown = {"line": timeline.timeline(report, account, lists=lists), "lists": lists}
    return render(request, "pages/report_history.html", shown)
