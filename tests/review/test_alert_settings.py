"""The configuration of alerts is read strictly."""

from __future__ import annotations

from pathlib import Path

import pytest

from review import alert_settings
from review.models import Alert
from review.site import ROOT, SiteError

SHIPPED = (ROOT / "config/alerts.toml").read_text()
MAIL = (
    SHIPPED.replace("[email]\nenabled = false", "[email]\nenabled = true")
    .replace("to = []  ", 'to = ["on-call@example.org"]  ')
    .replace('from = ""', 'from = "triage@example.org"')
)
USER = MAIL.replace('user = ""', 'user = "triage"')
HOOK = SHIPPED.replace("[webhook]\nenabled = false", "[webhook]\nenabled = true").replace(
    'url = ""', 'url = "https://alerts.example.org/in"'
)


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SPINETRIAGE_CONFIG", str(tmp_path))
    monkeypatch.setenv("SPINETRIAGE_VAR", str(tmp_path / "var"))
    for name in ("SMTP_PASSWORD", "WEBHOOK_TOKEN", "WEBHOOK_SECRET"):
        monkeypatch.delenv(f"SPINETRIAGE_{name}", raising=False)
    return tmp_path / "alerts.toml"


def test_what_comes_with_the_program_looks_for_everything_and_tells_nobody() -> None:
    shipped = alert_settings.load_alerts()
    assert not (shipped.email.enabled or shipped.webhook.enabled or shipped.own)
    assert all(getattr(shipped.causes, cause).on for cause in Alert.Cause.values)


def test_mail_webhook_and_a_class_of_ones_own_can_be_configured(
    config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config.write_text(
        USER.replace("[webhook]\nenabled = false", "[webhook]\nenabled = true")
        .replace('url = ""', 'url = "http://localhost:9999/"')
        .replace("classes = []", 'classes = ["json.JSONEncoder"]')
    )
    monkeypatch.setenv("SPINETRIAGE_SMTP_PASSWORD", "open sesame")
    monkeypatch.setenv("SPINETRIAGE_WEBHOOK_TOKEN", "pass-word")
    found = alert_settings.load_alerts()
    assert found.email.to == ("on-call@example.org",)
    assert found.email.password == "open sesame"
    assert found.webhook.token == "pass-word"
    assert found.own == ("json.JSONEncoder",)


def test_a_password_may_stand_in_a_file_that_is_private(config: Path) -> None:
    config.write_text(USER)
    file = config.parent / "var/secrets/smtp"
    file.parent.mkdir(parents=True)
    file.write_text("open sesame\n")
    file.chmod(0o644)
    with pytest.raises(SiteError, match="can be read by others"):
        alert_settings.load_alerts()
    file.chmod(0o600)
    assert alert_settings.load_alerts().email.password == "open sesame"


@pytest.mark.parametrize(
    ("text", "old", "new", "told"),
    [
        (SHIPPED, "remind_hours = 12", "", "the key remind_hours is missing"),
        (SHIPPED, "remind_hours = 12", "remind_hours = 12\nremind = 1", "unknown key remind"),
        (SHIPPED, "remind_hours = 12", "remind_hours = 0", "remind_hours is 0; a whole number above 0"),
        (SHIPPED, 'pages = ""', 'pages = "triage"', "pages is 'triage'; an address"),
        (SHIPPED, "[causes.rules]", "[causes.rule]", "causes.rule"),
        (SHIPPED, "minutes = 30             #", "minutes = 1.5 #", "causes.no_run.minutes is 1.5"),
        (SHIPPED, "chance = 0.001", "chance = 5", "causes.drift.chance is 5; a number between 0 and 1"),
        (SHIPPED, "on = true", "on = 1", "causes.run_failed.on is 1; true or false"),
        (MAIL, '"on-call@example.org"', '"on-call"', "email.to has 'on-call'"),
        (MAIL, '["on-call@example.org"]', "[]", "email.to is empty"),
        (MAIL, '["on-call@example.org"]', '"on-call@example.org"', "a list of texts in quotes was expected"),
        (MAIL, '"triage@example.org"', '""', "email.from has ''"),
        (MAIL, 'from = "triage@example.org"', "", "email.from is None"),
        (MAIL, 'host = "localhost"', 'host = ""', "email.host is empty"),
        (MAIL, '"starttls"', '"ssl"', "email.tls is 'ssl'; expected one of starttls, tls, none"),
        (USER, 'user = "triage"', 'user = "triage"', "there is no password"),
        (HOOK, "https://alerts", "http://alerts", "starts with https://"),
        (HOOK, '"https://alerts.example.org/in"', '""', "starts with https://"),
        (SHIPPED, "classes = []", 'classes = ["Pager"]', "the dotted path of a class"),
        (SHIPPED, "classes = []", 'classes = ["no_such.Pager"]', "whose module Python finds"),
    ],
)
def test_bad_alerts_are_refused_with_file_and_key(
    config: Path, text: str, old: str, new: str, told: str
) -> None:
    assert old in text
    config.write_text(text.replace(old, new, 1))
    with pytest.raises(SiteError, match=r"alerts\.toml") as refused:
        alert_settings.load_alerts()
    assert told in str(refused.value)


def test_a_password_is_not_sent_in_clear_to_another_machine(
    config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SPINETRIAGE_SMTP_PASSWORD", "open sesame")
    clear = USER.replace('tls = "starttls"', 'tls = "none"')
    config.write_text(clear)
    assert alert_settings.load_alerts().email.enabled
    config.write_text(clear.replace('host = "localhost"', 'host = "mail.example.org"'))
    with pytest.raises(SiteError, match="in clear"):
        alert_settings.load_alerts()
