"""What protects the pages on the way: Django's own checks, cookies, headers, the pace of one account."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.utils import timezone

from review.logins import Pace
from review.models import Use

Make = Callable[..., Any]
# What only TLS brings: HSTS, redirects to https, secure cookies.
OF_TLS = {"security.W004", "security.W008", "security.W012", "security.W016"}


def checked(tls: str, folder: Path) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {
        "DJANGO_SETTINGS_MODULE": "review.settings",
        "SPINETRIAGE_TLS": tls,
        "SPINETRIAGE_VAR": str(folder),
    }
    command = [sys.executable, "-m", "django", "check", "--deploy"]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=True)


def test_django_s_checks_find_nothing_behind_tls(tmp_path: Path) -> None:
    done = checked("1", tmp_path)
    assert "no issues" in done.stdout
    assert not done.stderr


def test_without_tls_they_find_what_tls_brings_and_nothing_else(tmp_path: Path) -> None:
    assert set(re.findall(r"\((\w+\.W\d+)\)", checked("", tmp_path).stderr)) == OF_TLS


@pytest.mark.database
@pytest.mark.django_db
def test_a_host_that_is_not_allowed_is_told_where_it_is_allowed() -> None:
    response = Client(headers={"host": "triage.example.org"}).get("/login/")
    assert response.status_code == 400
    assert "allowed_hosts" in response.content.decode()


def test_cookies_are_bound_to_this_host_behind_tls(tmp_path: Path) -> None:
    show = (
        "from review import settings as s; print(s.SESSION_COOKIE_NAME, s.CSRF_COOKIE_NAME, "
        "s.SESSION_COOKIE_SECURE, s.CSRF_COOKIE_SECURE, s.SESSION_COOKIE_HTTPONLY)"
    )
    environment = os.environ | {"SPINETRIAGE_TLS": "1", "SPINETRIAGE_VAR": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", show], env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["__Host-sessionid", "__Host-csrftoken", "True", "True", "True"]


@pytest.mark.database
@pytest.mark.django_db
def test_a_page_is_no_part_of_another_s_window_or_cache() -> None:
    response = Client().get("/login/")
    assert response["Cross-Origin-Opener-Policy"] == "same-origin"
    assert response["Referrer-Policy"] == "same-origin"
    assert response["X-Frame-Options"] == "DENY"
    assert response["Cache-Control"] == "no-store"


@pytest.mark.database
@pytest.mark.django_db
def test_who_asks_too_often_waits_for_the_next_minute(person: Make, settings: Any) -> None:
    settings.LOGINS = replace(settings.LOGINS, pace=Pace(searches=3, exports=2))
    ann, bob = Client(), Client()
    ann.force_login(person("lead"))
    bob.force_login(person("lead"))
    start = timezone.now().replace(second=5)
    with time_machine.travel(start, tick=False) as clock:
        asked = [ann.get("/worklist/export/").status_code for _ in range(4)]
        assert asked == [200, 200, 429, 429]
        refused = ann.get("/worklist/export/")
        assert "Too fast" in refused.content.decode()
        assert refused["Retry-After"] == "60"
        assert bob.get("/worklist/export/").status_code == 200
        assert ann.post("/worklist/search/", {"words": "mass"}).status_code == 302
        clock.shift(timedelta(minutes=1))
        assert ann.get("/worklist/export/").status_code == 200
    assert Use.objects.count() == 3  # one row for each account and kind, whatever the time
