"""The pages: who may open which, what they show, and what they keep from everybody else."""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import get_resolver, resolve

from review import caseload, ledger
from review.models import AuditRow, Case, Decision, Input, Role, Shard
from review.pages import accounts as account_pages
from review.pages import acts
from review.records import NewPortion, NewSeries, NewStudy

pytestmark = [pytest.mark.database, pytest.mark.django_db]
Make = Callable[..., Any]
ACTS = (*acts.ACTS, "beat")


@pytest.fixture
def case(deliver: Make, version: Make, case_of: Make) -> Case:
    deliver(
        version("A1", "stat", patient_id="PATIENT-4711", accession="ACC1", warnings=("identity_conflict",)),
        "binary",
    )
    return case_of("A1")


def shown(response: Any) -> str:
    return html.unescape(response.content.decode())


WHO: dict[tuple[str, str], set[str]] = {
    ("GET", "/worklist/"): {"radiologist", "lead", "auditor"},
    ("POST", "/worklist/search/"): {"radiologist", "lead", "auditor"},
    ("POST", "/worklist/seen/"): {"radiologist", "lead", "auditor"},
    ("POST", "/worklist/columns/"): {"radiologist", "lead", "auditor"},
    ("POST", "/worklist/views/"): {"radiologist", "lead", "auditor"},
    ("POST", "/worklist/views/1/"): {"radiologist", "lead", "auditor"},
    ("GET", "/worklist/export/"): {"lead", "auditor"},
    ("GET", "/case/{case}/"): {"radiologist", "lead", "auditor"},
    ("GET", "/report/{report}/"): {"radiologist", "lead", "auditor"},
    ("GET", "/statistics/"): {"radiologist", "lead", "auditor", "admin"},
    ("GET", "/statistics/depth.svg"): {"radiologist", "lead", "auditor", "admin"},
    ("GET", "/statistics/depth.csv"): {"radiologist", "lead", "auditor", "admin"},
    ("GET", "/runs/"): {"lead", "auditor", "operator", "admin"},
    ("GET", "/alerts/"): {"lead", "auditor", "operator", "admin"},
    ("GET", "/runs.csv"): {"lead", "auditor", "operator", "admin"},
    ("GET", "/runs/{run}/"): {"lead", "auditor", "operator", "admin"},
    ("GET", "/runs/{run}/shards/"): {"lead", "auditor", "operator", "admin"},
    ("GET", "/runs/{run}/outcomes.csv"): {"lead", "auditor", "operator", "admin"},
    ("GET", "/history/"): {"lead", "auditor"},
    ("GET", "/history.csv"): {"lead", "auditor"},
    ("GET", "/report/{report}/history/"): {"lead", "auditor"},
    ("GET", "/why/"): {"radiologist", "lead", "auditor"},
    ("POST", "/why/"): {"radiologist", "lead", "auditor"},
    ("GET", "/why/report/{report}/"): {"radiologist", "lead", "auditor"},
    ("GET", "/why/input/{input}/"): {"radiologist", "lead", "auditor"},
    ("GET", "/rejected/"): {"lead", "auditor", "operator", "admin"},
    ("GET", "/rejected/{input}/"): {"lead", "auditor", "operator", "admin"},
    ("GET", "/rejected/{input}/bytes/"): {"lead"},
    ("GET", "/rejected/{input}/bytes/file/"): {"lead"},
    ("POST", "/rejected/retry/"): {"lead", "operator"},
    ("POST", "/rejected/discard/"): {"lead"},
    ("POST", "/rejected/take-back/"): {"lead"},
    ("POST", "/case/next/"): {"radiologist", "lead"},
    **{("POST", f"/case/{{case}}/{act}/"): {"radiologist", "lead"} for act in ACTS},
    ("GET", "/accounts/"): {"admin"},
    ("POST", "/accounts/add/"): {"admin"},
    ("GET", "/accounts/{account}/"): {"admin"},
    **{("POST", f"/accounts/{{account}}/{act}/"): {"admin"} for act in account_pages.ACTS},
    ("GET", "/health/"): set(Role.values),
    ("GET", "/health/ready/"): set(Role.values),
    ("GET", "/health/queue/"): set(Role.values),
}
# Of these everybody has their own, whatever their role; tests/review/test_entry.py has them.
EVERYBODY = {
    "home",
    "login",
    "account_login",
    "oidc",
    "oidc_back",
    "logout",
    "password",
    "account_reauthenticate",
    "mfa_authenticate",
    "mfa_index",
    "mfa_activate_totp",
    "second_factor_picture",
    "mfa_deactivate_totp",
    "mfa_view_recovery_codes",
    "mfa_generate_recovery_codes",
}


