"""What a person does with the worklist itself: search, say that news are seen, choose columns, keep views."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from review import caseload
from review.access import visible
from review.caseload import views
from review.caseload.filters import SEARCH
from review.caseload.search import MOST, SEARCHES, clean, record_search, searched
from review.models import Case
from review.pages.pace import paced
from review.pages.rights import needs, reader
from review.pages.worklist import SEEN, to_list

KEPT = 20  # searches that a session keeps


@needs("queue")
@paced("searches")
def search(request: HttpRequest) -> HttpResponse:
    """Keep what is searched for in the session, and lead to the list by its number."""
    if request.method != "POST":
        return redirect("worklist")
    said = clean(request.POST.get("words", ""))
    if not said:
        messages.error(request, "Type what to search for: words, a patient id, an accession or a case.")
        return to_list(request)
    account = reader(request)
    count = searched(visible(Case.objects.all(), account), account, said).count()
    kept = dict(request.session.get(SEARCHES, {}))
    number = str(max(map(int, kept), default=0) + 1)
    request.session[SEARCHES] = dict([*kept.items(), (number, said)][-KEPT:])
    if count >= MOST:
        messages.warning(
            request,
            f"{MOST:,} cases or more have these words; those with the newest reports are listed. "
            "Add words to find the others.",
        )
    record_search(account, said, count)
    return redirect(f"{reverse('worklist')}?{SEARCH}={number}")


@needs("queue")
def seen(request: HttpRequest) -> HttpResponse:
    """Take the news as seen up to the moment at which the page was made, not those that came since.

    Only forward: what was seen is seen, and no database looks for what came since the year 1.
    """
    try:
        until = parse_datetime(request.POST.get("until", "")[:40]) if request.method == "POST" else None
    except ValueError:
        until = None
    before = parse_datetime(request.session.get(SEEN, ""))
    if before and until is not None and until.tzinfo is not None and before < until <= timezone.now():
        request.session[SEEN] = until.isoformat()
    if getattr(request, "htmx", False):
        response = HttpResponse(status=204)
        response["HX-Trigger"] = "refresh"
        return response
    return to_list(request)


@needs("queue")
def columns(request: HttpRequest) -> HttpResponse:
    """Keep which columns the person wants."""
    if request.method == "POST":
        try:
            views.choose_columns(reader(request), request.POST.getlist("column"))
        except caseload.RefusedError as refusal:
            messages.error(request, str(refusal))
    return to_list(request)


@needs("queue")
def save_view(request: HttpRequest) -> HttpResponse:
    """Keep the filters in use under a name."""
    if request.method == "POST":
        try:
            view = views.save_view(
                reader(request), request.POST.get("name", ""), request.POST.get("query", "")
            )
            messages.success(request, f"The view {view.name!r} is saved.")
        except caseload.RefusedError as refusal:
            messages.error(request, str(refusal))
    return to_list(request)


@needs("queue")
def change_view(request: HttpRequest, view_id: int) -> HttpResponse:
    """Rename or delete a saved view."""
    if request.method == "POST":
        try:
            if request.POST.get("act") == "delete":
                view = views.delete_view(reader(request), view_id)
                messages.success(request, f"The view {view.name!r} is deleted.")
            else:
                view = views.rename_view(reader(request), view_id, request.POST.get("name", ""))
                messages.success(request, f"The view is now called {view.name!r}.")
        except caseload.RefusedError as refusal:
            messages.error(request, str(refusal))
    return to_list(request)
