"""Coming in through an OpenID Connect provider: a small real one on this machine."""

from __future__ import annotations

import urllib.parse
import warnings
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
import requests
from allauth.socialaccount.models import SocialAccount
from django.test import Client

from review import administration
from review.logins import Oidc
from review.models import Account, AuditRow

pytestmark = [
    pytest.mark.database,
    pytest.mark.django_db,
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),  # the provider's own
]
Make = Callable[..., Any]


@pytest.fixture(scope="module")
def issuer() -> Iterator[str]:
    with warnings.catch_warnings(action="ignore"):
        from oidc_provider_mock import run_server_in_thread

    with run_server_in_thread() as server:
        yield f"http://localhost:{server.server_port}"


@pytest.fixture(autouse=True)
def configured(issuer: str, settings: Any) -> None:
    oidc = Oidc(
        enabled=True,
        name="Hospital login",
        issuer=issuer,
        client_id="spine",
        scope="openid profile",
        claim="groups",
        roles={"readers": "radiologist", "chiefs": "lead"},
    )
    settings.LOGINS = replace(settings.LOGINS, oidc=oidc)
    settings.OIDC_SECRET = "a secret of the client"


def person_at(issuer: str, subject: str, **claims: Any) -> None:
    requests.put(f"{issuer}/users/{subject}", json=claims, timeout=10).raise_for_status()


def sent_back(client: Client, subject: str, **changed: str) -> str:
    """Go to the provider and log in there; return the address to which it sends the browser."""
    there = client.get("/oidc/?next=/runs/")["Location"]
    parts = urllib.parse.urlsplit(there)
    query = dict(urllib.parse.parse_qsl(parts.query)) | changed
    assert query["code_challenge_method"] == "S256"
    address = parts._replace(query=urllib.parse.urlencode(query)).geturl()
    answer = requests.post(address, data={"sub": subject}, allow_redirects=False, timeout=10)
    assert answer.status_code == 302
    return answer.headers["Location"].removeprefix("http://testserver")


def come(issuer: str, subject: str = "s-1", client: Client | None = None, **claims: Any) -> Any:
    person_at(issuer, subject, **claims)
    client = client or Client()
    return client.get(sent_back(client, subject))


def test_a_person_with_a_mapped_group_comes_in_as_an_account_of_the_subject(issuer: str) -> None:
    client = Client()
    response = come(
        issuer, client=client, groups=["chiefs", "other"], preferred_username="ann", email="a@b.c"
    )
    assert response["Location"] == "/runs/"
    assert client.get("/runs/").status_code == 200
    ann = Account.objects.get()
    assert (ann.username, ann.roles, ann.origin, ann.email) == ("ann", {"lead"}, "oidc", "")
    assert not ann.has_usable_password()
    link = SocialAccount.objects.get()
    assert (link.provider, link.uid, link.extra_data) == (issuer, "s-1", {})
    rows = list(AuditRow.objects.order_by("number")[:2])
    assert rows[0].detail.items() >= {"made": True, "origin": "oidc", "roles": ["lead"]}.items()
    assert (rows[1].action, rows[1].subject) == ("account.logged_in", ann.actor)


def test_roles_follow_the_claim_at_each_login(issuer: str) -> None:
    come(issuer, groups=["readers"], preferred_username="ann")
    come(issuer, groups=["readers", "chiefs"], preferred_username="renamed")
    ann = Account.objects.get()
    assert (ann.username, ann.roles) == ("ann", {"radiologist", "lead"})
    changed = AuditRow.objects.filter(action="account.changed").latest("number")
    assert changed.detail.items() >= {"origin": "oidc", "roles": ["lead", "radiologist"]}.items()
    before = AuditRow.objects.filter(action="account.changed").count()
    come(issuer, groups=["chiefs", "readers"])
    assert AuditRow.objects.filter(action="account.changed").count() == before


@pytest.mark.parametrize("groups", [[], ["other"], "other", None, {"readers": 1}, [["readers"]]])
def test_who_has_no_role_is_told_and_gets_no_account(issuer: str, groups: Any) -> None:
    client = Client()
    response = come(issuer, client=client, groups=groups)
    assert response.status_code == 403
    assert "none of your groups" in response.content.decode()
    assert not Account.objects.exists()
    assert client.get("/runs/").status_code == 302
    assert AuditRow.objects.get().detail == {"why": "roles"}