def places(case: Case) -> dict[str, int]:
    """What stands for the fields of the addresses above."""
    run = Shard.objects.get(inputs__version__report=case.report_id).run_id
    rejected = Input.objects.filter(outcome="rejected").latest("id").pk
    return {"case": case.pk, "report": case.report_id, "account": 1, "input": rejected, "run": run}


@pytest.mark.parametrize("role", Role.values)
@pytest.mark.parametrize(("method", "url"), WHO)
def test_each_page_opens_for_its_roles_and_for_nobody_else(  # noqa: PLR0917
    enter: Make, case: Case, person: Make, role: str, method: str, url: str
) -> None:
    response = enter(role).generic(method, url.format(**places(case) | {"account": person().pk}))
    allowed = role in WHO[method, url]
    assert response.status_code in ((200, 302) if allowed else (403,))
    if not allowed:
        assert "that takes the role" in shown(response)
        assert "epidural" not in shown(response)


def test_every_address_and_method_stands_in_the_table_of_roles(enter: Make, case: Case, person: Make) -> None:
    """What is not in the table opens for nobody, whatever their role."""
    ids = places(case) | {"account": person().pk}
    known = {(method, resolve(url.format(**places(case))).url_name) for method, url in WHO}
    for pattern in get_resolver().url_patterns:
        if pattern.name in EVERYBODY:
            continue
        urls = [url for _, url in WHO if resolve(url.format(**places(case))).url_name == pattern.name]
        assert urls, f"{pattern.name} is missing in WHO"
        for method in {"GET", "POST"} - {method for method, name in known if name == pattern.name}:
            for role in Role.values:
                response = enter(role).generic(method, urls[0].format(**ids))
                # Who was sent to the login by an act comes back to its address, and is led on.
                led_on = method == "GET" and response.status_code == 302 and role in WHO["POST", urls[0]]
                assert led_on or response.status_code in (403, 405), f"{method} {urls[0]} answers {role}"


@pytest.mark.parametrize(("method", "url"), [at for at in WHO if not at[1].startswith("/health/")])
def test_who_is_not_logged_in_is_sent_to_the_login(case: Case, method: str, url: str) -> None:
    response = Client().generic(method, url.format(**places(case)))
    assert response.status_code == 302
    assert response["Location"].startswith("/login/")


@pytest.mark.parametrize("role", Role.values)
def test_everybody_starts_at_the_first_page_of_theirs(enter: Make, role: str) -> None:
    response = enter(role).get("/", follow=True)
    assert response.status_code == 200
    assert response.redirect_chain[0][0] == ("/runs/" if role in ("operator", "admin") else "/worklist/")


def test_reading_has_no_effect_and_acting_needs_a_form_of_ours(enter: Make, case: Case, person: Make) -> None:
    client = enter()
    assert client.get(f"/case/{case.pk}/claim/").url == f"/case/{case.pk}/"
    assert client.get("/case/next/").url == "/worklist/"
    assert client.post(f"/case/{case.pk}/delete/").status_code == 404
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(person())
    assert strict.post(f"/case/{case.pk}/claim/").status_code == 403
    case.refresh_from_db()
    assert case.status == "waiting"


