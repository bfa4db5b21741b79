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
late_minutes = 20
viewer_link = "https://viewer.example/?uid={study_uid}"

[every_minutes]
triage = 5
deadlines = 6
quality_sample = 1440
alerts = 5
[at]
nightly = "01:30"
housekeeping = "saturday 23:05"
[quality]
share = 0.01
seed = "here"
blind_soon_share = 0
[retention_days]
routine_reports = 3650
decided_cases = 0
settled_bytes = 30
studies = 0
outcome_tables = 365
prefect_history = 90
"""
GOOD_DEADLINES = """
rejected_minutes = 240
[waiting_minutes]
stat = 15
urgent = 240
soon = 2880
unread = 1440
[again_minutes]
stat = 5
urgent = 30
soon = 480
unread = 241
[lead_minutes]
stat = 16
urgent = 120
soon = 1441
unread = 482
"""


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SPINETRIAGE_CONFIG", str(tmp_path))
    return tmp_path


def test_a_good_site_is_read(config: Path) -> None:
    (config / "site.toml").write_text(GOOD)
    read = site.load_site()
    assert read.allowed_hosts == ("localhost",)
    assert {key: time.cron for key, time in read.at.items()} == {
        "nightly": "30 1 * * *",
        "housekeeping": "5 23 * * 6",
    }
    assert [str(time) for time in read.at.values()] == ["daily at 01:30", "Saturdays at 23:05"]
    assert read.quality == site.Quality(share=0.01, seed="here", blind_soon_share=0.0)
    assert (read.retention_days.routine_reports, read.retention_days.decided_cases) == (3650, 0)


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
        ('["localhost"]', '["https://triage.example"]', "without https:// and port was expected"),
        ('["localhost"]', '["triage.example:8000"]', "allowed_hosts"),
        ('["localhost"]', '["*"]', "allowed_hosts"),
        ("= 15", "= 525601", "claim_minutes is 525601; a whole number of minutes above 0"),
        ("deadlines = 6", "deadlines = 99999999999999999999", "at most a year's"),
        ("{study_uid}", "{study_uid!r}", "viewer_link"),
        ("{study_uid}", "{study_uid:>99999999}", "viewer_link"),
        ("https://viewer.example/", "https://", "viewer_link"),
        ("https://viewer.example/", "https://[", "viewer_link"),
        ("= 15", "= 0", "claim_minutes"),
        ("= 15", "= true", "claim_minutes"),
        ("= 15", '= "15"', "claim_minutes"),
        ("= 20", "= 0", "late_minutes"),
        ("= 20", "= 5", "more than every_minutes.triage (5) was expected"),
        ("late_minutes = 20", "", "the key late_minutes is missing"),
        ("deadlines = 6", "deadlines = 0", "every_minutes.deadlines is 0"),
        ("deadlines = 6", "", "the key every_minutes.deadlines is missing"),
        ("deadlines = 6", "deadlines = 6\nnightly = 1", "unknown key every_minutes.nightly"),
        ("[every_minutes]", "[each]", "unknown key each"),
        ('"01:30"', '"24:00"', "at.nightly is '24:00'"),
        ('"01:30"', '"1:30"', 'a time of day such as "02:00"'),
        ('"01:30"', "130", "at.nightly is 130"),
        ('"saturday 23:05"', '"caturday 23:05"', "at.housekeeping is 'caturday 23:05'"),
        ('nightly = "01:30"', "", "the key at.nightly is missing"),
        ("[at]", "[at]\nnoon = '12:00'", "unknown key at.noon"),
        ("{study_uid}", "{patient_name}", "viewer_link"),
        ("{study_uid}", "{", "viewer_link"),
        ("https://", "javascript:", "viewer_link"),
        ("name =", "name ==", "cannot be read as TOML"),
        ("share = 0.01", "share = 5", "quality.share is 5; a share from 0 to 1"),
        ("share = 0.01", "share = -0.1", "quality.share is -0.1"),
        ("share = 0.01", "share = nan", "quality.share is nan"),
        ("share = 0.01", "share = true", "quality.share is True"),
        ("share = 0.01", 'share = "0.01"', "quality.share"),
        ("share = 0.01", "", "the key quality.share is missing"),
        ("share = 0.01", "share = 0.01\nsize = 3", "unknown key quality.size"),
        ("blind_soon_share = 0", "blind_soon_share = 1.5", "quality.blind_soon_share is 1.5"),
        ('seed = "here"', 'seed = " "', "quality.seed"),
        ('seed = "here"', "seed = 7", "quality.seed is 7"),
        ("[quality]", "[[quality]]", "a table [quality]"),
        ("settled_bytes = 30", "settled_bytes = -1", "retention_days.settled_bytes is -1"),
        ("settled_bytes = 30", "settled_bytes = 1.5", "a whole number of days"),
        ("settled_bytes = 30", "settled_bytes = true", "retention_days.settled_bytes is True"),
        ("settled_bytes = 30", "settled_bytes = 36526", "at most a century's"),
        ("settled_bytes = 30", "", "the key retention_days.settled_bytes is missing"),
        ("settled_bytes = 30", "audit = 30", "unknown key retention_days.audit"),
    ],
)
def test_a_bad_site_is_refused_with_file_and_key(config: Path, old: str, new: str, told: str) -> None:
    (config / "site.toml").write_text(GOOD.replace(old, new))
    with pytest.raises(site.SiteError, match=r"site\.toml") as refused:
        site.load_site()
    assert told in str(refused.value)


def test_a_host_may_be_a_name_an_address_or_all_below_a_domain(config: Path) -> None:
    hosts = '["triage.example.org", "127.0.0.1", "[::1]", ".example.org", "reading-room"]'
    (config / "site.toml").write_text(GOOD.replace('["localhost"]', hosts))
    assert len(site.load_site().allowed_hosts) == 5


def test_a_missing_file_is_told(config: Path) -> None:
    with pytest.raises(site.SiteError, match=r"deadlines\.toml is missing"):
        site.load_deadlines()


def test_good_deadlines_are_read(config: Path) -> None:
    (config / "deadlines.toml").write_text(GOOD_DEADLINES)
    waiting, again, lead, _ = site.load_deadlines()
    assert (waiting["stat"], again["urgent"], lead["unread"]) == (15, 30, 482)


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("unread = 1440", "", "waiting_minutes.unread is missing"),
        ("unread = 1440", "unread = -1", "waiting_minutes.unread is -1"),
        ("unread = 1440", "unread = 1440\nlater = 1", "unknown key waiting_minutes.later"),
        ("unread = 241", "", "again_minutes.unread is missing"),
        ("unread = 241", "unread = 1.5", "again_minutes.unread is 1.5"),
        ("unread = 482", "unread = true", "lead_minutes.unread is True"),
        ("unread = 482", "unread = 241", "more than again_minutes.unread (241) was expected"),
        ("stat = 15", "stat = 241", "no more than waiting_minutes.urgent (240) was expected"),
        ("urgent = 240", "urgent = 2881", "no more than waiting_minutes.soon (2880) was expected"),
        ("[lead_minutes]", "[boss_minutes]", "boss_minutes"),
    ],
)
def test_bad_deadlines_are_refused(config: Path, old: str, new: str, told: str) -> None:
    (config / "deadlines.toml").write_text(GOOD_DEADLINES.replace(old, new))
    with pytest.raises(site.SiteError, match=r"deadlines\.toml") as refused:
        site.load_deadlines()
    assert told in str(refused.value)


def test_deadlines_that_are_no_table_are_refused(config: Path) -> None:
    tables = GOOD_DEADLINES.partition("[again_minutes]")
    (config / "deadlines.toml").write_text(
        f"rejected_minutes = 1\nwaiting_minutes = 5\n{tables[1]}{tables[2]}"
    )
    with pytest.raises(site.SiteError, match=r"a table \[waiting_minutes\]"):
        site.load_deadlines()


def test_the_configuration_that_comes_with_the_program_is_good() -> None:
    assert site.load_site().claim_minutes > 0
    assert set(site.load_deadlines().waiting) == {"stat", "urgent", "soon", "unread"}
