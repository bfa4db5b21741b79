"""Passwords that a directory checks: how it is configured, and a real slapd where one is installed."""

from __future__ import annotations

import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from django.test import Client

from review.directory_settings import directory_settings
from review.logins import Ldap
from review.models import Account, AuditRow
from review.site import SiteError

Make = Callable[..., Any]
LDAP = Ldap(
    enabled=True,
    server="ldaps://ldap.example",
    start_tls=False,
    user_dn="uid={name},ou=100%,dc=example",
    bind_dn="",
    user_base="",
    user_attribute="uid",
    group_base="ou=groups,dc=example",
    group_class="groupOfNames",
    roles={"readers": "radiologist", "chiefs": "lead"},
)
SLAPD = shutil.which("slapd", path="/usr/sbin:/usr/bin:/usr/libexec")
CONF = """
include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
modulepath /usr/lib/ldap
moduleload back_mdb.la
pidfile {folder}/pid
database mdb
suffix dc=example
rootdn cn=root,dc=example
rootpw a-password-of-the-test
directory {folder}/data
access to attrs=userPassword by anonymous auth by * none
access to * by users read by * none
"""
LDIF = """
dn: dc=example
objectClass: dcObject
objectClass: organization
o: example
dc: example

dn: uid=ann,dc=example
objectClass: inetOrgPerson
uid: ann
cn: Ann
sn: Grey
userPassword: violet harbour

dn: uid=bob,dc=example
objectClass: inetOrgPerson
uid: bob
cn: Bob
sn: Brown
userPassword: amber window

dn: cn=readers,dc=example
objectClass: groupOfNames
cn: readers
member: uid=ann,dc=example

dn: cn=gardeners,dc=example
objectClass: groupOfNames
cn: gardeners
member: uid=bob,dc=example
"""


@pytest.fixture
def stubs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Stand for the packages, which need a compiler to be installed."""
    ldap, package, config = (ModuleType(name) for name in ("ldap", "django_auth_ldap", "config"))
    for number, name in enumerate(
        ("SCOPE_SUBTREE", "OPT_NETWORK_TIMEOUT", "OPT_TIMEOUT", "OPT_REFERRALS", "OPT_X_TLS_REQUIRE_CERT",
         "OPT_X_TLS_DEMAND", "OPT_X_TLS_NEWCTX")
    ):  # fmt: skip
        setattr(ldap, name, number)
    config.LDAPSearch = lambda *given: given  # type: ignore[attr-defined]
    for kind in ("GroupOfNames", "GroupOfUniqueNames", "Posix", "NestedActiveDirectoryGroup"):
        name = f"{kind}Type" if kind.endswith(("Names", "Group")) else f"{kind}GroupType"
        setattr(config, name, lambda kind=kind: kind)
    package.config = config  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "ldap", ldap)
    monkeypatch.setitem(sys.modules, "django_auth_ldap", package)


def test_a_directory_that_is_not_configured_needs_no_package() -> None:
    assert directory_settings(replace(LDAP, enabled=False)) == {}


def test_a_missing_package_is_told_with_the_way_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ldap", None)
    with pytest.raises(SiteError, match=r"apt-get install gcc .*pip install"):
        directory_settings(LDAP)


def test_a_person_is_bound_by_the_name_in_the_template(stubs: None) -> None:
    told = directory_settings(LDAP)
    assert told["AUTH_LDAP_USER_DN_TEMPLATE"] % {"user": "ann"} == "uid=ann,ou=100%,dc=example"
    assert told["AUTH_LDAP_BIND_AS_AUTHENTICATING_USER"]
    assert told["AUTH_LDAP_GROUP_SEARCH"][2] == "(objectClass=groupOfNames)"
    assert list(told["AUTH_LDAP_CONNECTION_OPTIONS"])[-1] == sys.modules["ldap"].OPT_X_TLS_NEWCTX


def test_a_person_is_searched_for_with_a_password_of_the_environment(
    stubs: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SPINETRIAGE_LDAP_PASSWORD", "of the search")
    told = directory_settings(
        replace(
            LDAP, user_dn="", user_base="dc=x", user_attribute="sAMAccountName", bind_dn="cn=s",
            group_class="group",
        )
    )  # fmt: skip
    assert told["AUTH_LDAP_USER_SEARCH"] == ("dc=x", 0, "(sAMAccountName=%(user)s)")
    assert told["AUTH_LDAP_BIND_PASSWORD"] == "of the search"
    assert told["AUTH_LDAP_GROUP_TYPE"] == "NestedActiveDirectoryGroup"
    assert "AUTH_LDAP_USER_DN_TEMPLATE" not in told


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A directory of its own, on loopback."""
    if SLAPD is None:
        pytest.skip("needs slapd (Debian: apt-get install slapd)")
    pytest.importorskip("django_auth_ldap", reason="needs the optional extra ldap")
    folder = tmp_path_factory.mktemp("slapd")
    (folder / "data").mkdir()
    conf, ldif = folder / "slapd.conf", folder / "entries.ldif"
    conf.write_text(CONF.format(folder=folder))
    ldif.write_text(LDIF)
    add = Path(SLAPD).with_name("slapadd")
    subprocess.run([add, "-f", conf, "-l", ldif], check=True, capture_output=True)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = subprocess.Popen([SLAPD, "-f", conf, "-h", f"ldap://127.0.0.1:{port}", "-d", "0"])
    try:
        for _ in range(100):
            with socket.socket() as knock:
                if knock.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.05)
        yield f"ldap://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(10)


