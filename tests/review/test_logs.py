"""Log lines: for programs and for people, with ids, and without what an exception says."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from review import logs
from review.site import SiteError

Make = Callable[..., Any]


def record(message: str = "shard stored", *args: object, error: Exception | None = None) -> logging.LogRecord:
    caught: Any = None
    if error is not None:
        try:
            raise error
        except Exception:
            caught = sys.exc_info()
    return logging.LogRecord("spinetriage.flows", logging.WARNING, "x.py", 1, message, args, caught)


def as_json(message: str = "shard stored", *args: object, error: Exception | None = None) -> Any:
    line = logs.JsonFormatter().format(record(message, *args, error=error))
    assert "\n" not in line
    return json.loads(line)


def test_a_line_for_programs_says_when_how_grave_who_and_about_what() -> None:
    with logs.about(run=4), logs.about(shard=7):
        line = as_json("shard stored: %s queued", 3)
    assert line.pop("time").endswith("+00:00")
    assert line == {
        "level": "warning",
        "logger": "spinetriage.flows",
        "message": "shard stored: 3 queued",
        "run": 4,
        "shard": 7,
    }
    assert "run" not in as_json()


def test_a_line_for_people_is_short() -> None:
    with logs.about(run=4):
        line = logs.TextFormatter().format(record())
    assert line.endswith("WARNING spinetriage.flows: shard stored (run 4)")


@pytest.mark.parametrize("formatter", [logs.JsonFormatter(), logs.TextFormatter()])
def test_of_an_exception_the_type_and_the_places_are_told_and_not_its_words(
    formatter: logging.Formatter,
) -> None:
    line = formatter.format(record(error=ValueError("Jane Doe")))
    assert "ValueError" in line
    assert "test_logs.py" in line
    assert "Jane" not in line


def test_nobody_can_write_a_line_of_their_own() -> None:
    line = logs.TextFormatter().format(record("asked for %s", "a\n12:00:00 ERROR all is well\x1b[2J"))
    assert "\n" not in line
    assert "\x1b" not in line


def test_a_pseudonym_is_the_same_for_the_same_and_needs_our_key(settings: Any) -> None:
    first = logs.pseudonym("4711")
    assert first == logs.pseudonym("4711") != logs.pseudonym("4712")
    assert "4711" not in first
    settings.LOG_KEY = "x" * 40
    assert logs.pseudonym("4711") != first


def test_lines_are_for_people_at_a_terminal_and_for_programs_elsewhere(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("SPINETRIAGE_LOG", raising=False)
    for is_terminal, form in ((True, "text"), (False, "json")):
        monkeypatch.setattr(sys.stderr, "isatty", lambda is_terminal=is_terminal: is_terminal)
        assert logs.form() == form
    monkeypatch.setenv("SPINETRIAGE_LOG", "text")
    assert isinstance(logs.formatter(), logs.TextFormatter)


@pytest.mark.parametrize(
    ("name", "asked"), [("SPINETRIAGE_LOG", logs.form), ("SPINETRIAGE_LOG_LEVEL", logs.level)]
)
def test_a_wrong_setting_refuses_the_start(
    monkeypatch: pytest.MonkeyPatch, name: str, asked: Callable[[], str]
) -> None:
    monkeypatch.setenv(name, "loud")
    with pytest.raises(SiteError, match=f"{name} is 'loud'; expected one of"):
        asked()


@pytest.mark.parametrize(
    ("logger", "level", "wanted"),
    [
        ("spinetriage.flows", logging.INFO, False),
        ("spinetriage.flows", logging.WARNING, True),
        ("prefect.flow_runs", logging.ERROR, False),
        ("waitress", logging.ERROR, True),
    ],
)
def test_a_command_writes_what_may_need_somebody_and_leaves_prefect_out_where_it_tells_itself(
    monkeypatch: pytest.MonkeyPatch, logger: str, level: int, wanted: bool
) -> None:
    monkeypatch.delenv("SPINETRIAGE_LOG_LEVEL", raising=False)
    monkeypatch.setenv("PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL", "CRITICAL")
    line = logging.LogRecord(logger, level, "x.py", 1, "said", (), None)
    assert logs.Wanted().filter(line) is wanted


@pytest.mark.django_db
def test_a_page_is_one_line_without_what_was_asked_for(enter: Make, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "spinetriage.pages")
    client = enter("lead")
    client.get("/worklist/?page=4711")
    client.get("/worklist/?q=Jane-Doe")
    client.post("/worklist/search/", {"words": "Jane-Doe"})
    client.get("/case/4711/Jane-Doe/")
    client.get("/Jane-Doe/")
    said = [one.getMessage() for one in caplog.records if one.name == "spinetriage.pages"]
    assert said[0].startswith("GET /worklist/: 200 in ")
    assert "account:" in said[0]
    assert len(said) == 4
    assert not [line for line in said if "Jane" in line or "?" in line]


def test_a_page_that_renews_itself_and_a_monitor_are_no_news(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "spinetriage.pages")
    Client().get("/health/")
    assert [one.levelno for one in caplog.records if one.name == "spinetriage.pages"] == [logging.DEBUG]


def test_a_host_that_is_not_ours_is_one_line(caplog: pytest.LogCaptureFixture) -> None:
    assert Client().get("/health/", headers={"host": "evil.example"}).status_code == 400
    said = [one for one in caplog.records if one.name == "django.security.DisallowedHost"]
    assert [one.getMessage() for one in said] == [
        "a request named the host 'evil.example', which is not in allowed_hosts of site.toml"
    ]
    assert said[0].exc_info is None
