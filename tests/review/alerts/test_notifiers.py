"""Mail and webhook, against servers on this machine; and notifiers of a hospital's own."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
import sys
import time
import types
from collections.abc import Callable
from dataclasses import replace
from typing import Any, ClassVar

import pytest

from review import alerts
from review.alert_settings import Email, Webhook
from review.alerts import notifiers
from review.alerts.message import Message
from tests.servers import HookServer, MailServer, serving

Make = Callable[..., Any]
MESSAGE = Message("[Site] NEW: A run failed", "1 run failed: 20.0 → 50.0.\n", {"site": "Site", "alerts": []})


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(notifiers, "PAUSES", (0.0, 0.0))


@pytest.fixture
def mail(limits: Make) -> Make:
    def choose(server: MailServer, **other: Any) -> None:
        values = {
            "enabled": True,
            "to": ("on-call@example.org", "lead@example.org"),
            "sender": "triage@example.org",
            "host": "127.0.0.1",
            "port": server.port,
            "tls": "none",
            "user": "",
            "password": "",
        }
        limits(email=Email(**values | other))

    return choose


@pytest.fixture
def hook(limits: Make) -> Make:
    def choose(server: HookServer, token: str = "", secret: str = "") -> None:
        limits(webhook=Webhook(enabled=True, url=server.url, token=token, secret=secret))

    return choose


def deliver(name: str) -> str:
    return notifiers.deliver(notifiers.configured()[name], MESSAGE)


def test_as_shipped_nobody_is_told() -> None:
    assert notifiers.configured() == {}


def test_a_mail_goes_to_all_as_one_and_asks_for_no_answer(mail: Make) -> None:
    with serving(MailServer()) as server:
        mail(server)
        assert deliver("email") == ""
    assert len(server.mails) == 1
    sent = server.mails[0]
    assert sent["Subject"] == MESSAGE.subject
    assert sent["To"] == "on-call@example.org, lead@example.org"
    assert sent["From"] == "triage@example.org"
    assert sent["Auto-Submitted"] == "auto-generated"
    assert sent.get_content().splitlines() == MESSAGE.text.splitlines()
    assert server.logins == []


def test_a_user_logs_in_with_the_password(mail: Make) -> None:
    with serving(MailServer(user=True)) as server:
        mail(server, user="triage", password="open sesame")
        assert deliver("email") == ""
    assert base64.b64decode(server.logins[0]) == b"\0triage\0open sesame"


def test_a_mail_that_is_refused_is_tried_again_and_told_without_its_words(mail: Make) -> None:
    with serving(MailServer(refuse="550 Jane Doe has no mailbox")) as server:
        mail(server)
        assert deliver("email") == "SMTPSenderRefused"
    assert server.connections == 3
    assert server.mails == []


def test_a_server_without_tls_gets_no_mail_where_tls_was_asked_for(mail: Make) -> None:
    with serving(MailServer()) as server:
        mail(server, tls="starttls")
        assert deliver("email") == "SMTPNotSupportedError"
    assert server.mails == []


def test_a_webhook_gets_json_with_token_and_signature(hook: Make) -> None:
    with serving(HookServer()) as server:
        hook(server, token="pass-word", secret="shared")
        assert deliver("webhook") == ""
    path, headers, body = server.asked[0]
    assert path == "/alerts"
    assert headers["Content-Type"] == "application/json"
    assert headers["Authorization"] == "Bearer pass-word"
    assert json.loads(body) == MESSAGE.data | {"subject": MESSAGE.subject, "text": MESSAGE.text}
    signed = re.fullmatch(r"t=(\d+),sha256=([0-9a-f]{64})", headers["X-Spinetriage-Signature"])
    assert signed
    assert abs(time.time() - int(signed[1])) < 60
    assert signed[2] == hmac.new(b"shared", f"{signed[1]}.".encode() + body, hashlib.sha256).hexdigest()


def test_without_secrets_a_webhook_gets_no_such_headers(hook: Make) -> None:
    with serving(HookServer()) as server:
        hook(server)
        deliver("webhook")
    assert not {"Authorization", "X-Spinetriage-Signature"} & set(server.asked[0][1])


def test_a_webhook_is_tried_again_within_the_round(hook: Make) -> None:
    with serving(HookServer(503, 500)) as server:
        hook(server)
        assert deliver("webhook") == ""
    assert len(server.asked) == 3


def test_a_webhook_that_goes_on_failing_is_told_by_its_status(hook: Make) -> None:
    with serving(HookServer(503, 503, 503)) as server:
        hook(server)
        assert deliver("webhook") == "it answered with status 503"


def test_no_redirect_is_followed_with_the_token(hook: Make) -> None:
    with serving(HookServer(302, 302, 302)) as server:
        hook(server, token="pass-word")
        assert deliver("webhook") == "it answered with status 302"
    assert {path for path, _, _ in server.asked} == {"/alerts"}


def test_a_server_that_is_away_is_told_by_the_type_of_error(hook: Make) -> None:
    server = HookServer()
    hook(server)
    server.server_close()
    assert deliver("webhook") == "URLError (ConnectionRefusedError)"


class Pager:
    told: ClassVar[list[str]] = []

    def send(self, message: Message) -> None:
        if message.subject == "hang":
            time.sleep(5)
        self.told.append(message.subject)


@pytest.fixture
def pager(monkeypatch: pytest.MonkeyPatch, limits: Make) -> type[Pager]:
    module = types.ModuleType("hospital_pager")
    module.Pager = Pager  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "hospital_pager", module)
    monkeypatch.setattr(Pager, "told", [])
    limits(own=("hospital_pager.Pager",))
    return Pager


def test_a_notifier_of_ones_own_is_named_by_its_path(pager: type[Pager]) -> None:
    assert alerts.try_out() == {"hospital_pager.Pager": ""}
    assert pager.told == ["[Spinal lesion triage] Test of the alerts"]


def test_one_that_cannot_be_made_is_a_failure_as_any_other(pager: type[Pager], limits: Make) -> None:
    limits(own=("hospital_pager.Telephone",))
    assert deliver("hospital_pager.Telephone") == "ImportError"


def test_one_that_hangs_is_left_alone(pager: type[Pager], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(notifiers, "LONGEST", 0.05)
    monkeypatch.setattr(notifiers, "PAUSES", ())
    wrong = notifiers.deliver(
        notifiers.configured()["hospital_pager.Pager"], replace(MESSAGE, subject="hang")
    )
    assert wrong.startswith("it did not end within")


def test_one_that_fails_stops_no_other(
    pager: type[Pager], hook: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    with serving(HookServer(500, 500, 500)) as server:
        hook(server)
        found = alerts.try_out()
    assert found == {"webhook": "it answered with status 500", "hospital_pager.Pager": ""}
