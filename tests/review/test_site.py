"""The configuration of the room of people is read strictly."""

from __future__ import annotations

from pathlib import Path

import pytest

from review import site

GOOD = """
name = "Here"
time_zone = "Europe/London"
allowed_hosts = ["localhost"]
claim_minutes = 15
viewer_link = "https://viewer.example/?uid={study_uid}"
"""


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SPINETRIAGE_CONFIG", str(tmp_path))
    return tmp_path


def test_a_good_site_is_read(config: Path) -> None:
    (config / "site.toml").write_text(GOOD)
    assert site.load_site().allowed_hosts == ("localhost",)


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('name = "Here"', "", "the key name is missing"),
        ('name = "Here"', 'name = "Here"\ncolour = "red"', "unknown key colour"),
        ('name = "Here"', "name = 3", "name is 3"),
        ("Europe/London", "Nowhere/Town", "time_zone"),
        ("Europe/London", "/etc/passwd", "time_zone"),
        ("Europe/London", "Europe", "time_zone"),
        ('["localhost"]', "[]", "allowed_hosts"),
        ('["localhost"]', '"localhost"', "allowed_hosts"),
        ("= 15", "= 0", "claim_minutes"),
        ("= 15", "= true", "claim_minutes"),
        ("= 15", '= "15"', "claim_minutes"),
        ("{study_uid}", "{patient_name}", "viewer_link"),
        ("{study_uid}", "{", "viewer_link"),
        ("https://", "javascript:", "viewer_link"),
        ("name =", "name ==", "cannot be read as TOML"),
    ],
)
def test_a_bad_site_is_refused_with_file_and_key(config: Path, old: str, new: str, told: str) -> None:
    (config / "site.toml").write_text(GOOD.replace(old, new))
    with pytest.raises(site.SiteError, match=r"site\.toml") as refused:
        site.load_site()
    assert told in str(refused.value)


def test_a_missing_file_is_told(config: Path) -> None:
    with pytest.raises(site.SiteError, match=r"deadlines\.toml is missing"):
        site.load_deadlines()


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[waiting_minutes]\nstat = 15\nurgent = 1\nsoon = 2", "waiting_minutes.unread is missing"),
        ("[waiting_minutes]\nstat = 15\nurgent = 1\nsoon = 2\nunread = -1", "waiting_minutes.unread is -1"),
        (
            "[waiting_minutes]\nstat = 15\nurgent = 1\nsoon = 2\nunread = 1\nlater = 1",
            "waiting_minutes.later",
        ),
        ("waiting_minutes = 5", "a table"),
    ],
)
def test_bad_deadlines_are_refused(config: Path, text: str, told: str) -> None:
    (config / "deadlines.toml").write_text(text)
    with pytest.raises(site.SiteError, match=told):
        site.load_deadlines()


def test_the_configuration_that_comes_with_the_program_is_good() -> None:
    assert site.load_site().claim_minutes > 0
    assert set(site.load_deadlines()) == {"stat", "urgent", "soon", "unread"}
