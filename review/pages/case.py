"""The page of one case."""

from __future__ import annotations

from typing import Any

from django.db.models import F
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_GET

from review import audit
from review.access import is_hidden, may, visible
from review.caseload.related import lines, related, waiting
from review.caseload.standing import standing
from review.keeping.holds import numbers
from review.models import Account, Case, CaseEvent, Correction
from review.pages.offers import Kept, offers
from review.pages.piece import Piece
from review.pages.report import changes, read, versions_of
from review.pages.rights import needs, reader

Kind = CaseEvent.Kind
REREAD = {Kind.REREAD_UP, Kind.REREAD_DOWN, Kind.REREAD_AGAIN}
BROUGHT = {Kind.RAISED, Kind.NEWER, Kind.CALMER, Kind.REREAD, *REREAD}
TELLING = {Kind.RAISED, Kind.CALMER, Kind.WAITS_AGAIN, *REREAD}  # they would tell what the machine reads
NEWEST = 100  # events shown


@require_GET
@needs("case")
def case(request: HttpRequest, case_id: int) -> HttpResponse:
    """Show a case: the report with its marks, why it is here, what happened. That it was read is recorded."""
    return show(request, case_id, {})


def show(request: HttpRequest, case_id: int, kept: Kept) -> HttpResponse:
    """Show a case, after a refused act with what was typed for it (`kept`)."""
    account = reader(request)
    found = _case(account, case_id)
    hidden = is_hidden(found, account)
    version = found.reading.version
    audit.record(audit.Action.CASE_READ, actor=account.actor, subject=f"case:{case_id}", version=version.pk)
    corrections = _corrections(found, account if hidden else None)
    shown = read(version, None if hidden else found.reading, corrections)
    shown |= {"may_history": may(account, "history"), "may_explain": may(account, "explain")}
    shown |= {"case": found, "hidden": hidden, "standing": standing(found, timezone.now())}
    shown["is_held"] = bool(numbers([found.report_id]))
    shown |= _past(found, account, request) | _history(found, hidden=hidden)
    return render(request, "pages/case.html", shown | offers(found, account, shown, kept))


def _past(found: Case, account: Account, request: HttpRequest) -> dict[str, Any]:
    """Return the other versions of the report and the other reports of its patient and study."""
    version = found.reading.version
    others = related(version, account)
    page = Piece(request, others.count())
    return {
        "versions": versions_of(version),
        "changes": changes(version),
        "page": page,
        "earlier": lines(others[page.start : page.stop], version, account),
        "together": lines(waiting(others), version, account),
    }


def _history(found: Case, *, hidden: bool) -> dict[str, Any]:
    """Return what happened to the case, what was decided and told, and what is new to its holder."""
    told = found.events.exclude(kind=Kind.EXTENDED).select_related("account", "whom", "version")
    newest = list(told.defer("version__text", "version__context").order_by("-id")[: NEWEST + 1])
    events = newest[:NEWEST][::-1]
    visible_events = [event for event in events if not (hidden and event.kind in TELLING)]
    decisions = list(found.decisions.select_related("account").order_by("-id"))
    return {
        "events": visible_events,
        "cut_at": NEWEST if len(newest) > NEWEST else 0,
        "news": _since_claimed(events) if found.is_claimed else [],
        "notes": [event for event in visible_events if event.note],
        "decisions": decisions,
        "decision": decisions[0] if decisions and found.decided_at else None,
        "communications": list(found.communications.select_related("account").order_by("id")),
    }


def _case(account: Account, case_id: int) -> Case:
    cases = Case.objects.select_related("report", "reading__version__study", "claimed_by", "assigned_to")
    found = visible(cases, account).filter(pk=case_id).first()
    if found is None:
        raise Http404("There is no such case among those you may see.")
    found.reading.version.report = found.report
    return found


def _corrections(found: Case, only: Account | None) -> list[Correction]:
    """Return the corrections of the text on the page, the oldest first; `only` those of one person."""
    made = found.corrections.annotate(version=F("reading__version")).select_related("account").order_by("id")
    if only is not None:
        made = made.filter(account=only)
    return list(made.filter(version=found.reading.version_id))


def _since_claimed(events: list[CaseEvent]) -> list[CaseEvent]:
    """Return what newer versions brought since the case was claimed: its holder must hear of it."""
    taken = [at for at, event in enumerate(events) if event.kind in (Kind.CLAIMED, Kind.TAKEN_OVER)]
    return [event for event in events[taken[-1] if taken else 0 :] if event.kind in BROUGHT]