def test_who_lost_the_role_is_out(issuer: str) -> None:
    come(issuer, groups=["chiefs"])
    assert come(issuer, groups=[]).status_code == 403
    assert AuditRow.objects.latest("number").subject == Account.objects.get().actor


def test_a_claim_within_a_claim_and_a_single_value_count(issuer: str, settings: Any) -> None:
    oidc = replace(settings.LOGINS.oidc, claim="realm_access.roles")
    settings.LOGINS = replace(settings.LOGINS, oidc=oidc)
    assert come(issuer, realm_access={"roles": "chiefs"}).status_code == 302
    assert Account.objects.get().roles == {"lead"}


def test_a_name_or_an_address_leads_to_no_account_of_somebody_else(issuer: str, person: Make) -> None:
    local = person("admin", name="ann")
    Account.objects.filter(pk=local.pk).update(email="ann@hospital.example")
    claims = {"preferred_username": "ann", "email": "ann@hospital.example", "email_verified": True}
    assert come(issuer, groups=["readers"], **claims).status_code == 302
    other = Account.objects.exclude(pk=local.pk).get()
    assert (other.username, other.roles) == ("ann-2", {"radiologist"})
    assert come(issuer, "s-2", groups=["readers"], **claims).status_code == 302
    assert Account.objects.count() == 3


def test_a_closed_account_stays_out(issuer: str, person: Make) -> None:
    come(issuer, groups=["readers"])
    ann = Account.objects.get()
    administration.close(ann, by=person("admin"))
    client = Client()
    response = come(issuer, client=client, groups=["chiefs"])
    assert response.status_code == 403
    assert "was closed" in response.content.decode()
    assert client.get("/worklist/").status_code == 302
    assert Account.objects.get(pk=ann.pk).roles == {"radiologist"}


def test_a_wrong_or_used_state_is_refused(issuer: str) -> None:
    person_at(issuer, "s-1", groups=["chiefs"])
    mine, yours = Client(), Client()
    address = sent_back(mine, "s-1")
    assert yours.get(address).status_code == 403
    assert mine.get(address.replace("state=", "state=x")).status_code == 403
    assert mine.get(address).status_code == 302
    mine.post("/logout/")
    assert mine.get(address).status_code == 403
    assert Account.objects.count() == 1


@pytest.mark.parametrize("nonce", ["another", ""])
def test_a_wrong_nonce_is_refused(issuer: str, nonce: str) -> None:
    person_at(issuer, "s-1", groups=["chiefs"])
    client = Client()
    response = client.get(sent_back(client, "s-1", nonce=nonce))
    assert response.status_code == 403
    assert "another browser" in response.content.decode()
    assert not Account.objects.exists()


def test_a_code_for_another_client_is_refused(issuer: str) -> None:
    person_at(issuer, "s-1", groups=["chiefs"])
    client = Client()
    assert client.get(sent_back(client, "s-1", client_id="another")).status_code == 403
    assert not Account.objects.exists()


@pytest.mark.parametrize("query", ["", "?error=access_denied&state=x", "?code=1", "?code=1&state=%00"])
def test_an_answer_that_nobody_asked_for_is_refused(query: str) -> None:
    response = Client().get(f"/oidc/back/{query}")
    assert response.status_code == 403
    assert "did not let you in" in response.content.decode()


def test_a_provider_that_is_down_or_calls_itself_otherwise_is_told(issuer: str, settings: Any) -> None:
    for wrong in ("http://127.0.0.1:9", issuer.replace("localhost", "127.0.0.1") + "/runs"):
        oidc = replace(settings.LOGINS.oidc, issuer=wrong)
        settings.LOGINS = replace(settings.LOGINS, oidc=oidc)
        assert Client().get("/oidc/").status_code == 403


def test_without_a_provider_there_is_no_way_to_it(settings: Any) -> None:
    settings.LOGINS = replace(settings.LOGINS, oidc=replace(settings.LOGINS.oidc, enabled=False))
    assert Client().get("/oidc/").status_code == 404
    assert Client().get("/oidc/back/").status_code == 404


def test_a_login_at_the_provider_leads_nowhere_outside(issuer: str) -> None:
    person_at(issuer, "s-1", groups=["chiefs"])
    client = Client()
    there = client.get("/oidc/?next=https://evil.example/")["Location"]
    answer = requests.post(there, data={"sub": "s-1"}, allow_redirects=False, timeout=10)
    assert client.get(answer.headers["Location"].removeprefix("http://testserver"))["Location"] == "/"