@pytest.fixture(params=["template", "search"])
def configured(request: pytest.FixtureRequest, server: str, settings: Any) -> None:
    ldap = replace(LDAP, server=server, user_dn="uid={name},dc=example", group_base="dc=example")
    if request.param == "search":
        ldap = replace(ldap, user_dn="", user_base="dc=example", bind_dn="cn=root,dc=example")
    settings.LOGINS = replace(settings.LOGINS, ldap=ldap)
    for name, value in directory_settings(ldap).items():
        setattr(settings, name, value)
    settings.AUTH_LDAP_BIND_PASSWORD = "a-password-of-the-test"
    settings.AUTHENTICATION_BACKENDS = [*settings.AUTHENTICATION_BACKENDS, "review.directory.Directory"]


def enter(name: str, password: str, client: Client | None = None) -> Any:
    return (client or Client()).post("/login/", {"username": name, "password": password})


@pytest.mark.database
@pytest.mark.django_db
@pytest.mark.usefixtures("configured")
class TestRealDirectory:
    """Names and passwords against slapd."""

    def test_a_person_of_a_mapped_group_comes_in(self) -> None:
        client = Client()
        assert enter("ANN", "violet harbour", client).status_code == 302
        assert client.get("/worklist/").status_code == 200
        ann = Account.objects.get()
        assert (ann.username, ann.origin, ann.roles, ann.email) == ("ann", "ldap", {"radiologist"}, "")
        assert not ann.has_usable_password()
        made = AuditRow.objects.filter(action="account.changed").get()
        assert made.detail.items() >= {"origin": "ldap", "roles": ["radiologist"]}.items()
        assert enter("ann", "violet harbour").status_code == 302
        assert Account.objects.count() == 1

    @pytest.mark.parametrize("name", ["ann", "nobody", "*", "ann,dc=example", "a)(uid=*", "\\2a"])
    def test_a_wrong_password_or_name_does_not(self, name: str) -> None:
        for password in ("wrong", "", "*"):
            assert enter(name, password).status_code == 200
        assert not Account.objects.exists()

    def test_who_is_in_no_mapped_group_is_told(self) -> None:
        assert "none of your groups" in enter("bob", "amber window").content.decode()
        assert not Account.objects.exists()

    def test_roles_follow_the_groups(self, settings: Any) -> None:
        enter("ann", "violet harbour")
        ldap = replace(settings.LOGINS.ldap, roles={"readers": "lead"})
        settings.LOGINS = replace(settings.LOGINS, ldap=ldap)
        enter("ann", "violet harbour")
        assert Account.objects.get().roles == {"lead"}

    def test_a_local_account_of_that_name_is_not_entered(self, person: Make) -> None:
        person("admin", name="ann")
        assert enter("ann", "violet harbour").status_code == 200
        assert Account.objects.get().origin == "local"

    def test_a_closed_account_stays_out(self) -> None:
        enter("ann", "violet harbour")
        Account.objects.update(is_active=False)
        assert enter("ann", "violet harbour").status_code == 200

    def test_wrong_passwords_lock_as_everywhere(self, settings: Any) -> None:
        for _ in range(settings.AXES_FAILURE_LIMIT):
            enter("ann", "wrong")
        assert enter("ann", "violet harbour").status_code == 429

    def test_a_directory_that_is_down_is_told(self, settings: Any) -> None:
        settings.AUTH_LDAP_SERVER_URI = "ldap://127.0.0.1:9"
        assert "cannot be asked" in enter("ann", "violet harbour").content.decode()
