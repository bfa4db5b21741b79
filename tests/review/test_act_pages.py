"""The forms of the case page: nothing typed is lost, nonsense is told plainly, nothing is done twice."""

from __future__ import annotations

import html
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from review import audit, caseload
from review.models import Account, AuditRow, Case, CaseEvent, Communication, Correction, Decision
from review.pages.acts import ACTS
from tests.review.conftest import TEXT

pytestmark = [pytest.mark.database, pytest.mark.django_db]
Make = Callable[..., Any]
START = TEXT.index("epidural mass")


@pytest.fixture
def me(person: Make) -> Account:
    return person(name="dr.grey")  # type: ignore[no-any-return]


@pytest.fixture
def client(me: Account) -> Client:
    client = Client()
    client.force_login(me)
    return client


@pytest.fixture
def case(deliver: Make, version: Make, case_of: Make) -> Case:
    deliver(version("A1", "stat"))
    return case_of("A1")


@pytest.fixture
def post(client: Client, case: Case) -> Make:
    def send(name: str, follow: bool = True, **values: Any) -> Any:
        values = {"version_seen": case.reading.version_id} | values
        return client.post(f"/case/{case.pk}/{name}/", values, follow=follow)

    return send


def shown(response: Any) -> str:
    return html.unescape(response.content.decode())


def test_what_was_typed_is_kept_when_a_newer_version_refuses_the_decision(
    case: Case, me: Account, post: Make, deliver: Make, version: Make
) -> None:
    caseload.claim(me, case.pk)
    deliver(version("A1", "stat", "corrected", text=TEXT.replace("Large", "Small")))
    page = shown(post("confirm", comment="Mrs Smith is ill", tier_given="urgent"))
    assert "A newer version" in page
    assert 'value="Mrs Smith is ill"' in page
    assert '<option value="urgent" selected>' in page
    assert "Small" in page
    assert "Large</del>" in page
    assert not Decision.objects.exists()


def test_what_was_typed_is_kept_when_the_case_was_taken_over(
    case: Case, me: Account, post: Make, person: Make
) -> None:
    caseload.claim(me, case.pk)
    caseload.take_over(person(name="dr.swift"), case.pk, "urgent")
    page = shown(post("dismiss", reason="other", comment="half a thought"))
    assert "dr.swift took it over" in page
    assert "half a thought</textarea>" in page


def test_a_refused_word_stands_in_no_message_cookie_and_no_session(
    case: Case, me: Account, post: Make, client: Client
) -> None:
    caseload.claim(me, case.pk)
    post("missed", words="Mrs Smith", category="cyst", certainty="present")
    assert "Smith" not in str(client.cookies)
    assert "Smith" not in str(dict(client.session))


@pytest.mark.parametrize("name", ACTS)
@pytest.mark.parametrize(
    "value", ["", "x", "-1", "9" * 30, "²", "\0", "\ud800".encode("utf-8", "replace").decode()]
)
def test_nonsense_is_told_plainly(case: Case, me: Account, client: Client, name: str, value: str) -> None:
    caseload.claim(me, case.pk)
    fields = (
        "version_seen", "start", "end", "kind", "category", "certainty", "compartments", "levels", "words",
        "which", "to", "reason", "tier_given", "method", "found_at", "told_at", "then",
    )  # fmt: skip
    nonsense = [dict.fromkeys(fields, value) for value in ("", "x", "-1", "9" * 30, "²", "\0")]
    for values in ({}, *nonsense):
        response = client.post(f"/case/{case.pk}/{name}/", values)
        assert response.status_code in (200, 302)
    assert not Decision.objects.exists()
    assert not Correction.objects.exists()
    assert not Communication.objects.exists()


def test_decide_and_next_claims_the_next_case_and_a_second_press_changes_nothing(  # noqa: PLR0917
    case: Case, me: Account, post: Make, deliver: Make, version: Make, case_of: Make
) -> None:
    deliver(version("A2", "urgent"), version("A3", "urgent"))
    caseload.claim(me, case.pk)
    send = {"reason": "no_lesion", "then": "next"}
    following = f"/case/{case_of('A2').pk}/"
    for _ in range(2):
        assert post("dismiss", follow=False, **send)["Location"] == following
    assert Decision.objects.count() == 1
    assert [one.report.key for one in Case.objects.filter(claimed_by=me)] == ["A2"]