def test_a_dictated_script_shows_as_text(
    enter: Make, deliver: Make, version: Make, reading: Make, finding: Make
) -> None:
    text = 'FINDINGS: <script>alert(1)</script> mass & "quote".'
    bad = "<img src=x onerror=alert(2)>"
    detail = {"kind": bad, "value": bad, "quote": bad}
    element = detail | {"points": 1}
    written = {"name": bad, "cue": bad, "levels": [bad], "details": [detail], "sins": [element]}
    read = reading(
        "stat",
        findings=[finding(text, "<script>alert(1)</script> mass", **written)],
        details=[detail],
        reasons=[{"rule": bad, "points": 1, "text": bad}],
        red_flags=[bad],
        conflicts=[bad],
    )
    deliver(
        version(bad, text=text, reading=read, patient_id=bad, accession=bad, description=bad, warnings=(bad,))
    )
    client = enter("lead")
    for url in ("/worklist/", f"/case/{Case.objects.get().pk}/"):
        page = client.get(url).content.decode()
        assert not re.search(r"<script(?! src=\"/static/)", page)
        assert "<img" not in page
        assert "&lt;script&gt;" in page


@pytest.mark.parametrize(
    "url", ["/worklist/", "/case/{case}/", "/runs/", "/rejected/", "/login/", "/case/99999/"]
)
def test_no_page_is_kept_framed_or_run_from_elsewhere(enter: Make, case: Case, url: str) -> None:
    response = enter("lead").get(url.format(case=case.pk))
    assert response["Cache-Control"] == "no-store"
    assert response["X-Frame-Options"] == "DENY"
    assert response["X-Content-Type-Options"] == "nosniff"
    policy = response["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert not re.search(rb"<script(?! src=\"/static/)|<style|\sstyle=|\son[a-z]+=", response.content)


def test_the_worklist_shows_a_case_as_its_readers_say_it(enter: Make, case: Case) -> None:
    page = shown(enter().get("/worklist/"))
    for words in (
        "▲ STAT",
        "…4711",
        "epidural mass · T6 · extradural",
        "<mark>epidural mass</mark>",
        "waiting",
    ):
        assert words in page
    assert "PATIENT" not in page


def test_a_claimed_case_shows_to_others_who_has_it(enter: Make, case: Case, person: Make) -> None:
    caseload.claim(person(name="dr.grey"), case.pk)
    client = enter()
    assert "dr.grey, 14 min left" in shown(client.get("/worklist/"))
    page = shown(client.get(f"/case/{case.pk}/"))
    assert "In review by <strong>dr.grey</strong>" in page
    assert "Dismiss" not in page


def test_an_empty_list_says_why(enter: Make, run: Make) -> None:
    client = enter()
    assert "No run has taken reports in yet" in shown(client.get("/worklist/"))
    run()
    assert "No case waits" in shown(client.get("/worklist/"))


def test_pages_of_lists_hold_fifty_and_impossible_numbers_lead_to_the_nearest(
    enter: Make, deliver: Make, version: Make
) -> None:
    deliver(*(version(f"B{number}", "soon") for number in range(60)))
    client = enter()
    assert client.get("/worklist/").content.count(b"data-row") == 50
    for asked, rows in (("2", 10), ("99", 10), ("0", 50), ("-1", 50), ("x", 50), ("9" * 5000, 50), ("٣", 10)):
        assert client.get("/worklist/", {"page": asked}).content.count(b"data-row") == rows


@pytest.mark.parametrize("url", ["/worklist/", "/runs/", "/rejected/"])
def test_a_list_asks_the_database_no_more_often_when_it_is_long(
    enter: Make, deliver: Make, version: Make, url: str
) -> None:
    client = enter("lead")
    asked = []
    for batch in range(2):
        deliver(
            *(version(f"B{batch}-{number}", "soon") for number in range(1 + 20 * batch)),
            *["binary"] * 20 * batch,
        )
        with CaptureQueriesContext(connection) as queries:
            client.get(url)
        asked.append(len(queries))
    assert asked[0] == asked[1] < 40


def test_the_case_page_shows_text_findings_reasons_and_warnings(enter: Make, case: Case) -> None:
    page = shown(enter().get(f"/case/{case.pk}/"))
    for words in (
        "PATIENT-4711",
        "names another patient than its study",
        "epidural mass, present",
        "sha256:abc",
        "T6",
    ):
        assert words in page
    assert '>epidural mass<a class="badge present" href="#row-0">present · ED</a></mark>' in page


def test_the_case_page_shows_what_is_said_of_a_finding_and_beside_it(
    enter: Make, deliver: Make, version: Make, reading: Make, finding: Make
) -> None:
    size = {"kind": "size", "value": "21 x 14 mm", "quote": "2.1 x 1.4 cm", "start": 0, "end": 12}
    bone = {"kind": "bone", "value": "lytic", "quote": "lytic", "start": 0, "end": 5, "points": 2}
    primary = {"kind": "known_primary", "value": "breast", "quote": "breast cancer", "start": 0, "end": 13}
    read = reading("stat", findings=[finding(details=[size], sins=[bone])], details=[primary])
    deliver(version(reading=read))
    page = shown(enter().get(f"/case/{Case.objects.get().pk}/"))
    for words in (
        "<td>21 × 14 mm</td>",
        "SINS: 1 of 6 known, 2 points so far: bone lytic (2)",
        '<dt>Known primary</dt><dd title="breast cancer">breast</dd>',
    ):
        assert words in page


def test_the_case_page_shows_the_study_and_its_viewer(  # noqa: PLR0917
    enter: Make, deliver: Make, version: Make, run: Make, settings: Any, case_of: Make
) -> None:
    portion = NewPortion(kind="studies", source="pacs", path="a", fingerprint="f")
    shard = ledger.add_shard(run(), [portion])
    assert shard is not None
    study = NewStudy(
        study_uid="1.2.3", source="pacs", folder="a", modality="MR", description="MR WHOLE SPINE",
        series=(NewSeries(series_uid="1.2.3.1", modality="MR", instances=3),),
    )  # fmt: skip
    ledger.store_studies(shard, [study], [])
    deliver(version("A1", study_uid="1.2.3", accession="AC&1"))
    settings.SITE = replace(settings.SITE, viewer_link="https://viewer.example/?u={study_uid}&a={accession}")
    page = enter().get(f"/case/{case_of('A1').pk}/").content.decode()
    assert "MR WHOLE SPINE" in page
    assert 'href="https://viewer.example/?u=1.2.3&amp;a=AC%261"' in page


def test_opening_a_case_and_seeing_the_list_are_audited(enter: Make, case: Case) -> None:
    client = enter("auditor")
    client.get("/worklist/")
    client.get(f"/case/{case.pk}/")
    rows = AuditRow.objects.order_by("-number")[:2]
    assert [row.action for row in rows] == ["case.read", "list.read"]
    assert rows[0].subject == f"case:{case.pk}"
    assert rows[1].detail == {"cases": [case.pk]}


def test_a_case_of_another_source_is_not_there(enter: Make, case: Case) -> None:
    client = enter(sources=("south",))
    assert client.get(f"/case/{case.pk}/").status_code == 404
    response = client.post(f"/case/{case.pk}/claim/", follow=True)
    assert response.status_code == 404
    case.refresh_from_db()
    assert case.status == "waiting"
    assert client.get(f"/case/{'9' * 40}/").status_code == 404


@pytest.mark.parametrize("number", ["9" * 19, "9" * 40, str(2**63)])
@pytest.mark.parametrize("at", ["/case/{}/", "/case/{}/claim/", "/report/{}/", "/worklist/views/{}/"])
def test_a_number_that_no_database_holds_is_no_address(enter: Make, at: str, number: str) -> None:
    client = enter()
    assert client.get(at.format(number)).status_code == 404
    assert client.post(at.format(number)).status_code == 404


def test_a_morning_at_the_list(enter: Make, case: Case, deliver: Make, version: Make) -> None:
    """Take the next case, ask for time, see a newer version refuse the decision, decide, open again."""
    client = enter()
    at = f"/case/{case.pk}/"
    assert client.post("/case/next/", follow=True).redirect_chain[-1][0] == at
    assert "yours until" in shown(client.post(f"{at}extend/", follow=True))
    deliver(version("A1", "stat", "corrected", text="FINDINGS: an epidural mass, larger."))
    seen = {"version_seen": case.reading.version_id, "reason": "no_lesion"}
    assert "Since the case was claimed, a newer version arrived (version 2)" in shown(client.get(at))
    assert "A newer version" in shown(client.post(f"{at}dismiss/", seen, follow=True))
    seen["version_seen"] = client.get(at).context["version"].pk
    assert "Choose the reason" in shown(client.post(f"{at}dismiss/", seen | {"reason": ""}, follow=True))
    assert f"C{case.pk}: dismissed" in shown(client.post(f"{at}dismiss/", seen, follow=True))
    assert "Say why" in shown(client.post(f"{at}reopen/", follow=True))
    assert "waits again" in shown(client.post(f"{at}reopen/", {"note": "second thoughts"}, follow=True))
    client.post(f"{at}claim/")
    assert "released" in shown(client.post(f"{at}release/", follow=True))
    client.post(f"{at}claim/")
    assert "returned" in shown(client.post(f"{at}return/", {"note": "ask neuro"}, follow=True))
    client.post(f"{at}claim/")
    del seen["reason"]
    assert "confirmed" in shown(client.post(f"{at}confirm/", seen, follow=True))
    assert "Nothing waits" in shown(client.post("/case/next/", follow=True))
    page = shown(client.get(at))
    assert "second thoughts" in page
    assert "ask neuro" in page
    assert [decision.verdict for decision in Decision.objects.order_by("id")] == ["dismissed", "confirmed"]


def test_a_comment_is_cut_and_cleaned_of_what_no_database_holds(enter: Make, case: Case) -> None:
    client = enter()
    client.post(f"/case/{case.pk}/claim/")
    said = {"version_seen": case.reading.version_id, "comment": "a\0b" + "c" * 5000}
    client.post(f"/case/{case.pk}/confirm/", said)
    assert Decision.objects.get().comment == "ab" + "c" * 1998


@pytest.mark.parametrize("seen", ["", "x", "-1", "9" * 30])
def test_a_decision_without_a_version_is_refused(enter: Make, case: Case, seen: str) -> None:
    client = enter()
    client.post(f"/case/{case.pk}/claim/")
    page = shown(client.post(f"/case/{case.pk}/confirm/", {"version_seen": seen}, follow=True))
    assert "did not say which version" in page
    assert not Decision.objects.exists()


def test_health_needs_no_login_and_tells_nothing(case: Case) -> None:
    response = Client().get("/health/")
    assert response.json() == {"ok": True}


def test_a_strange_host_is_refused() -> None:
    assert Client(headers={"host": "evil.example"}).get("/login/").status_code == 400


@pytest.mark.parametrize(
    ("url", "host", "status"),
    [("/static/icon.svg", "testserver", 200), ("/worklist", "testserver", 301), ("/", "evil.example", 400)],
)
def test_every_answer_forbids_what_is_not_ours(url: str, host: str, status: int) -> None:
    response = Client(headers={"host": host}).get(url)
    response.close()
    assert response.status_code == status
    assert "default-src 'none'" in response["Content-Security-Policy"]


def test_the_stylesheet_is_served_in_light_and_dark() -> None:
    response = Client().get("/static/review.css")
    assert response.status_code == 200
    assert b"prefers-color-scheme: dark" in response.getvalue()
