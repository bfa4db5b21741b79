"""The code of a telephone beside the password."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import time_machine
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from django.test import Client

from review import administration
from review.models import Account, AuditRow

pytestmark = [pytest.mark.database, pytest.mark.django_db]
Make = Callable[..., Any]
GOOD = "violet harbour stamp"


@pytest.fixture
def ann(person: Make) -> Account:
    account: Account = person("lead", name="ann")
    account.set_password(GOOD)
    account.save()
    return account


def enter(client: Client, **more: str) -> Any:
    return client.post("/login/", {"username": "ann", "password": GOOD} | more)


def code(secret: str) -> str:
    return format_hotp_value(hotp_value(secret, int(time.time()) // 30))


def turn_on(client: Client) -> str:
    """Set the second factor up as a person does; return its secret."""
    assert client.get("/second-factor/on/")["Location"].startswith("/password/again/")
    client.post("/password/again/?next=/second-factor/on/", {"password": GOOD})
    page = client.get("/second-factor/on/").content.decode()
    found = re.search(r"<code class=\"secret\">(\w+)<", page)
    assert found
    picture = client.get("/second-factor/picture.svg")
    assert picture["Content-Type"] == "image/svg+xml"
    assert b"style" not in picture.content
    assert client.post("/second-factor/on/", {"code": "000000"}).status_code == 200
    assert client.post("/second-factor/on/", {"code": code(found[1])})["Location"] == "/second-factor/codes/"
    return found[1]


def test_it_is_turned_on_asked_for_and_turned_off(ann: Account) -> None:
    client = Client()
    enter(client)
    secret = turn_on(client)
    page = client.get("/second-factor/codes/").content.decode()
    recovery = re.findall(r"<li>([0-9 -]{8,})</li>", page)
    assert len(recovery) == 10
    assert secret not in str(list(Authenticator.objects.values()))
    other = Client()
    with time_machine.travel(time.time() + 60):
        assert enter(other, next="/runs/")["Location"] == "/login/code/"
        assert other.get("/worklist/").status_code == 302
        assert b"Incorrect code" in other.post("/login/code/", {"code": "123456"}).content
        assert other.post("/login/code/", {"code": code(secret)})["Location"] == "/runs/"
        assert other.get("/runs/").status_code == 200
        again = Client()
        enter(again)
        assert again.post("/login/code/", {"code": code(secret)}).status_code == 200  # a code is good once
        assert again.post("/login/code/", {"code": recovery[0]}).status_code == 302
        once_more = Client()
        enter(once_more)
        assert once_more.post("/login/code/", {"code": recovery[0]}).status_code == 200
    client.post("/second-factor/off/")
    assert not Authenticator.objects.exists()
    rows = AuditRow.objects.filter(action="account.second_factor").order_by("number")
    assert [(row.subject, row.detail["what"], row.detail["on"]) for row in rows] == [
        (ann.actor, "totp", True),
        (ann.actor, "recovery_codes", True),
        (ann.actor, "totp", False),
        (ann.actor, "recovery_codes", False),
    ]
    assert secret not in str([row.detail for row in rows])


def test_guessing_codes_is_stopped(ann: Account) -> None:
    client = Client()
    enter(client)
    secret = turn_on(client)
    with time_machine.travel(time.time() + 90):
        other = Client()
        enter(other)
        for _ in range(5):
            other.post("/login/code/", {"code": "123456"})
        page = other.post("/login/code/", {"code": code(secret)}).content.decode()
        assert "Too many" in page
        assert other.get("/worklist/").status_code == 302


def test_a_role_that_needs_it_does_nothing_before(ann: Account, settings: Any) -> None:
    settings.LOGINS = replace(settings.LOGINS, second_factor=frozenset({"lead"}))
    client = Client()
    enter(client)
    for url in ("/", "/worklist/", "/second-factor/off/"):
        assert client.get(url)["Location"] == "/second-factor/on/"
    assert client.post("/case/next/")["Location"] == "/second-factor/on/"
    turn_on(client)
    assert client.get("/worklist/").status_code == 200
    client.post("/second-factor/off/")
    assert client.get("/worklist/")["Location"] == "/second-factor/on/"


def test_a_role_that_does_not_need_it_is_not_asked(ann: Account, settings: Any) -> None:
    settings.LOGINS = replace(settings.LOGINS, second_factor=frozenset({"admin"}))
    client = Client()
    enter(client)
    assert client.get("/worklist/").status_code == 200


def test_an_administrator_resets_a_lost_one(ann: Account, person: Make) -> None:
    client, chief = Client(), person("admin")
    enter(client)
    turn_on(client)
    administration.reset_second_factor(ann, by=chief)
    assert client.get("/worklist/").status_code == 302
    assert enter(Client())["Location"] == "/"
    row = AuditRow.objects.filter(action="account.second_factor").latest("number")
    assert (row.actor, row.subject, row.detail["on"]) == (chief.actor, ann.actor, False)
    with pytest.raises(administration.AccessError, match="no second factor"):
        administration.reset_second_factor(ann, by=chief)


def test_nobody_reaches_the_question_without_a_password() -> None:
    assert Client().get("/login/code/")["Location"].startswith("/login/")
    assert Client().post("/login/code/", {"code": "123456"})["Location"].startswith("/login/")
