"""What administrators do with accounts, on the pages and by the functions that the commands use."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from review import accounts, administration, audit, caseload
from review.access import AccessError
from review.models import Account, AuditRow, Case
from tests.review.test_claims import race

pytestmark = [pytest.mark.database, pytest.mark.django_db]
Make = Callable[..., Any]


@pytest.fixture
def chief(person: Make) -> Account:
    account: Account = person("admin", name="chief")
    return account


@pytest.fixture
def desk(chief: Account) -> Client:
    client = Client()
    client.force_login(chief)
    return client


def last_row() -> AuditRow:
    return AuditRow.objects.latest("number")


def said(response: Any) -> str:
    return str(response.content.decode())


def test_an_account_is_made_and_its_password_shown_once(desk: Client, chief: Account) -> None:
    page = said(desk.post("/accounts/add/", {"name": "bob", "role": "radiologist"}))
    password = re.search(r"secret\">([0-9a-f-]+)<", page)
    assert password
    bob = Account.objects.get(username="bob")
    assert bob.check_password(password[1])
    assert (last_row().actor, last_row().subject) == (chief.actor, bob.actor)
    assert password[1] not in said(desk.get(f"/accounts/{bob.pk}/"))
    assert "already" in said(desk.post("/accounts/add/", {"name": "bob", "role": "lead"}, follow=True))
    assert "no role" in said(desk.post("/accounts/add/", {"name": "eve", "role": "boss"}, follow=True))


def test_roles_change_and_are_audited(desk: Client, person: Make) -> None:
    bob = person("radiologist")
    desk.post(f"/accounts/{bob.pk}/roles/", {"role": ["lead", "auditor"]})
    assert Account.objects.get(pk=bob.pk).roles == {"lead", "auditor"}
    assert last_row().detail.items() >= {"roles": ["auditor", "lead"]}.items()
    for wrong in ([], ["lead", "boss"]):
        assert "one or several" in said(desk.post(f"/accounts/{bob.pk}/roles/", {"role": wrong}, follow=True))
    assert Account.objects.get(pk=bob.pk).roles == {"lead", "auditor"}


def test_sources_limit_what_is_seen_and_are_not_named_in_the_audit(desk: Client, person: Make) -> None:
    bob = person("radiologist")
    desk.post(f"/accounts/{bob.pk}/sources/", {"sources": " north, south ,,\0"})
    assert Account.objects.get(pk=bob.pk).sources == ["north", "south"]
    assert last_row().detail.items() >= {"sources": 2, "before": 0}.items()
    desk.post(f"/accounts/{bob.pk}/sources/", {"sources": ""})
    assert Account.objects.get(pk=bob.pk).sources == []


def test_closing_frees_the_cases(  # noqa: PLR0917
    desk: Client, chief: Account, person: Make, deliver: Make, version: Make, case_of: Make
) -> None:
    deliver(version("A1"), version("A2"))
    bob = person()
    case, other = case_of("A1"), case_of("A2")
    caseload.claim(bob, case.pk)
    caseload.assign(bob, case.pk, bob.pk)
    caseload.assign(chief, other.pk, bob.pk)
    desk.post(f"/accounts/{bob.pk}/close/")
    assert (case_of("A1").status, case_of("A1").assigned_to) == ("waiting", None)
    assert case_of("A2").assigned_to is None
    released = AuditRow.objects.get(action="case.released")
    assert (released.actor, released.subject) == (chief.actor, f"case:{case.pk}")
    assert case_of("A1").events.filter(kind="released", account=chief).exists()
    assert last_row().detail.items() >= {"closed": True}.items()
    assert audit.verify()["faults"] == []
    desk.post(f"/accounts/{bob.pk}/open/")
    assert Account.objects.get(pk=bob.pk).is_active
    assert last_row().detail.items() >= {"closed": False}.items()


def test_who_may_not_decide_a_case_any_more_keeps_it_from_nobody(
    chief: Account, person: Make, deliver: Make, version: Make, case_of: Make
) -> None:
    deliver(version("N1"), version("N2"), source="north")
    deliver(version("S1"), source="south")
    bob = person()
    caseload.claim(bob, case_of("N1").pk)
    for key in ("N2", "S1"):
        caseload.assign(bob, case_of(key).pk, bob.pk)
    administration.set_sources(bob, ["south"], by=chief)
    assert not case_of("N1").is_claimed
    assert case_of("N2").assigned_to is None
    assert case_of("S1").assigned_to == bob
    administration.set_roles(bob, ["radiologist", "auditor"], by=chief)
    assert case_of("S1").assigned_to == bob
    administration.set_roles(bob, ["auditor"], by=chief)
    assert case_of("S1").assigned_to is None
    assert audit.verify()["faults"] == []


@pytest.mark.django_db(transaction=True)
def test_closing_an_account_while_it_decides_or_is_given_a_case_stops_neither(
    chief: Account, person: Make, deliver: Make, version: Make
) -> None:
    deliver(*(version(f"A{number}") for number in range(6)))
    lead = person("lead")
    cases = list(Case.objects.select_related("reading"))
    for case, free in zip(cases[:3], cases[3:], strict=True):
        bob, seen = person(), case.reading.version_id
        caseload.claim(bob, case.pk)
        results = race(
            [
                partial(administration.close, bob, by=chief),
                partial(caseload.decide, bob, case.pk, seen, "dismissed", reason="no_lesion"),
                partial(caseload.assign, lead, free.pk, bob.pk),
            ]
        )
        refused = [result for result in results if isinstance(result, Exception)]
        assert not [fault for fault in refused if not isinstance(fault, caseload.RefusedError)]
        assert not Case.objects.filter(assigned_to__is_active=False).exists()
    assert audit.verify()["faults"] == []


def test_the_last_administrator_stays(chief: Account, person: Make) -> None:
    with pytest.raises(AccessError, match="only administrator"):
        administration.close(chief, by=chief)
    with pytest.raises(AccessError, match="only administrator"):
        administration.set_roles(chief, ["lead"], by=chief)
    second = person("admin")
    administration.close(second, by=chief)
    with pytest.raises(AccessError, match="only administrator"):
        administration.set_roles(chief, ["lead"], by=chief)
    administration.reopen(second, by=chief)
    administration.set_roles(chief, ["lead"], by=chief)
    assert Account.objects.get(pk=chief.pk).roles == {"lead"}
    assert accounts.has_admin()


@pytest.mark.parametrize("act", ["close", "password", "second-factor"])
def test_nobody_does_this_to_the_own_account(desk: Client, chief: Account, person: Make, act: str) -> None:
    person("admin")
    before = AuditRow.objects.count()
    assert "your own account" in said(desk.post(f"/accounts/{chief.pk}/{act}/", follow=True))
    assert AuditRow.objects.count() == before


def test_a_new_first_password_must_be_changed(desk: Client, person: Make) -> None:
    bob = person()
    page = said(desk.post(f"/accounts/{bob.pk}/password/"))
    password = re.search(r"secret\">([0-9a-f-]+)<", page)
    assert password
    fresh = Account.objects.get(pk=bob.pk)
    assert fresh.check_password(password[1])
    assert fresh.must_change_password
    assert last_row().action == "account.password_changed"


def test_what_a_provider_keeps_is_not_changed_here(desk: Client, person: Make) -> None:
    bob = person()
    Account.objects.filter(pk=bob.pk).update(origin="ldap")
    for act in ("roles", "password"):
        page = said(desk.post(f"/accounts/{bob.pk}/{act}/", {"role": "admin"}, follow=True))
        assert "there." in page
    assert Account.objects.get(pk=bob.pk).roles == {"radiologist"}


def test_an_impossible_account_or_act_is_not_there(desk: Client, chief: Account) -> None:
    for url in ("/accounts/99999/close/", f"/accounts/{'9' * 30}/close/", f"/accounts/{chief.pk}/delete/"):
        assert desk.post(url).status_code == 404
    assert desk.get("/accounts/99999/").status_code == 404


def test_the_list_asks_the_database_no_more_often_when_it_is_long(desk: Client, person: Make) -> None:
    asked = []
    for _ in range(2):
        for _ in range(5):
            person()
        with CaptureQueriesContext(connection) as queries:
            desk.get("/accounts/")
        asked.append(len(queries))
    assert asked[0] == asked[1] < 15
