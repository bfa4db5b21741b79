"""Why was this report not queued? Asked by any name of it, answered on a page of its own."""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods

from review import audit
from review.access import may, visible
from review.caseload.search import clean
from review.history import finding
from review.history.finding import open_to
from review.history.since import attempts
from review.history.why import Why, why
from review.models import Account, Input, Outcome
from review.pages.pace import paced
from review.pages.rights import needs, reader

INPUTS = 100  # of a report that its page names


@require_http_methods(["GET", "POST"])
@needs("explain")
def ask(request: HttpRequest) -> HttpResponseBase:
    """Ask for a report. What is asked for comes in a form and stands in no address."""
    return _found(request) if request.method == "POST" else render(request, "pages/why_ask.html", {})


@paced("searches")
def _found(request: HttpRequest) -> HttpResponse:
    account = reader(request)
    said = clean(request.POST.get("name", ""))
    found = finding.search(said, account)
    reports = {one.version.report_id if one.version else None for one in found}
    if len(found) == 1 or (len(reports) == 1 and None not in reports):
        one = found[0]
        return redirect("why_report", one.version.report_id) if one.version else redirect("why_input", one.pk)
    kept = finding.blind(found, account)
    rows = [(one, bool(one.version and one.version.report_id in kept)) for one in found]
    shown = {"asked": said, "rows": rows, "most": finding.MOST, "sources": account.sources}
    return render(request, "pages/why_ask.html", shown)


@require_GET
@needs("explain")
def of_report(request: HttpRequest, report_id: int) -> HttpResponse:
    """Answer for a report, for the newest of its inputs that stands for itself. That is recorded."""
    account = reader(request)
    item = finding.standing(finding.of_report(report_id, account))
    if item is None:
        raise Http404("There is no such report among those you may see.")
    return _answer(request, item, account)


@require_GET
@needs("explain")
def of_input(request: HttpRequest, input_id: int) -> HttpResponse:
    """Answer for one input, whatever became of it. That it was asked is recorded."""
    account = reader(request)
    inputs = visible(Input.objects.all(), account, "portion__source")
    item = (
        inputs.select_related("portion", "shard", "version__report").defer("raw").filter(pk=input_id).first()
    )
    if item is None:
        raise Http404("There is no such input among those you may see.")
    return _answer(request, item, account)


def _answer(request: HttpRequest, item: Input, account: Account) -> HttpResponse:
    found = why(item, account)
    report = item.version.report if item.version else None
    subject = f"report:{report.pk}" if report else f"input:{item.pk}"
    audit.record(audit.Action.REPORT_EXPLAINED, actor=account.actor, subject=subject, input=item.pk)
    shown: dict[str, Any] = {
        "found": found,
        "item": item,
        "report": report,
        "others": list(finding.of_report(report.pk, account)[:INPUTS]) if report and not found.hidden else [],
        "attempts": _attempts(item, found, account),
        "may_runs": may(account, "runs"),
        "may_case": may(account, "case"),
        "may_desk": item.outcome == Outcome.REJECTED and may(account, "rejected"),
        "may_history": may(account, "history"),
    }
    return render(request, "pages/why.html", shown)


def _attempts(item: Input, found: Why, account: Account) -> list[Input]:
    """Return the attempts at the same item, this one among them; the latest counts.

    One whose report is to be read blind is left out for who may decide it.
    """
    if found.hidden:
        return []
    same = open_to(account).filter(attempts(item)).select_related("portion", "shard").defer("raw")
    rows = list(same.order_by("id")[:INPUTS])
    return rows if len(rows) > 1 else []
