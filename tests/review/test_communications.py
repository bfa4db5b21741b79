"""The communication record: only for grave results, only what can be, never changed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.http import QueryDict
from django.test import RequestFactory
from django.utils import timezone

from review import audit, caseload
from review.caseload import RefusedError, Telling
from review.models import Account, AuditRow, Case, Communication, Tier
from review.pages import typed

pytestmark = [pytest.mark.database, pytest.mark.django_db]
Make = Callable[..., Any]


@pytest.fixture
def account(person: Make) -> Account:
    return person()  # type: ignore[no-any-return]


@pytest.fixture
def case(deliver: Make, version: Make, case_of: Make, account: Account) -> Case:
    deliver(version("A1", "stat"))
    found = case_of("A1")
    caseload.claim(account, found.pk)
    caseload.decide(account, found.pk, found.reading.version_id, "confirmed")
    return case_of("A1")  # type: ignore[no-any-return]


@pytest.fixture
def telling() -> Telling:
    now = timezone.now()
    return Telling(
        finding="epidural mass at T6", told_to="Dr Ames", told_by="Dr Grey", method="phone",
        found_at=now - timedelta(minutes=20), told_at=now - timedelta(minutes=5),
    )  # fmt: skip


def test_a_result_is_told_several_times_and_stands_no_longer_among_those_to_tell(
    case: Case, account: Account, person: Make, telling: Telling
) -> None:
    assert case.is_to_tell
    caseload.tell_result(account, case.pk, telling)
    caseload.tell_result(person(), case.pk, replace(telling, told_to="the ward"))
    case.refresh_from_db()
    assert not case.is_to_tell
    assert [told.told_to for told in Communication.objects.order_by("id")] == ["Dr Ames", "the ward"]
    assert "Ames" not in str(list(AuditRow.objects.values_list("detail", flat=True)))
    assert audit.verify()["ok"]


def test_the_same_record_sent_twice_is_taken_once(case: Case, account: Account, telling: Telling) -> None:
    caseload.tell_result(account, case.pk, telling)
    with pytest.raises(RefusedError, match="already"):
        caseload.tell_result(account, case.pk, telling)
    assert Communication.objects.count() == 1


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"finding": " "}, "which finding"),
        ({"told_to": ""}, "who was told"),
        ({"told_by": ""}, "who told it"),
        ({"method": "pigeon"}, "how it was told"),
        ({"method": "other"}, "in the note"),
        ({"told_at": timedelta(minutes=10)}, "told in the future"),
        ({"found_at": timedelta(minutes=10)}, "found in the future"),
        ({"told_at": timedelta(minutes=-30)}, "before it was found"),
        ({"found_at": timedelta(days=-365 * 1000)}, "in the year 1"),
    ],
)
def test_what_cannot_be_is_refused_in_plain_words(
    case: Case, account: Account, telling: Telling, change: dict[str, Any], told: str
) -> None:
    at = {k: timezone.now() + v if isinstance(v, timedelta) else v for k, v in change.items()}
    with pytest.raises(RefusedError, match=told):
        caseload.tell_result(account, case.pk, replace(telling, **at))
    assert not Communication.objects.exists()


@pytest.mark.parametrize("given", [Tier.SOON, None])
def test_only_a_result_confirmed_as_stat_or_urgent_is_told(  # noqa: PLR0917
    deliver: Make, version: Make, case_of: Make, account: Account, telling: Telling, given: Tier | None
) -> None:
    deliver(version("A2", "stat"))
    case = case_of("A2")
    with pytest.raises(RefusedError, match="stat or urgent"):
        caseload.tell_result(account, case.pk, telling)
    caseload.claim(account, case.pk)
    verdict, reason = ("confirmed", "") if given else ("dismissed", "no_lesion")
    caseload.decide(account, case.pk, case.reading.version_id, verdict, reason=reason, tier_given=given)
    with pytest.raises(RefusedError, match="stat or urgent"):
        caseload.tell_result(account, case.pk, telling)


def test_a_case_that_waits_again_or_is_withdrawn_is_not_among_those_to_tell(
    case: Case, account: Account, deliver: Make, version: Make
) -> None:
    caseload.reopen(account, case.pk, "second look")
    case.refresh_from_db()
    assert not case.is_to_tell
    caseload.claim(account, case.pk)
    caseload.decide(account, case.pk, case.reading.version_id, "confirmed")
    deliver(version("A1", None, "deleted"))
    case.refresh_from_db()
    assert not case.is_to_tell


def moment(written: str) -> datetime:
    request = RequestFactory().post("/")
    request.POST = QueryDict(mutable=True)
    request.POST["at"] = written
    return typed.moment(request, "at", "told")


def test_times_are_those_of_the_site_also_in_the_nights_of_the_clock_change(settings: Any) -> None:
    settings.TIME_ZONE = "Europe/Berlin"
    zone = ZoneInfo("Europe/Berlin")
    assert moment("2026-07-01T12:00").isoformat() == "2026-07-01T12:00:00+02:00"
    with pytest.raises(RefusedError, match="clock was put forward"):
        moment("2026-03-29T02:30")
    night = datetime(2026, 10, 25, 2, 40, tzinfo=zone)
    with time_machine.travel(night.replace(fold=0)):
        assert moment("2026-10-25T02:30").fold == 0
    with time_machine.travel(night.replace(fold=1)):
        assert moment("2026-10-25T02:30").fold == 1


@pytest.mark.parametrize(
    "written",
    ["", "yesterday", "2026-13-01T00:00", "2026-07-01T12:00+02:00", "0001-01-01T00:00", "9999-12-31T23:59"],
)
def test_what_is_no_time_is_refused(case: Case, account: Account, telling: Telling, written: str) -> None:
    with pytest.raises(RefusedError):
        caseload.tell_result(account, case.pk, replace(telling, told_at=moment(written)))
