"""What monitors ask: whether we are alive, ready, and whether the queue moves. No login, counts only."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.decorators import login_not_required
from django.db import Error
from django.http import HttpRequest, JsonResponse
from django.utils import timezone
from django.views.decorators.http import require_GET

from review import alerts, audit, caseload, ledger
from review.setup import is_current

AWAY = "the database cannot be used"
NOT_CALLED = "overdue cases were not brought to the leads: the flow `deadlines` does not run"


@login_not_required
@require_GET
def alive(request: HttpRequest) -> JsonResponse:
    """Say that the process answers, and nothing else: starting it anew mends no database."""
    return JsonResponse({"ok": True})


@login_not_required
@require_GET
def ready(request: HttpRequest) -> JsonResponse:
    """Say whether people can work here: 200, or 503 with the reasons."""
    reasons = _reasons()
    return JsonResponse({"ok": not reasons, "reasons": reasons}, status=503 if reasons else 200)


@login_not_required
@require_GET
def queue(request: HttpRequest) -> JsonResponse:
    """Tell how many cases wait, how long, and whether intake and the flows go on.

    The answer is 200 also when something is wrong (`ok` is false and `faults` says what), because collectors
    drop the body of any other one, and with it the counts when they matter most; 503 when nothing can be
    counted. `ok` is about the machine, and may wake an operator; overdue cases are the work of people, and
    the flow `deadlines` calls them out.
    """
    now = timezone.now()
    try:
        intake, tiers, wrong = ledger.intake(now, None), caseload.depths(now), alerts.count()
    except Error:
        return JsonResponse({"ok": False, "faults": [AWAY]}, status=503)
    faults = [*_faults(intake), *([NOT_CALLED] if any(tier.forgotten for tier in tiers.values()) else [])]
    told: dict[str, Any] = {
        "ok": not faults,
        "faults": faults,
        "late": intake.is_late,
        "minutes_since_completed_run": intake.last_completed_minutes,
        "open": {name: tier.open for name, tier in tiers.items()},
        "oldest_minutes": {name: tier.oldest_minutes for name, tier in tiers.items()},
        "overdue": {name: tier.overdue for name, tier in tiers.items()},
        "unread": intake.unread.count,
        "rejected": intake.rejected.count,
        "not_communicated": intake.untold.count,
        "alerts": wrong,
    }
    return JsonResponse(told)


def _faults(intake: ledger.Intake) -> list[str]:
    """Say in words what keeps reports from coming in."""
    told = {
        "no run has ever started": intake.never_ran,
        "no run has completed for too long": intake.is_late,
        "the last run did not complete": bool(intake.failure),
    }
    return [what for what, is_so in told.items() if is_so]


def _reasons() -> list[str]:
    """Say in words what keeps people from working."""
    try:
        if not is_current():
            return ["the tables are not up to date: start `spinetriage up`, which brings them there"]
        if not audit.key_fits():
            return ["the audit key is not the one that made this database's audit chain"]
    except Error:
        return [AWAY]
    return []
