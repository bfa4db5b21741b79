"""Commands: whom they obey, what they say when something is wrong, how they end."""

from __future__ import annotations

import getpass

import pytest

from tests.installation import STAT, Installation


@pytest.mark.parametrize("command", ["run", "queue", "explain", "rejected", "runs"])
def test_without_an_account_a_command_refuses_and_tells_the_way_out(
    bare_site: Installation, command: str
) -> None:
    arguments = [command, "R1"] if command == "explain" else [command]
    told = bare_site.run(*arguments, status=1)
    assert "spinetriage user add" in told
    assert "Traceback" not in told


def test_an_account_may_only_what_its_role_allows(site: Installation) -> None:
    site.run("user", "add", "op", "--role", "operator")
    assert "may not" in site.run("queue", "--as", "op", status=1)
    assert site.run("runs", "--json", "--as", "op") == "[]\n"


def test_once_there_is_an_administrator_only_one_makes_accounts(bare_site: Installation) -> None:
    bare_site.run("user", "add", "chief", "--role", "admin")
    bare_site.run("user", "add", "rad", "--role", "radiologist", status=1)
    bare_site.run("user", "add", "rad", "--role", "radiologist", "--as", "chief")


def test_the_first_password_is_shown_once_and_not_stored(bare_site: Installation) -> None:
    password = bare_site.run("user", "add", "rad", "--role", "radiologist").split()[-1]
    assert len(password) >= 20
    assert not any(password.encode() in f.read_bytes() for f in bare_site.var.rglob("*") if f.is_file())


@pytest.mark.parametrize(
    ("file", "text", "named"),
    [
        ("sources.toml", '[sources.inbox]\nkind = "fax"', "kind"),
        ("site.toml", 'colour = "red"', "colour"),
        ("priority.toml", "surprise = 1", "surprise"),
    ],
)
def test_a_bad_configuration_refuses_the_start_and_names_file_and_key(
    site: Installation, file: str, text: str, named: str
) -> None:
    path = site.folder / "config" / file
    path.write_text(f"{text}\n{path.read_text() if file != 'sources.toml' else ''}")
    for command in ("check", "run"):
        told = site.run(command, status=1)
        assert file in told
        assert named in told
        assert "Traceback" not in told


def test_check_prints_what_is_configured_and_misses_a_folder(site: Installation) -> None:
    facts = site.json("check")
    assert facts["sources"] == {"inbox": str(site.inbox), "images": str(site.images)}
    assert facts["rules_version"].startswith("sha256:")
    assert facts["counts"]["concepts"] > 100
    assert facts["warnings"]["contradictions"] == []
    site.images.rmdir()
    assert "images" in site.run("check", status=1)


def test_check_warns_of_a_contradiction_and_goes_on(site: Installation) -> None:
    path = site.folder / "config/context.toml"
    path.write_text(path.read_text().replace('"no known"', '"no known", "possible"', 1))
    assert "cues:" in site.run("check")
    assert "'possible' stands with two meanings" in site.complaints


def test_no_secret_is_printed_or_logged(bare_site: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    names = ("SECRET_KEY", "AUDIT_KEY", "LOG_KEY", "OIDC_SECRET", "LDAP_PASSWORD", "SMTP_PASSWORD",
             "WEBHOOK_TOKEN", "WEBHOOK_SECRET")  # fmt: skip
    for name in names:
        monkeypatch.setenv(f"SPINETRIAGE_{name}", f"a-secret-{name}-of-thirty-two-characters")
    monkeypatch.setenv("SPINETRIAGE_LOG_LEVEL", "DEBUG")
    assert "a-secret-" not in bare_site.run("check") + bare_site.complaints
    config = bare_site.folder / "config/alerts.toml"
    config.write_text(config.read_text().replace("remind_hours = 12", "remind_hours = 0"))
    told = bare_site.run("check", status=1)
    assert "remind_hours is 0" in told
    assert "a-secret-" not in told


def test_a_source_that_does_not_exist_is_told_with_those_that_do(site: Installation) -> None:
    told = site.run("run", "--source", "fax", status=1)
    assert "'fax'" in told
    assert "inbox" in told
    assert site.json("runs") == []


def test_wrong_use_ends_with_two(bare_site: Installation) -> None:
    bare_site.run("queue", "--no-such-option", status=2)
    bare_site.run("fly", status=2)


def test_explain_of_something_never_seen_says_what_can_be_asked(site: Installation) -> None:
    assert "accession" in site.run("explain", "nothing", status=1)


def test_an_error_of_the_program_shows_no_data(site: Installation) -> None:
    site.entry = (
        "from flows import reading\nfrom flows.cli import main\n"
        "def show(*_):\n    raise KeyError('MARKER')\nreading.show = show\nmain()"
    )
    told = site.run("read", "-", text=STAT, status=1)
    assert "KeyError" in told
    assert "MARKER" not in told


def test_administrators_look_after_accounts(bare_site: Installation) -> None:
    bare_site.run("user", "add", "chief", "--role", "admin", "--os-user", getpass.getuser())
    first = bare_site.run("user", "add", "rad", "--role", "radiologist").split()[-1]
    bare_site.run("user", "roles", "rad", "lead", "auditor")
    assert bare_site.run("user", "reset", "rad").split()[-1] != first
    bare_site.run("user", "reset", "rad", "--unlock")
    assert "no second factor" in bare_site.run("user", "reset", "rad", "--second-factor", status=1)
    bare_site.run("user", "close", "rad")
    rows = {row["account"]: row for row in bare_site.json("user", "list")}
    assert (rows["rad"]["roles"], rows["rad"]["state"]) == (["auditor", "lead"], "closed")
    bare_site.run("user", "open", "rad")
    assert "only administrator" in bare_site.run("user", "close", "chief", status=1)
    assert "no account 'eve'" in bare_site.run("user", "roles", "eve", "lead", status=1)
    assert "may not use 'accounts'" in bare_site.run("user", "list", "--as", "rad", status=1)
