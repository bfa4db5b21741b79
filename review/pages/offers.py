"""What the page of a case offers the person to do now, and what they had typed when an act was refused."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import QueryDict
from django.utils import timezone

from review.access import may
from review.caseload import colleagues
from review.caseload.corrections import CERTAINTIES, CLASSES, COMPARTMENTS, may_correct
from review.caseload.deadlines import MUST_BE_TOLD
from review.caseload.decisions import GIVEN
from review.evidence import in_words
from review.models import Account, Case, Communication, Decision
from review.pages.typed import LONGEST

State = Case.State
WRITTEN = ("comment", "note", "text", "words", "finding", "told_to", "levels")  # fields of free words
UNSENT = "unsent"  # the field in which a claim names the act that what was typed is for
Kept = dict[str, QueryDict]  # by act, what was typed for it


def offers(case: Case, account: Account, shown: dict[str, Any], kept: Kept) -> dict[str, Any]:
    """Return what the templates of the acts ask for.

    Parameters
    ----------
    shown
        What the page shows of the case: `decision` that stands, `headline`.
    kept
        What was typed into the form of an act that was refused.
    """
    decides = may(account, "decide")
    is_mine = case.is_claimed and case.claimed_by == account
    is_open = case.state == State.WAITING
    offered = {
        "may_decide": decides,
        "is_open": is_open,
        "is_mine": is_mine,
        "seconds_left": _seconds_left(case),
        "reasons": Decision.Reason.choices,
        "tiers": [tier.label for tier in GIVEN],
        "tier_chosen": "" if case.is_blind or case.tier not in GIVEN else case.get_tier_display(),
        "may_correct": decides and may_correct(case, account),
        "classes": _choices(CLASSES),
        "certainties": _choices(CERTAINTIES),
        "compartments": _choices(COMPARTMENTS),
        "lesion_classes": CLASSES,
        "colleagues": colleagues(account, case.source) if decides and is_open else [],
        "longest": LONGEST,
        "time_zone": settings.TIME_ZONE,
        "missed_reads": _reads(kept.get("missed")),
        "kept": {act.replace("-", "_"): typed for act, typed in kept.items()},
        "kept_words": [] if is_mine else _words(kept),
        "unsent": _unsent(kept),
    }
    return offered | _telling(case, account, shown)


def _telling(case: Case, account: Account, shown: dict[str, Any]) -> dict[str, Any]:
    decision = shown["decision"]
    if case.state != State.CONFIRMED or decision is None or decision.urgency not in MUST_BE_TOLD:
        return {}
    return {
        "telling": {
            "finding": shown.get("headline", ""),
            "told_by": account.get_full_name() or account.username,
            "found_at": timezone.localtime(decision.at).strftime("%Y-%m-%dT%H:%M"),
        },
        "methods": Communication.Method.choices,
    }


def _seconds_left(case: Case) -> int:
    if not case.is_claimed or case.claim_expires is None:
        return 0
    return int((case.claim_expires - timezone.now()).total_seconds())


def _choices(values: tuple[str, ...]) -> list[tuple[str, str]]:
    return [(value, in_words(value)) for value in values]


def _reads(typed: QueryDict | None) -> dict[str, Any]:
    """Return how a missed finding was said to read, for its form to say it again."""
    if typed is None:
        return {}
    levels = [typed.get("levels", "")]
    return {
        "certainty": typed.get("certainty"),
        "compartments": typed.getlist("compartments"),
        "levels": levels,
    }


def _unsent(kept: Kept) -> list[tuple[str, str]]:
    """Return what was typed as fields, for the claim that makes the act possible to carry it along."""
    found = []
    for act, typed in kept.items():
        fields = [name for name in typed if name not in (UNSENT, "csrfmiddlewaretoken")]
        found += [(UNSENT, act), *((name, value) for name in fields for value in typed.getlist(name))]
    return found


def _words(kept: Kept) -> list[str]:
    there = [typed.get(field, "") for typed in kept.values() for field in WRITTEN]
    return [words for words in there if words.strip()]
