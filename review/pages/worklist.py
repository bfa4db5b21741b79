"""The worklist: which cases, in which order, what is new, and why a list is empty."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.views.decorators.http import require_GET

from review import caseload, ledger
from review.access import may
from review.caseload import views
from review.caseload.filters import FLAGS, SEARCH, Chosen, Offers, address, chosen, offers
from review.caseload.search import SEARCHES
from review.models import Account
from review.pages.pace import paced
from review.pages.piece import Piece
from review.pages.rights import needs, reader

# What a session keeps of its lists.
LIST, SHOWN, SEEN = "list", "shown", "news_seen"
KEPT = 8  # lists of a session whose last showing is known, for windows side by side
PRESETS = (
    ("Mine", "mine=1"),
    ("Unclaimed", "unclaimed=1"),
    ("Overdue", "overdue=1"),
    ("To be told", "untold=1"),
    ("Decided today", "decided=today"),
)
GROUPS = {
    "tier": "Tier", "status": "Status", "age": "Age of the case", "compartment": "Compartment",
    "modality": "Modality", "source": "Source", "level": "Level", "concept": "Finding",
}  # fmt: skip
LONG = {"level", "concept"}  # too many values for boxes


@require_GET
@needs("queue")
def worklist(request: HttpRequest) -> HttpResponse:
    """Show a list of cases: tier, then the oldest, then the id; to htmx only what changes with time."""
    account = reader(request)
    offered = offers(account)
    try:
        filters = chosen(account, request.GET, offered)
        live = _live(request, account, filters, offered)
    except caseload.FilterError as refusal:
        counts = caseload.counts(account, timezone.now())
        faulty = {"fault": str(refusal), "counts": counts} | _strip(counts, {})
        return render(request, "pages/worklist.html", faulty | _frame(account, {}, offered), status=400)
    if getattr(request, "htmx", False):
        return render(request, "pages/worklist_live.html", live | {"is_poll": True})
    return render(request, "pages/worklist.html", live | _frame(account, filters, offered))


@require_GET
@needs("export")
@paced("exports")
def export(request: HttpRequest) -> HttpResponse:
    """Hand out the list as CSV, all of its pages; that is recorded."""
    account = reader(request)
    try:
        cases = caseload.listed(account, request.GET, request.session.get(SEARCHES))
    except caseload.FilterError as refusal:
        return HttpResponse(str(refusal), status=400, content_type="text/plain")
    response = HttpResponse(caseload.as_csv(account, cases), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = 'attachment; filename="worklist.csv"'
    return response


def to_list(request: HttpRequest) -> HttpResponseRedirect:
    """Lead back to the list that was last seen."""
    query = request.session.get(LIST, "")
    return redirect(reverse("worklist") + (f"?{query}" if query else ""))


def _live(request: HttpRequest, account: Account, filters: Chosen, offered: Offers) -> dict[str, Any]:
    """Return what changes with time: counts, news, the banner, and the cases themselves."""
    now = timezone.now()
    query = address(filters)
    cases = caseload.listed(account, QueryDict(query), request.session.get(SEARCHES), offered)
    counts = caseload.counts(account, now)
    page = Piece(request, cases.count() if filters else counts.all_open)
    key = f"{query}#{page.number}"
    shown = request.session.get(SHOWN, {})
    last = shown.get(key, "") if getattr(request, "htmx", False) else ""
    showing = caseload.show(account, cases, page.start, page.stop, last)
    if shown.get(key) != showing.digest:  # a session is written only when something changed
        shown = {k: v for k, v in shown.items() if k != key} | {key: showing.digest}
        request.session[SHOWN] = dict(list(shown.items())[-KEPT:])
    if request.session.get(LIST) != query:
        request.session[LIST] = query
    since = parse_datetime(request.session.setdefault(SEEN, now.isoformat()))
    return {
        "rows": showing.rows,
        "page": page,
        "query": query,
        "filters": filters,
        "columns": views.columns(account),
        "counts": counts,
        "news": caseload.news(account, since or now, now),
        "now": now,
        "intake": ledger.intake(now, account),
        "sources": account.sources,
        "may_decide": may(account, "decide"),
        "may_rejected": may(account, "rejected"),
        "may_export": may(account, "export"),
        "searched": _searched(request, filters),
    } | _strip(counts, filters)


def _strip(counts: caseload.Counts, filters: Chosen) -> dict[str, Any]:
    """Return the links above the list: the tiers with their numbers, and the presets."""
    query = address(filters)
    numbers = (counts.mine, counts.unclaimed, counts.all_overdue, counts.untold, None)
    return {
        "tiers": [
            {
                "tier": tier,
                "query": f"tier={tier}",
                "is_shown": query == f"tier={tier}",
                "open": number,
                "overdue": counts.overdue[tier],
            }
            for tier, number in counts.open.items()
        ],
        "presets": [
            {"name": name, "query": at, "is_shown": query == at, "number": number}
            for (name, at), number in zip(PRESETS, numbers, strict=True)
        ],
    }


def _searched(request: HttpRequest, filters: Chosen) -> str:
    return request.session.get(SEARCHES, {}).get(filters[SEARCH][0], "") if SEARCH in filters else ""


def _frame(account: Account, filters: Chosen, offered: Offers) -> dict[str, Any]:
    """Return what stands around the list: filters in use, filters to choose, views, columns."""
    shown = views.columns(account)
    return {
        "chips": [
            {
                "name": GROUPS.get(name, "Decided" if name == "decided" else ""),
                "value": offered[name][value],
                "without": address(_without(filters, name, value)),
            }
            for name, values in filters.items()
            if name != SEARCH
            for value in values
        ],
        "without_search": address({name: values for name, values in filters.items() if name != SEARCH}),
        "groups": [
            {
                "name": name,
                "heading": heading,
                "is_long": name in LONG,
                "options": [
                    {"value": value, "name": said, "is_chosen": value in filters.get(name, ())}
                    for value, said in offered[name].items()
                ],
            }
            for name, heading in GROUPS.items()
        ],
        "flags": [
            {"name": name, "heading": said, "is_chosen": name in filters} for name, said in FLAGS.items()
        ],
        "kept": {name: values for name, values in filters.items() if name in (SEARCH, "decided")},
        "views": views.views(account),
        "all_columns": [
            {"name": name, "heading": heading, "is_shown": name in shown, "stays": name in views.ALWAYS}
            for name, heading in views.COLUMNS.items()
        ],
        "longest_name": views.LONGEST_NAME,
    }


def _without(filters: Chosen, name: str, value: str) -> Chosen:
    left = tuple(other for other in filters[name] if other != value)
    return {key: left if key == name else values for key, values in filters.items() if key != name or left}
