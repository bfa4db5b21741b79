"""What a newer version of a report does to its case, whatever state the case is in."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from review import audit, caseload
from review.models import Account, Case

pytestmark = [pytest.mark.database, pytest.mark.django_db]
Make = Callable[..., Any]


def bring_to(state: str, case: Case, account: Account) -> None:
    if state == "waiting":
        return
    assert caseload.claim(account, case.pk)
    if state in ("confirmed", "dismissed"):
        reason = "no_lesion" if state == "dismissed" else ""
        caseload.decide(account, case.pk, case.reading.version_id, state, reason=reason)


@pytest.mark.parametrize(
    ("tier", "state", "newer", "tier_after", "state_after", "event"),
    [
        ("soon", "waiting", "stat", "stat", "waiting", "raised"),
        ("soon", "waiting", "soon", "soon", "waiting", "newer"),
        ("stat", "waiting", "soon", "stat", "waiting", "calmer"),
        ("stat", "waiting", "routine", "stat", "waiting", "calmer"),
        ("stat", "waiting", "unread", "stat", "waiting", "calmer"),
        ("soon", "in review", "stat", "stat", "in review", "raised"),
        ("soon", "in review", "routine", "soon", "in review", "calmer"),
        ("soon", "dismissed", "soon", "soon", "waiting", "waits_again"),
        ("stat", "dismissed", "soon", "stat", "waiting", "waits_again"),
        ("soon", "dismissed", "stat", "stat", "waiting", "waits_again"),
        ("soon", "dismissed", "unread", "soon", "waiting", "waits_again"),
        ("soon", "dismissed", "routine", "soon", "dismissed", "calmer"),
        ("soon", "confirmed", "stat", "stat", "waiting", "waits_again"),
        ("soon", "confirmed", "soon", "soon", "confirmed", "newer"),
        ("stat", "confirmed", "soon", "stat", "confirmed", "calmer"),
        ("stat", "confirmed", "routine", "stat", "confirmed", "calmer"),
        ("unread", "waiting", "soon", "soon", "waiting", "raised"),
        ("unread", "waiting", "stat", "stat", "waiting", "raised"),
        ("unread", "waiting", "routine", "unread", "waiting", "calmer"),
        ("unread", "waiting", "unread", "unread", "waiting", "newer"),
        ("unread", "dismissed", "urgent", "urgent", "waiting", "waits_again"),
        ("unread", "dismissed", "routine", "unread", "dismissed", "calmer"),
        ("soon", "waiting", None, "soon", "withdrawn", "withdrawn"),
        ("soon", "in review", None, "soon", "withdrawn", "withdrawn"),
        ("soon", "confirmed", None, "soon", "withdrawn", "withdrawn"),
        ("soon", "dismissed", None, "soon", "withdrawn", "withdrawn"),
    ],
)
def test_a_tier_rises_at_once_and_never_falls_and_nothing_is_closed_silently(  # noqa: PLR0917
    deliver: Make,
    version: Make,
    case_of: Make,
    person: Make,
    tier: str,
    state: str,
    newer: str | None,
    tier_after: str,
    state_after: str,
    event: str,
) -> None:
    deliver(version("A1", tier))
    account = person()
    bring_to(state, case_of("A1"), account)
    deliver(version("A1", newer, "final" if newer else "deleted"))
    case = case_of("A1")
    assert (case.get_tier_display(), case.status, case.events.last().kind) == (tier_after, state_after, event)
    assert case.claimed_by == (account if state_after == "in review" else None)
    assert audit.verify()["ok"]


def test_the_first_arrival_stays_that_of_the_first_version(
    deliver: Make, version: Make, case_of: Make
) -> None:
    deliver(version("A1", "routine"))
    arrived = deliver(version("A1", "stat", "corrected")) and case_of("A1").first_arrival
    assert arrived == case_of("A1").report.first_arrival
    assert arrived < case_of("A1").reading.at


def test_a_decided_case_that_waits_again_keeps_its_decisions(
    deliver: Make, version: Make, case_of: Make, person: Make
) -> None:
    deliver(version("A1", "soon"))
    bring_to("dismissed", case_of("A1"), person())
    deliver(version("A1", "stat", "corrected"))
    assert case_of("A1").decisions.count() == 1
    assert [event.kind for event in case_of("A1").events.order_by("id")] == [
        "opened",
        "claimed",
        "dismissed",
        "waits_again",
    ]
