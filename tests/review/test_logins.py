"""The configuration of logins is read strictly."""

from __future__ import annotations

from pathlib import Path

import pytest

from review import logins
from review.models import Role
from review.site import ROOT, SiteError

SHIPPED = (ROOT / "config/logins.toml").read_text()
OIDC = (
    SHIPPED.replace("[oidc]\nenabled = false", "[oidc]\nenabled = true")
    .replace('issuer = ""', 'issuer = "https://login.example"')
    .replace('client_id = ""', 'client_id = "spine"')
    .replace('# "spine-readers"', '"spine-readers"', 1)
)
LDAP = (
    SHIPPED.replace("[ldap]\nenabled = false", "[ldap]\nenabled = true")
    .replace('server = ""', 'server = "ldaps://ldap.example"')
    .replace('user_dn = ""', 'user_dn = "uid={name},dc=example"')
    .replace('group_base = ""', 'group_base = "dc=example"')
)
LDAP = LDAP[: LDAP.rindex("# ")] + LDAP[LDAP.rindex("# ") + 2 :]


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SPINETRIAGE_CONFIG", str(tmp_path))
    return tmp_path / "logins.toml"


def test_what_comes_with_the_program_asks_for_nothing_but_a_password() -> None:
    shipped = logins.load_logins()
    assert not (shipped.oidc.enabled or shipped.ldap.enabled or shipped.second_factor)
    assert set(logins.ROLES) == set(Role.values)


def test_both_providers_can_be_configured(config: Path) -> None:
    config.write_text(OIDC)
    assert logins.load_logins().oidc.roles == {"spine-readers": "radiologist"}
    config.write_text(LDAP)
    assert logins.load_logins().ldap.roles == {"spine-readers": "radiologist"}


@pytest.mark.parametrize(
    ("text", "old", "new", "told"),
    [
        (OIDC, '"https://login.example"', '"https://["', "oidc.issuer is 'https://['"),
        (OIDC, '"https://login.example"', '"https://"', "oidc.issuer is 'https://'"),
        (OIDC, '"openid profile"', '"profile"', "openid among them"),
        (LDAP, '"ldaps://ldap.example"', '"ldaps://["', "ldap.server is 'ldaps://['"),
        (LDAP, '"ldaps://ldap.example"', '"ldaps://"', "ldap.server is 'ldaps://'"),
        (SHIPPED, "idle_minutes = 30", "", "key idle_minutes is missing"),
        (SHIPPED, "idle_minutes = 30", "idle_minutes = 30\nidle = 1", "unknown key idle"),
        (SHIPPED, "idle_minutes = 30", "idle_minutes = 0", "idle_minutes is 0"),
        (SHIPPED, "session_hours = 12", "session_hours = true", "session_hours is True"),
        (SHIPPED, "second_factor = []", 'second_factor = ["surgeon"]', "second_factor is"),
        (SHIPPED, "second_factor = []", 'second_factor = "admin"', "second_factor is 'admin'"),
        (SHIPPED, "attempts = 5 ", "attempts = 0 ", "lockout.attempts is 0"),
        (SHIPPED, "attempts = 5 ", "tries = 5 ", "unknown key lockout.tries"),
        (SHIPPED, "searches = 60", 'searches = "60"', "pace.searches is '60'"),
        (SHIPPED, "enabled = false\nname", 'enabled = "no"\nname', "oidc.enabled is 'no'"),
        (SHIPPED, 'client_id = ""', "client_id = 4", "oidc.client_id is 4"),
        (OIDC, '"https://login.example"', '""', "oidc.issuer is empty"),
        (OIDC, '"https://login.example"', '"http://login.example"', "starts with https"),
        (OIDC, '"spine-readers" = "radiologist"', "", "oidc.roles is empty"),
        (OIDC, '= "radiologist"', '= "doctor"', "the role 'doctor'"),
        (LDAP, '"ldaps://ldap.example"', '"ldap://ldap.example"', "in clear"),
        (LDAP, "uid={name},dc", "uid=name,dc", "one {name} was expected"),
        (LDAP, '"uid={name},dc=example"', '""', "ldap.user_base is empty"),
        (LDAP, '"groupOfNames"', '"groups"', "ldap.group_class is 'groups'"),
        (LDAP, '"uid" ', '"uid)(x=*" ', "ldap.user_attribute"),
    ],
)
def test_bad_logins_are_refused_with_file_and_key(
    config: Path, text: str, old: str, new: str, told: str
) -> None:
    assert old in text
    config.write_text(text.replace(old, new, 1) if "radiologist" not in old else new.join(text.split(old, 1)))
    with pytest.raises(SiteError, match=r"logins\.toml") as refused:
        logins.load_logins()
    assert told in str(refused.value)
