"""Filters of the worklist: what they leave, and that a wrong one is told and never ignored."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.http import QueryDict
from django.utils import timezone

from review import caseload
from review.caseload.filters import FIXED, FilterError, address, chosen, offers
from review.models import Account, Case, Choice

pytestmark = [pytest.mark.database, pytest.mark.django_db]
Make = Callable[..., Any]


@pytest.fixture
def cases(deliver: Make, version: Make, reading: Make, finding: Make) -> None:
    """Four open cases that differ in everything that filters ask for."""
    meningioma = finding(
        concept="MENINGIOMA", name="spinal meningioma", compartments=["intradural_extramedullary"],
        levels=["T10-L1"],
    )  # fmt: skip
    denied = finding(concept="ABSCESS", name="abscess", certainty="absent", levels=["C2"])
    deliver(version("A1", "stat", modality="MR"))
    deliver(
        version("A2", reading=reading("urgent", findings=[meningioma, denied]), modality="CT"), source="south"
    )
    deliver(version("A3", "soon"))
    deliver(version("A4", "unread", modality="MR"))


def listed(account: Account, query: str, **other: Any) -> list[str]:
    found = caseload.listed(account, QueryDict(query), **other)
    return [case.report.key for case in found.order_by("tier", "first_arrival", "id")]


@pytest.mark.parametrize(
    ("query", "keys"),
    [
        ("", "A1 A2 A3 A4"),
        ("tier=stat", "A1"),
        ("tier=stat&tier=unread", "A1 A4"),
        ("compartment=extradural", "A1 A3"),
        ("compartment=intradural_extramedullary&compartment=extradural", "A1 A2 A3"),
        ("level=T12", "A2"),
        ("level=L1&level=T6", "A1 A2 A3"),
        ("concept=MENINGIOMA", "A2"),
        ("modality=MR", "A1 A4"),
        ("modality=unknown", "A3"),
        ("modality=MR&modality=CT", "A1 A2 A4"),
        ("source=south", "A2"),
        ("modality=MR&tier=unread", "A4"),
        ("level=T12&tier=stat", ""),
        ("status=open", "A1 A2 A3 A4"),
        ("status=all&page=3&tier=", "A1 A2 A3 A4"),
        ("status=confirmed", ""),
        ("unclaimed=1", "A1 A2 A3 A4"),
        ("mine=1", ""),
        ("decided=today", ""),
    ],
)
def test_a_filter_leaves_what_it_says(cases: None, person: Make, query: str, keys: str) -> None:
    assert listed(person(), query) == keys.split()


def test_a_finding_that_is_denied_is_no_filter(cases: None, person: Make) -> None:
    assert "ABSCESS" not in offers(person())["concept"]
    assert listed(person(), "level=C2") == []


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ("tier=high", "expected stat, urgent, soon, unread"),
        ("level=T13", "'T13'"),
        ("age=2h", "expected 1h, 4h, 24h, 7d"),
        ("concept=NOTHING", "no case that came so far has this concept"),
        ("source=north", "no case that came so far has this source"),
        ("mine=yes", "'yes'"),
        ("colour=red", "no filter 'colour'; known are tier"),
        ("tier=stat&tier=%00", "'\\x00'"),
        ("status=stat", "'stat'"),
        ("decided=yesterday", "expected today"),
        ("search=1", "This search is over"),
        ("search=1&search=2", "This search is over"),
        ("level=" + "9" * 5000, "The filter 'level'"),
    ],
)
def test_a_wrong_filter_is_told_and_never_ignored(cases: None, person: Make, query: str, told: str) -> None:
    with pytest.raises(FilterError) as refusal:
        listed(person(), query)
    assert told in str(refusal.value)
    assert len(str(refusal.value)) < 250


@pytest.mark.parametrize(("age", "hours"), [("1h", 1), ("4h", 4), ("24h", 24), ("7d", 168)])
def test_the_age_of_a_case_is_that_of_its_first_arrival(
    cases: None, person: Make, age: str, hours: int
) -> None:
    account = person()
    arrived = Case.objects.get(report__key="A1").first_arrival
    with time_machine.travel(arrived + timedelta(hours=hours), tick=False):
        assert "A1" not in listed(account, f"age={age}")
    with time_machine.travel(arrived + timedelta(hours=hours, seconds=1), tick=False):
        assert "A1" in listed(account, f"age={age}")
        assert "A1" in listed(account, f"age={age}&age=7d")


def test_what_is_overdue_is_asked_of_each_tier(cases: None, person: Make) -> None:
    account = person()
    with time_machine.travel(timezone.now() + timedelta(minutes=16)):
        assert listed(account, "overdue=1") == ["A1"]
    with time_machine.travel(timezone.now() + timedelta(hours=25)):
        assert listed(account, "overdue=1") == ["A1", "A2", "A4"]


def test_mine_is_what_i_hold_or_was_assigned(cases: None, person: Make, case_of: Make) -> None:
    me, other = person(), person()
    caseload.claim(me, case_of("A1").pk)
    caseload.claim(other, case_of("A2").pk)
    Case.objects.filter(report__key="A3").update(assigned_to=me)
    assert listed(me, "mine=1") == ["A1", "A3"]
    assert listed(me, "unclaimed=1") == ["A3", "A4"]
    assert listed(me, "status=in_review") == ["A1", "A2"]
    assert listed(me, "status=waiting") == ["A3", "A4"]
    assert listed(me, "status=waiting&status=in_review") == ["A1", "A2", "A3", "A4"]
    with time_machine.travel(timezone.now() + timedelta(hours=1)):
        assert listed(me, "mine=1") == ["A3"]
        assert listed(me, "status=in_review") == []
        assert listed(me, "unclaimed=1") == ["A1", "A2", "A3", "A4"]


def test_decided_cases_are_found_by_status_and_day(cases: None, person: Make, case_of: Make) -> None:
    me = person()
    for key, verdict, reason in (("A1", "confirmed", ""), ("A3", "dismissed", "no_lesion")):
        caseload.claim(me, case_of(key).pk)
        caseload.decide(me, case_of(key).pk, case_of(key).reading.version_id, verdict, reason=reason)
    assert listed(me, "") == ["A2", "A4"]
    assert listed(me, "status=confirmed") == ["A1"]
    assert listed(me, "status=confirmed&status=dismissed") == ["A1", "A3"]
    assert listed(me, "status=dismissed&status=waiting") == ["A2", "A3", "A4"]
    assert listed(me, "decided=today") == ["A1", "A3"]
    assert listed(me, "decided=today&status=dismissed") == ["A3"]
    with time_machine.travel(timezone.now() + timedelta(days=1)):
        assert listed(me, "decided=today") == []


def test_a_confirmed_stat_case_is_to_be_told_until_somebody_was(
    cases: None, person: Make, case_of: Make
) -> None:
    me, case = person(), case_of("A1")
    caseload.claim(me, case.pk)
    caseload.decide(me, case.pk, case.reading.version_id, "confirmed")
    assert listed(me, "untold=1") == ["A1"]
    Case.objects.filter(pk=case.pk).update(is_to_tell=False)
    assert listed(me, "untold=1") == []


def test_a_person_sees_and_is_offered_only_what_their_sources_have(cases: None, person: Make) -> None:
    account = person(sources=("south",))
    assert listed(account, "status=all") == ["A2"]
    assert list(offers(account)["source"]) == ["south"]
    with pytest.raises(FilterError):
        listed(account, "source=inbox")


def test_what_waits_to_be_read_blind_is_found_by_no_mark(
    deliver: Make, version: Make, person: Make, case_of: Make
) -> None:
    deliver(version("A1", "soon"), version("A2", "soon"))
    from review.caseload.marks import mark

    Case.objects.filter(report__key="A1").update(is_blind=True)
    mark([case_of("A1")])
    for query in ("concept=EPI_MASS", "compartment=extradural", "level=T6"):
        assert listed(person(), query) == ["A2"]


def test_concepts_are_offered_by_the_newest_name(
    deliver: Make, version: Make, reading: Make, finding: Make, person: Make
) -> None:
    deliver(version("A1", "stat"))
    deliver(version("A2", reading=reading("stat", findings=[finding(name="epidural tumour")])))
    assert offers(person())["concept"] == {"EPI_MASS": "epidural tumour"}
    assert Choice.objects.filter(kind="concept").count() == 1


def test_an_address_has_its_filters_in_one_order_and_once(cases: None, person: Make) -> None:
    query = QueryDict("mine=1&tier=soon&tier=stat&tier=soon&level=&page=7")
    assert address(chosen(person(), query)) == "tier=soon&tier=stat&mine=1"


def test_every_filter_with_fixed_values_takes_each_of_them(cases: None, person: Make) -> None:
    account = person()
    for name, values in FIXED.items():
        for value in values:
            assert isinstance(listed(account, f"{name}={value}"), list)