def test_decide_and_next_stays_in_the_list_one_came_from(  # noqa: PLR0917
    case: Case, me: Account, post: Make, client: Client, deliver: Make, version: Make, case_of: Make
) -> None:
    deliver(version("A2", "urgent"), version("A3", "soon"))
    caseload.claim(me, case.pk)
    client.get("/worklist/?tier=soon")
    response = post("dismiss", follow=False, reason="no_lesion", then="next")
    assert response["Location"] == f"/case/{case_of('A3').pk}/"
    response = client.post("/case/next/", follow=True)
    assert response.redirect_chain[-1][0] == "/worklist/?tier=soon"
    assert "Nothing waits in this list" in shown(response)


def test_a_grave_result_leads_to_its_communication_record(case: Case, me: Account, post: Make) -> None:
    caseload.claim(me, case.pk)
    response = post("confirm", follow=False, tier_given="urgent")
    assert response["Location"] == f"/case/{case.pk}/#tell"
    now = timezone.localtime()
    told = {
        "finding": "mass", "told_to": "Dr Ames", "told_by": "Dr Grey", "method": "phone",
        "found_at": f"{now - timedelta(minutes=9):%Y-%m-%dT%H:%M}", "told_at": f"{now:%Y-%m-%dT%H:%M}",
    }  # fmt: skip
    page = shown(post("tell", **told | {"told_at": ""}))
    assert "Say when it was told" in page
    assert 'value="Dr Ames"' in page
    assert "written down that the result was told" in shown(post("tell", **told))
    assert Communication.objects.get().told_at == now.replace(second=0, microsecond=0)
    assert audit.verify()["ok"]


def test_findings_are_corrected_and_missed_ones_marked_from_the_page(
    case: Case, me: Account, post: Make
) -> None:
    caseload.claim(me, case.pk)
    at = {"start": START, "end": START + len("epidural mass")}
    assert "corrected" in shown(post("correct", kind="not_a_lesion", **at))
    assert "taken back" in shown(post("correct", kind="as_read", **at))
    said = {"category": "cyst", "certainty": "present", "compartments": ["extradural"], "levels": "t6-7"}
    page = shown(post("missed", words="Epidural mass", **said))
    assert "stand 2 times" in page
    assert 'value="Epidural mass"' in page
    assert 'name="which"' in page
    assert "is marked" in shown(post("missed", words="Epidural mass", which="2", **said))
    newest = Correction.objects.latest("id")
    assert (newest.kind, newest.levels, TEXT[newest.start : newest.end]) == (
        "missed",
        ["T6-T7"],
        "Epidural mass",
    )


def test_the_heartbeat_extends_the_claim_in_silence_and_tells_who_lost_it(
    case: Case, me: Account, client: Client, person: Make
) -> None:
    beat = f"/case/{case.pk}/beat/"
    assert client.post(beat).json()["mine"] is False
    caseload.claim(me, case.pk)
    Case.objects.update(claim_expires=timezone.now() + timedelta(minutes=1))
    rows = AuditRow.objects.count()
    answer = client.post(beat).json()
    assert (answer["mine"], answer["version"]) == (True, case.reading.version_id)
    assert 14 * 60 < answer["left"] <= 15 * 60
    assert AuditRow.objects.count() == rows
    caseload.take_over(person(name="dr.swift"), case.pk, "secret reason")
    answer = client.post(beat).json()
    assert "dr.swift took it over" in answer["told"]
    assert "secret" not in str(answer)


def test_claiming_twice_is_no_error_and_others_are_told_no(case: Case, post: Make, person: Make) -> None:
    assert f"C{case.pk}: claimed" in shown(post("claim"))
    assert f"C{case.pk}: claimed" in shown(post("claim"))
    assert CaseEvent.objects.filter(kind="claimed").count() == 1
    other = Client()
    other.force_login(person())
    assert "not free" in shown(other.post(f"/case/{case.pk}/claim/", follow=True))


