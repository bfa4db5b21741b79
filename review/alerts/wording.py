"""What is told of an alert, in plain English: what is the matter, in numbers, and the way out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.utils import timezone

from review.alerts.message import Message
from review.duration import duration
from review.models import Alert, Notice

Numbers = dict[str, Any]
Cause = Alert.Cause


@dataclass(frozen=True, slots=True)
class Words:
    """An alert in words."""

    title: str
    what: str
    way_out: str


def words(alert: Alert) -> Words:
    """Say an alert in words."""
    what, way_out = _SAID[alert.cause](alert.numbers | {"about": alert.about})
    title = Cause(alert.cause).label
    return Words(title=title[0].upper() + title[1:], what=what, way_out=way_out)


def message(notices: list[Notice]) -> Message:
    """Say all that one notifier has to tell now in one message, the new alerts first."""
    order = list(Notice.Kind)
    ordered = sorted(notices, key=lambda notice: (order.index(Notice.Kind(notice.kind)), notice.alert_id))
    page = _page()
    paragraphs = [_paragraph(notice) for notice in ordered]
    paragraphs.append(f"All alerts: {page or 'the page Alerts, or `spinetriage alerts`.'}")
    data = {"site": settings.SITE.name, "page": page, "alerts": [_plain(notice) for notice in ordered]}
    return Message(subject=_subject(ordered), text="\n\n".join(paragraphs) + "\n", data=data)


def test_message() -> Message:
    """Say that this is a test, and nothing else."""
    text = "This is a test of the alerts (`spinetriage alerts --test`). Nothing is wrong.\n"
    data = {"site": settings.SITE.name, "page": _page(), "alerts": [], "test": True}
    return Message(subject=f"[{settings.SITE.name}] Test of the alerts", text=text, data=data)


def _page() -> str:
    return f"{settings.ALERTS.pages}/alerts/" if settings.ALERTS.pages else ""


def lasted(alert: Alert) -> str:
    """Say how long the cause was there, from its first to its last finding."""
    return duration(_minutes(alert.seen_at - alert.opened_at))


def _subject(notices: list[Notice]) -> str:
    if len(notices) == 1:
        told = f"{Notice.Kind(notices[0].kind).label.upper()}: {words(notices[0].alert).title}"
    else:
        counts = {kind: sum(notice.kind == kind for notice in notices) for kind in Notice.Kind}
        told = "Alerts: " + ", ".join(f"{n} {kind.label}" for kind, n in counts.items() if n)
    return f"[{settings.SITE.name}] {told}"


def _paragraph(notice: Notice) -> str:
    said, alert = words(notice.alert), notice.alert
    since = timezone.localtime(alert.opened_at).strftime("%-d %b %Y %H:%M %Z")
    label = Notice.Kind(notice.kind).label.upper()
    if notice.kind == Notice.Kind.OVER:
        was = f"It was so since {since}, for {lasted(alert)}. The last figures: {said.what}"
        return f"{label}: {said.title}\n{was}"
    return f"{label}: {said.title}\n{said.what}\nSince {since}.\nWhat to do: {said.way_out}"


def _plain(notice: Notice) -> dict[str, Any]:
    alert, said = notice.alert, words(notice.alert)
    return {
        "alert": alert.pk,
        "kind": notice.kind,
        "cause": alert.cause,
        "about": alert.about,
        "opened_at": alert.opened_at.isoformat(),
        "closed_at": alert.closed_at and alert.closed_at.isoformat(),
        "numbers": alert.numbers,
        "title": said.title,
        "what": said.what,
        "way_out": said.way_out,
    }


def _failed(numbers: Numbers) -> tuple[str, str]:
    newest = numbers["newest_run"]
    kind = "reread" if numbers["about"] else "run"
    failed = _some(numbers["failed"], kind, f"{kind}s")
    return (
        f"{failed} failed or died with no completed one since; the newest is run {newest}.",
        f"`spinetriage runs` says why run {newest} failed. The next run takes over what was left; if that "
        "fails too, see 'When a run dies' in docs/operations.md.",
    )


def _no_run(numbers: Numbers) -> tuple[str, str]:
    time, limit = duration(numbers["minutes"]), duration(numbers["limit"])
    return (
        f"No run has completed for {time} (limit {limit}), and none makes progress. Reports that arrive are "
        "not read.",
        "See whether `spinetriage up` is running and starts flows. Meanwhile `spinetriage run` takes "
        "everything in.",
    )


def _overdue(numbers: Numbers) -> tuple[str, str]:
    cases = _some(numbers["cases"], "stat case has", "stat cases have")
    limit, oldest = duration(numbers["limit"]), duration(numbers["oldest_minutes"])
    return (
        f"{cases} waited for more than {limit}; the oldest for {oldest}.",
        "Find a radiologist who opens the worklist now.",
    )


def _rejected(numbers: Numbers) -> tuple[str, str]:
    hours = duration(60 * numbers["hours"])
    desk = "The page Rejected, or `spinetriage rejected`, gives the reasons. "
    if numbers["about"] == "new":
        inputs = _some(numbers["inputs"], "input was", "inputs were")
        return (
            f"{inputs} rejected within {hours} (limit {numbers['limit']}). They may hold reports that nobody "
            "can read.",
            f"{desk}Many with the same reason mean that a sender has changed something.",
        )
    inputs = _some(numbers["inputs"], "rejected input has", "rejected inputs have")
    return (
        f"{inputs} waited for more than {hours}. They may hold reports that nobody can read.",
        f"{desk}Have them sent anew, try them again, or put them away with a reason.",
    )


def _drift(numbers: Numbers) -> tuple[str, str]:
    concepts = _some(numbers["concepts"], "concept was", "concepts were")
    named = ", ".join(
        f"{term['concept']} {term['rate_before']:.1f} → {term['rate']:.1f}" for term in numbers["named"]
    )
    more = numbers["concepts"] - len(numbers["named"])
    others = f", and {more} more" if more > 0 else ""
    rules = "The rules changed meanwhile, which alone can be the reason. " if numbers["rules_changed"] else ""
    return (
        f"{concepts} found clearly more or less often in the last {numbers['days']} days than in the 30 days "
        f"before, per 1,000 texts read: {named}{others}.",
        f"{rules}See the page Statistics, 'Terms against the month before'. A change may lie in the "
        "patients, in how reports are written or sent, or in the machine: have a radiologist look "
        "at some of them.",
    )


def _rules(numbers: Numbers) -> tuple[str, str]:
    return (
        f"Run {numbers['run']} read with the rules {numbers['about'][:19]}…, which nobody let go live.",
        "See 'Rules go live' in docs/audit.md: a lead lets them go live with a reason, or the rules of "
        "before are put back.",
    )


def _audit(numbers: Numbers) -> tuple[str, str]:
    return (
        "The newest row of the audit was not made with this installation's audit key.",
        "`spinetriage audit verify` names what is wrong. See that SPINETRIAGE_AUDIT_KEY or secrets/audit is "
        "the key that belongs to this database.",
    )


_SAID: dict[str, Callable[[Numbers], tuple[str, str]]] = {
    Cause.RUN_FAILED: _failed,
    Cause.NO_RUN: _no_run,
    Cause.OVERDUE: _overdue,
    Cause.REJECTED: _rejected,
    Cause.DRIFT: _drift,
    Cause.RULES: _rules,
    Cause.AUDIT: _audit,
}


def _some(count: int, one: str, many: str) -> str:
    return f"{count:,} {one if count == 1 else many}"


def _minutes(time: timedelta) -> int:
    return int(time.total_seconds() // 60)
