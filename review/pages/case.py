"""The page of one case, and what can be done there."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import quote

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET

from review import audit, caseload
from review.access import may, visible
from review.evidence import in_words, marked, told
from review.meanings import meaning
from review.models import Account, Case, CaseEvent, Decision
from review.pages.rights import needs, reader


@require_GET
@needs("case")
def case(request: HttpRequest, case_id: int) -> HttpResponse:
    """Show a case: the report with its marks, why it is here, what happened. That it was read is recorded."""
    account = reader(request)
    found = _case(account, case_id)
    version = found.reading.version
    audit.record(audit.Action.CASE_READ, actor=account.actor, subject=f"case:{case_id}", version=version.pk)
    return render(request, "pages/case.html", _report(found) | _history(found) | _acts(found, account))


@needs("decide")
def next_case(request: HttpRequest) -> HttpResponse:
    """Claim the first free case and open it; who comes here from the login is led to the list."""
    if request.method != "POST":
        return redirect("worklist")
    taken = caseload.next(reader(request))
    if taken is None:
        messages.info(request, "Nothing waits: every open case is claimed by somebody.")
        return redirect("worklist")
    return redirect("case", taken.pk)


@needs("decide")
def act(request: HttpRequest, case_id: int, name: str) -> HttpResponse:
    """Do one of the acts of the case page, and say what came of it; the login leads back to the case."""
    if name not in ACTS:
        raise Http404("There is no such act.")
    if request.method != "POST":
        return redirect("case", case_id)
    try:
        done = ACTS[name](reader(request), case_id, request)
    except caseload.RefusedError as refusal:
        messages.error(request, str(refusal))
        return redirect("case", case_id)
    messages.success(request, f"C{case_id}: {done}")
    return redirect("worklist") if name in LEAVES else redirect("case", case_id)


def _claim(account: Account, case_id: int, _: HttpRequest) -> str:
    if not caseload.claim(account, case_id):
        raise caseload.RefusedError(
            "The case is not free: somebody else was first, or it is decided already."
        )
    return "claimed."


def _extend(account: Account, case_id: int, _: HttpRequest) -> str:
    until = timezone.localtime(caseload.extend(account, case_id))
    return f"yours until {until:%H:%M}."


def _release(account: Account, case_id: int, _: HttpRequest) -> str:
    caseload.release(account, case_id)
    return "released."


def _return(account: Account, case_id: int, request: HttpRequest) -> str:
    caseload.give_back(account, case_id, _said(request, "note"))
    return "returned to the list."


def _reopen(account: Account, case_id: int, request: HttpRequest) -> str:
    caseload.reopen(account, case_id, _said(request, "note"))
    return "waits again."


def _confirm(account: Account, case_id: int, request: HttpRequest) -> str:
    comment = _said(request, "comment")
    caseload.decide(account, case_id, _seen(request), "confirmed", comment=comment)
    return "confirmed."


def _dismiss(account: Account, case_id: int, request: HttpRequest) -> str:
    reason, comment = _said(request, "reason"), _said(request, "comment")
    caseload.decide(account, case_id, _seen(request), "dismissed", reason=reason, comment=comment)
    return "dismissed."


BROUGHT = {CaseEvent.Kind.RAISED, CaseEvent.Kind.NEWER, CaseEvent.Kind.CALMER}
LONGEST = 2000  # characters of a comment or note
ACTS: dict[str, Callable[[Account, int, HttpRequest], str]] = {
    "claim": _claim,
    "extend": _extend,
    "release": _release,
    "return": _return,
    "reopen": _reopen,
    "confirm": _confirm,
    "dismiss": _dismiss,
}
LEAVES = {"release", "return", "confirm", "dismiss"}  # after these the list is of more use than the case


def _said(request: HttpRequest, field: str) -> str:
    """Return what a person typed, as far as the field allows and the database can hold it."""
    return request.POST.get(field, "").replace("\0", "")[:LONGEST]


def _seen(request: HttpRequest) -> int:
    seen = request.POST.get("version_seen", "")
    if not seen.isdecimal() or len(seen) > 18:
        raise caseload.RefusedError("The page did not say which version you read. Open the case again.")
    return int(seen)


def _report(found: Case) -> dict[str, Any]:
    """Return what the page shows of the report: its text with marks, findings, reasons, study."""
    version, content = found.reading.version, found.reading.content
    findings = [*content["findings"], *content["context_findings"]]
    return {
        "case": found,
        "version": version,
        "study": version.study,
        "content": content,
        "parts": marked(version.text, findings),
        "findings": [
            finding
            | {
                "kind": in_words(finding["class"]),
                "places": ", ".join(map(in_words, finding["compartments"])),
                "told": told(finding),
            }
            for finding in findings
        ],
        "told": told(content),
        "red_flags": map(in_words, content["red_flags"]),
        "warnings": map(meaning, version.warnings),
        "calmer": found.reading.tier != found.get_tier_display() and not content["unreadable"],
        "viewer": _viewer(found),
    }


def _history(found: Case) -> dict[str, Any]:
    """Return what the page shows of the past: versions, events, decisions, and what is new to the holder."""
    events = list(found.events.select_related("account", "version").order_by("id"))
    return {
        "versions": found.report.versions.defer("text", "context").order_by("-number"),
        "events": events,
        "news": _since_claimed(events) if found.is_claimed else [],
        "decisions": found.decisions.select_related("account").order_by("id"),
    }


def _acts(found: Case, account: Account) -> dict[str, Any]:
    """Return what the person may do with the case now."""
    return {
        "may_decide": may(account, "decide"),
        "is_open": found.state == Case.State.WAITING,
        "is_mine": found.is_claimed and found.claimed_by == account,
        "minutes_left": _minutes_left(found),
        "reasons": Decision.Reason.choices,
        "longest": LONGEST,
    }


def _case(account: Account, case_id: int) -> Case:
    cases = Case.objects.select_related("report", "reading__version__study", "claimed_by")
    found = visible(cases, account).filter(pk=case_id).first()
    if found is None:
        raise Http404("There is no such case among those you may see.")
    return found


def _since_claimed(events: list[CaseEvent]) -> list[CaseEvent]:
    """Return what newer versions brought since the case was claimed: its holder must hear of it."""
    kinds = [event.kind for event in events]
    last_claim = len(kinds) - kinds[::-1].index(CaseEvent.Kind.CLAIMED)
    return [event for event in events[last_claim:] if event.kind in BROUGHT]


def _minutes_left(case: Case) -> int:
    if not case.is_claimed or case.claim_expires is None:
        return 0
    return int((case.claim_expires - timezone.now()).total_seconds() // 60)


def _viewer(case: Case) -> str:
    version = case.reading.version
    uid = version.study.study_uid if version.study else ""
    values = {"study_uid": quote(uid, safe=""), "accession": quote(version.accession, safe="")}
    link: str = settings.SITE.viewer_link
    return link.format(**values) if link and (uid or version.accession) else ""
