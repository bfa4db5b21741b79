"""Coming in with a password: locks, ends of sessions, first passwords."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import time_machine
from axes.models import AccessAttempt
from django.conf import settings
from django.db import connection
from django.test import Client
from django.utils import timezone

from review import accounts, administration
from review.logins import Lockout
from review.models import Account, AuditRow

pytestmark = [pytest.mark.database, pytest.mark.django_db]
Make = Callable[..., Any]
GOOD = "violet harbour stamp"
LIMITS = Lockout(minutes=15, attempts=3, attempts_on_name=6, attempts_from_address=8)


@pytest.fixture(autouse=True)
def limits(settings: Any) -> None:
    settings.LOGINS = replace(settings.LOGINS, lockout=LIMITS)
    settings.AXES_FAILURE_LIMIT = LIMITS.attempts


@pytest.fixture
def ann(person: Make) -> Account:
    account: Account = person(name="ann")
    account.set_password(GOOD)
    account.save()
    return account


@pytest.fixture
def admin(person: Make) -> Account:
    account: Account = person("admin", name="chief")
    return account


def enter(name: str = "ann", password: str = GOOD, *, client: Client | None = None, **extra: Any) -> Any:
    return (client or Client()).post("/login/", {"username": name, "password": password}, **extra)


def fail(times: int, name: str = "ann", **extra: Any) -> Any:
    for _ in range(times):
        response = enter(name, "wrong", **extra)
    return response


def at_rows(action: str) -> list[str]:
    return list(AuditRow.objects.filter(action=action).order_by("number").values_list("subject", flat=True))


def test_a_first_password_opens_nothing_but_its_change() -> None:
    first = accounts.add_user("bob", "lead")
    client = Client()
    response = client.post("/login/", {"username": "bob", "password": first}, follow=True)
    assert response.redirect_chain[-1][0] == "/password/"
    for url in ("/worklist/", "/second-factor/"):
        assert client.get(url)["Location"] == "/password/"
    assert client.post("/case/next/")["Location"] == "/password/"
    weak = {"old_password": first, "new_password1": "password1234", "new_password2": "password1234"}
    assert "too common" in client.post("/password/", weak).content.decode()
    assert client.get("/worklist/").status_code == 302
    good = weak | {"new_password1": GOOD, "new_password2": GOOD}
    client.post("/password/", good)
    assert client.get("/worklist/").status_code == 200
    assert enter("bob").status_code == 302
    assert enter("bob", first).status_code == 200


def test_coming_going_and_failing_to_come_are_audited_without_what_was_typed(ann: Account) -> None:
    client = Client()
    fail(1, client=client)
    fail(1, "hunter2", client=client)
    enter(client=client)
    client.post("/logout/")
    rows = list(AuditRow.objects.order_by("-number")[:4])[::-1]
    assert [(row.action, row.subject) for row in rows] == [
        ("account.login_failed", ann.actor),
        ("account.login_failed", "account:unknown"),
        ("account.logged_in", ann.actor),
        ("account.logged_out", ann.actor),
    ]
    assert "hunter2" not in str([vars(row) for row in rows])


@pytest.mark.parametrize("name", ["ann", "nobody"])
def test_too_many_wrong_passwords_lock_every_name_alike(ann: Account, name: str) -> None:
    assert fail(LIMITS.attempts - 1, name).status_code == 200
    response = fail(1, name)
    assert response.status_code == 429
    assert f"for the next {LIMITS.minutes} minutes" in response.content.decode()
    assert enter(name).status_code == 429
    subject = ann.actor if name == "ann" else "account:unknown"
    assert at_rows("account.locked") == [subject]
    assert at_rows("account.login_failed") == [subject] * LIMITS.attempts  # trying on adds no rows


def test_a_lock_ends_by_itself_and_a_login_forgets_the_failures(ann: Account) -> None:
    fail(LIMITS.attempts)
    with time_machine.travel(timezone.now() + timezone.timedelta(minutes=LIMITS.minutes, seconds=1)):
        assert enter().status_code == 302
        assert fail(LIMITS.attempts - 1).status_code == 200


def test_a_name_locked_at_one_computer_still_opens_at_another(ann: Account) -> None:
    assert fail(LIMITS.attempts, REMOTE_ADDR="10.0.0.1").status_code == 429
    assert enter(REMOTE_ADDR="10.0.0.2").status_code == 302


def test_a_name_tried_from_everywhere_is_locked_everywhere(ann: Account) -> None:
    each = LIMITS.attempts - 1
    for number in range(-(-LIMITS.attempts_on_name // each)):
        fail(each, REMOTE_ADDR=f"10.0.0.{number}")
    assert enter(REMOTE_ADDR="10.0.1.1").status_code == 429


def test_an_address_that_tries_many_names_is_locked_and_a_login_does_not_clear_it(ann: Account) -> None:
    for number in range(LIMITS.attempts_from_address - 1):
        fail(1, f"name{number}")
    assert enter().status_code == 302
    assert fail(1, "another").status_code == 429
    assert enter().status_code == 429


def test_nothing_that_was_typed_is_kept_or_logged(ann: Account, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    for logger in ("axes", "django"):
        logging.getLogger(logger).addHandler(caplog.handler)
    Client().post("/login/?next=/runs/", {"username": "my secret word", "password": "other secret"})
    fail(LIMITS.attempts, "my secret word", REMOTE_ADDR="10.9.8.7")
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")  # noqa: S608 - names of tables
            kept = str(cursor.fetchall())
            assert "secret word" not in kept, table
            assert "other secret" not in kept, table
    assert AccessAttempt.objects.count() == 2
    for handler_of in ("axes", "django"):
        logging.getLogger(handler_of).removeHandler(caplog.handler)
    assert "secret" not in caplog.text
    assert "10.9.8.7" not in caplog.text


def test_an_administrator_unlocks_an_account(ann: Account, admin: Account) -> None:
    fail(LIMITS.attempts)
    client = Client()
    client.force_login(admin)
    assert "locked" in client.get("/accounts/").content.decode()
    client.post(f"/accounts/{ann.pk}/unlock/")
    assert "◆" not in client.get("/accounts/").content.decode()
    assert enter().status_code == 302


def test_a_session_ends_after_a_pause_and_after_a_shift(ann: Account) -> None:
    now = timezone.now()
    idle = timezone.timedelta(minutes=settings.LOGINS.idle_minutes)
    client = Client()
    with time_machine.travel(now, tick=False) as clock:
        enter(client=client)
        clock.shift(idle - timezone.timedelta(seconds=1))
        assert client.get("/worklist/").status_code == 200
        clock.shift(idle)
        response = client.get("/worklist/?tier=stat", follow=True)
        assert response.redirect_chain[-1][0] == "/login/?next=/worklist/%3Ftier%3Dstat"
        assert "without a click" in response.content.decode()
        enter(client=client)
        start = timezone.now()
        while timezone.now() - start < timezone.timedelta(hours=settings.LOGINS.session_hours) - idle / 2:
            assert client.get("/worklist/").status_code == 200
            clock.shift(idle / 2)
        clock.shift(idle / 2)
        assert "hours after your login" in client.get("/worklist/", follow=True).content.decode()


@pytest.mark.parametrize("header", [{"HX-Request": "true"}, {"X-By-Itself": "1"}])
def test_a_page_that_renews_itself_keeps_nobody_logged_in(ann: Account, header: dict[str, str]) -> None:
    client = Client()
    with time_machine.travel(timezone.now(), tick=False) as clock:
        enter(client=client)
        for _ in range(settings.LOGINS.idle_minutes - 1):
            clock.shift(60)
            assert client.get("/worklist/", headers=header).status_code == 200
        clock.shift(60)
        response = client.get("/worklist/", headers=header)
    assert response.get("HX-Redirect", response.get("Location")).startswith("/login/")


def test_a_part_of_a_page_asked_for_without_login_leads_the_whole_page_to_the_login() -> None:
    response = Client().get("/worklist/", headers={"HX-Request": "true"})
    assert response["HX-Redirect"] == "/login/"
    assert not response.content


def test_after_a_new_password_other_sessions_end(ann: Account) -> None:
    here, there = Client(), Client()
    enter(client=here)
    enter(client=there)
    new = "amber window clock"
    here.post("/password/", {"old_password": GOOD, "new_password1": new, "new_password2": new})
    assert here.get("/worklist/").status_code == 200
    assert there.get("/worklist/").status_code == 302
    assert enter(password=GOOD).status_code == 200
    assert enter(password=new).status_code == 302


def test_a_closed_account_is_out_at_once_and_its_old_session_stays_out_when_it_opens(
    ann: Account, admin: Account
) -> None:
    client = Client()
    enter(client=client)
    administration.close(ann, by=admin)
    assert client.get("/worklist/").status_code == 302
    assert "opens no account" in enter().content.decode()
    administration.reopen(ann, by=admin)
    assert client.get("/worklist/").status_code == 302
    assert enter().status_code == 302


def test_a_login_leads_nowhere_outside(ann: Account) -> None:
    response = Client().post(
        "/login/?next=https://evil.example/",
        {"username": "ann", "password": GOOD, "next": "https://evil.example/"},
    )
    assert response["Location"] == "/"


def test_an_account_of_the_hospital_s_login_has_no_password_here(ann: Account) -> None:
    Account.objects.filter(pk=ann.pk).update(origin=Account.Origin.OIDC)
    assert "opens no account" in enter().content.decode()
    client = Client()
    client.force_login(Account.objects.get(pk=ann.pk))
    for url in ("/password/", "/second-factor/", "/second-factor/on/", "/password/again/"):
        response = client.get(url)
        assert response.status_code == 403
        assert re.search("hospital.*login", response.content.decode())
