"""The page of figures, the pictures and the CSV of each."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_GET

from review import audit
from review.pages.pace import paced
from review.pages.rights import needs, reader
from review.statistics import DAYS, PICTURES, SUBJECTS, Period, PeriodError, Scope, tables

# A picture is styled within itself and runs nothing, also when it is opened alone.
PICTURE_POLICY = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; sandbox"


@require_GET
@needs("statistics")
def statistics(request: HttpRequest) -> HttpResponse:
    """Show what the work of some days came to; days that cannot be shown are told with what was expected."""
    account = reader(request)
    shown = {"lengths": DAYS, "days": request.GET.get("days", ""), "sources": account.sources}
    try:
        scope = _scope(request)
    except PeriodError as fault:
        return render(request, "pages/statistics.html", shown | {"fault": str(fault)}, status=400)
    found = [{"table": table, "is_drawn": table.name in PICTURES} for table in tables(scope)]
    return render(request, "pages/statistics.html", shown | {"period": scope.period, "subjects": found})


@require_GET
@needs("statistics")
def picture(request: HttpRequest, name: str) -> HttpResponse:
    """Draw one subject, in the light or the dark of the page."""
    theme = request.GET.get("theme", "light")
    if name not in PICTURES or theme not in ("light", "dark"):
        raise Http404("There is no such picture.")
    try:
        table = SUBJECTS[name](_scope(request))
    except PeriodError as fault:
        return HttpResponse(str(fault), status=400, content_type="text/plain; charset=utf-8")
    from review.statistics import pictures  # noqa: PLC0415 - takes a second, and most pages draw nothing

    response = HttpResponse(pictures.picture(table, theme), content_type="image/svg+xml")
    response["Content-Security-Policy"] = PICTURE_POLICY
    return response


@require_GET
@needs("statistics")
@paced("exports")
def table(request: HttpRequest, name: str) -> HttpResponse:
    """Hand out the table of one subject as CSV; that is recorded."""
    if name not in SUBJECTS:
        raise Http404("There is no such table.")
    account = reader(request)
    try:
        scope = _scope(request)
    except PeriodError as fault:
        return HttpResponse(str(fault), status=400, content_type="text/plain; charset=utf-8")
    response = HttpResponse(SUBJECTS[name](scope).csv, content_type="text/csv; charset=utf-8")
    since, until = str(scope.period.since), str(scope.period.until)
    response["Content-Disposition"] = f'attachment; filename="{name}_{since}_{until}.csv"'
    audit.record(
        audit.Action.EXPORTED, actor=account.actor, subject=f"statistics:{name}", since=since, until=until
    )
    return response


def _scope(request: HttpRequest) -> Scope:
    now = timezone.now()
    period = Period.asked(request.GET.dict(), timezone.localdate(now))
    return Scope(account=reader(request), period=period, now=now)