def test_a_case_read_blind_asks_for_a_tier_without_telling_the_machines(
    me: Account, case: Case, post: Make, client: Client
) -> None:
    Case.objects.update(is_blind=True)
    caseload.claim(me, case.pk)
    page = shown(client.get(f"/case/{case.pk}/"))
    assert "Nothing suspicious" in page
    assert "misread" not in page
    assert "selected" not in page
    assert "Say how urgent it is" in shown(post("confirm"))
    post("dismiss", reason="no_lesion")
    assert Decision.objects.get().reason == "no_lesion"


def test_handing_over_names_the_colleague_and_keeps_the_note(
    case: Case, me: Account, post: Make, person: Make
) -> None:
    other = person(name="dr.ames")
    caseload.claim(me, case.pk)
    page = shown(post("hand-over", to="", note="shift ends"))
    assert "Choose a colleague" in page
    assert 'value="shift ends"' in page
    assert "handed over to dr.ames" in shown(post("hand-over", to=other.pk, note="shift ends"))
    case.refresh_from_db()
    assert (case.assigned_to, case.claimed_by) == (other, None)


def test_release_and_next_goes_through_the_list_and_does_not_give_the_same_case_back(
    client: Client, deliver: Make, version: Make, case_of: Make
) -> None:
    deliver(version("A1", "stat"), version("A2", "stat"), version("A3", "urgent"))
    first, second, third = (case_of(key).pk for key in ("A1", "A2", "A3"))

    def leave(case: int) -> str:
        return str(client.post(f"/case/{case}/release/", {"then": "next"}).url)

    assert client.post("/case/next/").url == f"/case/{first}/"
    assert leave(first) == f"/case/{second}/"
    assert leave(second) == f"/case/{third}/"
    assert leave(third) == "/worklist/"
    assert "what you passed by comes again" in shown(client.get("/worklist/"))
    assert client.post("/case/next/").url == f"/case/{first}/"


def test_what_was_passed_by_comes_again_from_the_list_and_after_the_time_of_a_claim(
    client: Client, deliver: Make, version: Make, case_of: Make
) -> None:
    deliver(version("A1", "stat"), version("A2", "urgent"))
    first, second = case_of("A1").pk, case_of("A2").pk
    client.post("/case/next/")
    assert client.post(f"/case/{first}/release/", {"then": "next"}).url == f"/case/{second}/"
    client.post(f"/case/{second}/release/")
    assert client.post("/case/next/").url == f"/case/{first}/"
    client.post(f"/case/{first}/release/", {"then": "next"})
    session = client.session
    session["passed"] = {case: at - 16 * 60 for case, at in session["passed"].items()}
    session.save()
    assert client.post(f"/case/{second}/release/", {"then": "next"}).url == f"/case/{first}/"


@pytest.mark.parametrize("act", ["dismiss", "confirm", "release"])
def test_who_was_led_away_from_a_case_finds_the_way_back(case: Case, post: Make, act: str) -> None:
    post("claim")
    page = shown(post(act, reason="no_lesion" if act == "dismiss" else "", then="next"))
    place = "#tell" if act == "confirm" else ""
    assert f'<a href="/case/{case.pk}/{place}" data-key="u"' in page


def test_what_was_typed_when_the_claim_expired_is_carried_along_by_the_next_claim(
    case: Case, me: Account, client: Client, post: Make
) -> None:
    caseload.claim(me, case.pk)
    Case.objects.update(claim_expires=timezone.now() - timedelta(minutes=1))
    said = {"reason": "known_stable", "comment": "as in <May>", "then": "next"}
    page = post("dismiss", **said)
    assert "Claim the case again" in shown(page)
    fields = dict(page.context["unsent"])
    assert fields.items() >= {**said, "unsent": "dismiss"}.items()
    page = client.post(f"/case/{case.pk}/claim/", fields)
    assert page.context["is_mine"]
    assert page.context["kept"]["dismiss"]["comment"] == said["comment"]
    assert 'value="as in &lt;May&gt;"' in page.content.decode()
    assert client.post(f"/case/{case.pk}/claim/", {"unsent": "nonsense"}).status_code == 302
