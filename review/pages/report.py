"""A report as people read it: on the page of its case, and on a page of its own."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from review import audit
from review.access import is_hidden, may, visible
from review.caseload.corrections import newest
from review.differences import Difference, difference
from review.evidence import UNREADABLE, in_a_line, in_words, told
from review.facts import patient_facts, study_facts, viewer
from review.figure import figure
from review.findings import corrected, found
from review.keeping.erased import erasures
from review.keeping.holds import numbers
from review.meanings import meaning
from review.models import Case, Correction, Reading, ReportVersion, Run
from review.pages.rights import needs, reader
from review.reasons import decided, reasons
from review.stretches import Mark, fitting, stretches


@require_GET
@needs("case")
def report(request: HttpRequest, report_id: int) -> HttpResponse:
    """Show any report ever taken in, with the marks of its newest reading. That it was read is recorded."""
    account = reader(request)
    versions = visible(
        ReportVersion.objects.select_related("report", "study"), account, "report__source"
    ).filter(report=report_id)
    version = versions.filter(**_asked(request)).first()
    if version is None:
        raise Http404("There is no such report among those you may see.")
    case = Case.objects.filter(report=report_id).select_related("claimed_by").first()
    hidden = case is not None and is_hidden(case, account)
    reading = None if hidden else Reading.objects.filter(version=version).order_by("-id").first()
    audit.record(
        audit.Action.REPORT_READ, actor=account.actor, subject=f"report:{report_id}", version=version.pk
    )
    shown = read(version, reading, [])
    other = {"case": case, "hidden": hidden, "versions": versions_of(version)}
    other |= {"may_history": may(account, "history"), "may_explain": may(account, "explain")}
    other["is_held"] = bool(numbers([version.report_id]))
    return render(request, "pages/report.html", shown | other | {"changes": changes(version)})


def read(version: ReportVersion, reading: Reading | None, corrections: list[Correction]) -> dict[str, Any]:
    """Return what a page shows of a version and its reading; without a reading the text and its facts.

    Parameters
    ----------
    corrections
        Those of this version's text, the oldest first: the newest of a stretch counts.
    """
    said = newest(corrections)
    missed = [one for one in said.values() if one.kind == Correction.Kind.MISSED]
    shown: dict[str, Any] = {
        "version": version,
        "patient_facts": patient_facts(version),
        "study_facts": study_facts(version),
        "viewer": viewer(settings.SITE.viewer_link, version),
        # That no study was found stands among the facts; it is too common to be called out.
        "warnings": [meaning(code) for code in version.warnings if code != "no_study_found"],
        "missed": [(one, version.text[one.start : one.end], corrected(one)) for one in missed],
        "reading": reading,
        "unreadable": "",
        "content": None,
    }
    if version.pk in (gone := erasures([version.pk])):
        return shown | {"erased": gone[version.pk], "missed": [], "stretches": [], "linked": set()}
    marks = [_missed(one) for one in missed]
    if reading is not None:
        shown |= _found(reading, said)
        marks += [row.mark for row in shown["found"]]
    shown["stretches"] = stretches(version.text, marks)
    shown["linked"] = {mark.anchor for mark in fitting(version.text, marks)}
    return shown


def versions_of(version: ReportVersion) -> list[ReportVersion]:
    """Return all versions of the version's report without their texts, the newest first."""
    return list(
        ReportVersion.objects.filter(report=version.report_id).defer("text", "context").order_by("-number")
    )


def changes(version: ReportVersion) -> tuple[int, Difference] | None:
    """Return the number of the version that arrived before, and what changed since; None for the first."""
    earlier = ReportVersion.objects.filter(report=version.report_id, number__lt=version.number)
    before = earlier.order_by("-number").values_list("number", "text").first()
    return (before[0], difference(before[1], version.text)) if before else None


def _found(reading: Reading, corrections: dict[tuple[int, int], Correction]) -> dict[str, Any]:
    content = reading.content
    rows = found(content, corrections)
    completed = Run.objects.filter(state=Run.State.COMPLETED).order_by("-id")
    rules = completed.values_list("rules_version", flat=True).first() or reading.rules_version
    return {
        "content": content,
        "found": rows,
        "headline": in_a_line(content),
        "affirmed": [row for row in rows if row.is_affirmed and row.is_listed],
        "not_affirmed": [row for row in rows if not row.is_affirmed and row.is_listed],
        "unlisted": sum(not row.is_listed for row in rows),
        "figure": figure(rows, len(content["findings"])),
        "told": told(content),
        "why": reasons(content),
        "decided": decided(content),
        "red_flags": [in_words(flag) for flag in content["red_flags"]],
        "unreadable": UNREADABLE.get(content["unreadable"] or "", content["unreadable"]),
        "is_stale": rules != reading.rules_version,
    }


def _missed(correction: Correction) -> Mark:
    return Mark(
        start=correction.start,
        end=correction.end,
        anchor=f"missed-{correction.pk}",
        kind="missed",
        badge=f"✎ {corrected(correction)}",
        leads_to=f"said-{correction.pk}",
    )


def _asked(request: HttpRequest) -> dict[str, Any]:
    """Return which version is asked for: the current one unless a number is given."""
    number = request.GET.get("version", "")
    return {"number": int(number)} if number.isdecimal() and len(number) < 10 else {"is_current": True}
