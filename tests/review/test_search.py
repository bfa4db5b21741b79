"""Search in the texts of the cases: the same words find the same cases on both databases."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from hypothesis import HealthCheck, example, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from review import accounts, audit, caseload
from review.caseload.search import clean, searched, terms
from review.models import Account, AuditRow, Case, ReportVersion

pytestmark = [pytest.mark.database, pytest.mark.django_db]
Make = Callable[..., Any]
TEXTS = {
    "A1": "FINDINGS: Large epidural mass at T6-T8. Cord compression, 3.5 cm.",
    "A2": "FINDINGS: An epidural mass at L4/L5. No compression of the cord.",
    "A3": "Ödem: signal_change \N{EN DASH} the cord's epidural mass (C2).",
}


@pytest.fixture
def texts(deliver: Make, version: Make) -> None:
    deliver(
        *(
            version(key, "soon", text=text, patient_id=f"P-{key}", accession=f"ACC {key}")
            for key, text in TEXTS.items()
        )
    )


def found(said: str) -> list[str]:
    return [case.report.key for case in searched(Case.objects.order_by("id"), Account(), said)]


@pytest.mark.parametrize(
    ("said", "keys"),
    [
        ("epidural", "A1 A2 A3"),
        ("EPIDURAL Mass", "A1 A2 A3"),
        ("epidural compression", "A1 A2"),
        ('"cord compression"', "A1"),
        ('"compression cord"', ""),
        ("cord compression", "A1 A2"),
        ("compress*", "A1 A2"),
        ("compress", ""),
        ('"cord comp"*', "A1"),
        ("T6-T8", "A1"),
        ("T8", "A1"),
        ("l4/l5", "A2"),
        ("L5", "A2"),
        ("3.5", "A1"),
        ("signal_change", "A3"),
        ("change", "A3"),
        ("(c2)", "A3"),
        ("cord's", "A3"),
        ("ödem", "A3"),
        ("oedem", ""),
        ('"epidural mass', "A1 A2 A3"),
        ("P-A1", "A1"),
        ("P-A", ""),
        ("ACC A2", "A2"),
        ("A3", "A3"),
        ("", ""),
        ("*", ""),
        ("--- ''", ""),
    ],
)  # fmt: skip
def test_what_is_found(texts: None, said: str, keys: str) -> None:
    assert found(clean(said)) == keys.split()


def test_a_case_is_found_by_its_number(texts: None, case_of: Make) -> None:
    case = case_of("A2")
    # C2 is a vertebra as well: who types it finds the texts that name it, and the case.
    assert "A2" in found(f"C{case.pk}")
    assert found(f"C{case.pk}") == found(f"c{case.pk}")
    assert found("C" + "9" * 30) == found("C0") == []


@pytest.mark.parametrize(
    "said",
    ["a AND", "NOT", "OR OR", "NEAR(a b, 2)", "text:epidural", "^cord", "a:* & !b", "'", '"', '""', "\\",
     "a:b|c<->", "(((", "%s", "100%", "{x}", "-cord", "+cord", "a" * 200, "☃", "\u0301", "x\u200by", "²",
     "٣", "\ud800"],
)  # fmt: skip
def test_whatever_is_typed_is_no_error(texts: None, said: str) -> None:
    said = clean(said)
    assert isinstance(found(said), list)


@hypothesis_settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(said=st.text(max_size=40))
@example(said='"" * "a"b*')
def test_no_text_at_all_is_an_error(texts: None, said: str) -> None:
    assert isinstance(found(clean(said)), list)


def test_the_index_follows_a_newer_version_an_erasure_and_a_deletion(
    texts: None, deliver: Make, version: Make
) -> None:
    deliver(version("A1", "soon", "corrected", text="FINDINGS: lymphoma.", patient_id="P-A1"))
    assert found("epidural") == ["A2", "A3"]
    assert found("lymphoma") == ["A1"]
    ReportVersion.objects.filter(report__key="A2").update(text="erased")
    assert found("epidural") == ["A3"]
    assert found("erased") == ["A2"]
    old = ReportVersion.objects.filter(report__key="A1", is_current=False)
    old.get().readings.all().delete()
    old.get().inputs.update(version=None)
    Case.objects.get(report__key="A1").events.filter(version__in=old).update(version=None)
    old.delete()
    assert found("lymphoma") == ["A1"]


def test_a_report_too_long_for_an_index_is_taken_in_all_the_same(deliver: Make, version: Make) -> None:
    words = " ".join(f"w{number:06}" for number in range(200_000))
    deliver(version("A1", "soon", text=f"FINDINGS: epidural mass. {words}"))
    assert found("w000001") == ["A1"]


def test_words_follow_each_other_only_within_a_term() -> None:
    assert [(term.words, term.is_prefix) for term in terms('cord T6-T8 "mass effect"* pre* _')] == [
        (("cord",), False),
        (("t6", "t8"), False),
        (("mass", "effect"), True),
        (("pre",), True),
    ]


@pytest.fixture
def client(person: Make) -> Client:
    client = Client()
    client.force_login(person())
    return client


def test_a_search_is_in_no_address_and_its_list_is_found_by_a_number(texts: None, client: Client) -> None:
    response = client.post("/worklist/search/", {"words": "  cord   compression "})
    assert response["Location"] == "/worklist/?search=1"
    page = client.get(response["Location"]).content.decode()
    assert "“cord compression”" in page
    assert page.count("data-row") == 2
    assert client.post("/worklist/search/", {"words": "P-A3"})["Location"] == "/worklist/?search=2"
    assert client.get("/worklist/?search=2").content.count(b"data-row") == 1
    assert client.get("/worklist/?search=1&level=T6").content.count(b"data-row") == 2


def test_decided_cases_are_found_too(texts: None, client: Client, person: Make, case_of: Make) -> None:
    me, case = person(), case_of("A1")
    caseload.claim(me, case.pk)
    caseload.decide(me, case.pk, case.reading.version_id, "dismissed", reason="no_lesion")
    client.post("/worklist/search/", {"words": "epidural"})
    assert client.get("/worklist/?search=1").content.count(b"data-row") == 3
    assert client.get("/worklist/?search=1&status=open").content.count(b"data-row") == 2


def test_a_search_of_another_session_is_told_to_be_over(texts: None, client: Client, person: Make) -> None:
    client.post("/worklist/search/", {"words": "epidural"})
    other = Client()
    other.force_login(person())
    response = other.get("/worklist/?search=1")
    assert "This search is over" in response.content.decode()
    assert response.content.count(b"data-row") == 0


def test_searching_is_audited_without_the_words(texts: None, client: Client) -> None:
    client.post("/worklist/search/", {"words": "P-A1"})
    client.post("/worklist/search/", {"words": "p-a1"})
    client.post("/worklist/search/", {"words": "P-A2"})
    rows = [row.detail for row in AuditRow.objects.filter(action="list.searched").order_by("number")]
    assert [row["count"] for row in rows] == [1, 0, 1]
    assert rows[0]["words"] == rows[1]["words"] != rows[2]["words"]
    assert "P-A1" not in str(list(AuditRow.objects.values()))
    assert audit.verify()["ok"]


def test_a_search_counts_and_shows_only_what_the_person_may_see(
    texts: None, deliver: Make, version: Make
) -> None:
    deliver(version("B1", "soon", text=TEXTS["A1"]), source="south")
    accounts.add_user("south", "radiologist", sources=("south",))
    client = Client()
    account = Account.objects.get(username="south")
    account.must_change_password = False
    account.save()
    client.force_login(account)
    client.post("/worklist/search/", {"words": "epidural"})
    assert client.get("/worklist/?search=1").content.count(b"data-row") == 1
    assert AuditRow.objects.get(action="list.searched").detail["count"] == 1


@pytest.mark.parametrize("words", ["", "   ", "\0"])
def test_an_empty_search_is_told(client: Client, words: str) -> None:
    response = client.post("/worklist/search/", {"words": words}, follow=True)
    assert "Type what to search for" in response.content.decode()
    assert not AuditRow.objects.filter(action="list.searched").exists()


def test_a_session_keeps_its_last_twenty_searches(texts: None, client: Client) -> None:
    for number in range(22):
        client.post("/worklist/search/", {"words": f"word{number}"})
    kept = client.session["searches"]
    assert list(kept) == [str(number) for number in range(3, 23)]
    assert settings.SESSION_ENGINE.endswith(".db")
