"""The page of one case."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_GET

from review import audit
from review.access import may, visible
from review.evidence import in_words, marked, told
from review.meanings import meaning
from review.models import Account, Case, CaseEvent, Decision
from review.pages.acts import LONGEST
from review.pages.rights import needs, reader

BROUGHT = {CaseEvent.Kind.RAISED, CaseEvent.Kind.NEWER, CaseEvent.Kind.CALMER}


@require_GET
@needs("case")
def case(request: HttpRequest, case_id: int) -> HttpResponse:
    """Show a case: the report with its marks, why it is here, what happened. That it was read is recorded."""
    account = reader(request)
    found = _case(account, case_id)
    version = found.reading.version
    audit.record(audit.Action.CASE_READ, actor=account.actor, subject=f"case:{case_id}", version=version.pk)
    return render(request, "pages/case.html", _report(found) | _history(found) | _acts(found, account))


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
