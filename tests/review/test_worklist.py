"""The worklist's page: what it shows, what is new, what it records, and what it costs."""

from __future__ import annotations

import csv
import html
import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from review import audit, caseload, ledger
from review.models import AuditRow, Case, CaseEvent, Escalation

pytestmark = [pytest.mark.database, pytest.mark.django_db]
Make = Callable[..., Any]
POLL = {"HX-Request": "true"}
EVERYTHING = (
    "tier=stat&tier=urgent&tier=soon&status=all&age=1h&compartment=extradural&level=T6&concept=EPI_MASS"
    "&modality=unknown&source=inbox&decided=today&mine=1&unclaimed=1&overdue=1&untold=1"
)


@pytest.fixture
def enter(person: Make) -> Make:
    def make(role: str = "radiologist", **other: Any) -> Client:
        client = Client()
        client.force_login(person(role, **other))
        return client

    return make


@pytest.fixture
def case(deliver: Make, version: Make, case_of: Make) -> Case:
    deliver(version("A1", "stat", patient_id="PATIENT-4711"))
    found: Case = case_of("A1")
    return found


def shown(response: Any) -> str:
    return re.sub(r"\s+", " ", html.unescape(response.content.decode()))


def read(client: Client, url: str = "/worklist/", **other: Any) -> str:
    return shown(client.get(url, **other))


def test_overdue_and_escalated_are_said_in_words(enter: Make, case: Case) -> None:
    client = enter()
    assert "overdue by" not in read(client)
    Case.objects.filter(pk=case.pk).update(escalation=Escalation.LEAD)
    with time_machine.travel(timezone.now() + timedelta(minutes=75)):
        page = read(enter())
    assert "overdue by 1 h" in page
    assert "brought to the leads" in page
    assert "1 overdue" in page


def test_who_holds_a_case_and_whose_it_is(enter: Make, case: Case, person: Make) -> None:
    ann, bob = person(name="ann"), person(name="bob")
    Case.objects.filter(pk=case.pk).update(assigned_to=bob)
    caseload.claim(ann, case.pk)
    page = read(enter())
    assert "ann, 14 min left" in page
    assert "assigned to bob" in page
    client = Client()
    client.force_login(ann)
    assert "<b>you</b>, 14 min left" in read(client)


def test_a_returned_case_says_so(enter: Make, case: Case, person: Make) -> None:
    account = person()
    caseload.claim(account, case.pk)
    caseload.give_back(account, case.pk, "ask neuro")
    assert '<span class="badge">returned</span>' in read(enter())


def test_a_blind_case_shows_nothing_of_its_reading_to_who_may_decide(
    enter: Make, deliver: Make, version: Make
) -> None:
    deliver(version("A1", "soon"))
    Case.objects.update(is_blind=True)
    for role in ("radiologist", "lead"):
        page = read(enter(role))
        assert "read without the machine's marks" in page
        assert not re.search("epidural|EPIDURAL|T6 ·|extradural ·", page.partition("<tbody>")[2])
    assert "epidural mass · T6" in read(enter("auditor"))
    assert "epidural" not in enter("lead").get("/worklist/export/").content.decode()


def test_the_counts_are_of_all_open_cases_whatever_the_filter(
    enter: Make, deliver: Make, version: Make
) -> None:
    deliver(version("A1", "stat"), version("A2", "soon"), version("A3", "soon"), version("A4", "unread"))
    page = read(enter(), "/worklist/?tier=soon")
    strip = re.sub(r"<[^>]+>", "", page.partition('class="strip"')[2].partition("</nav>")[0])
    for told in ("4 open", "STAT 1", "urgent 0", "soon 2", "unread 1", "Unclaimed 4", "Mine 0"):
        assert told in strip
    assert "<b>2</b> cases with these filters; 4 open in all." in page


@pytest.mark.parametrize("method", ["get", "post"])
def test_no_filter_is_ever_an_error_of_the_program(enter: Make, case: Case, method: str) -> None:
    client = enter("lead")
    for query in ("tier=x", "a=b&c", "%", "%ff%00", "tier[]=1", "level=T6&level=", "search=" + "9" * 99, "="):
        assert getattr(client, method)(f"/worklist/?{query}").status_code in (200, 400, 405)
    assert getattr(client, method)("/worklist/export/?tier=x").status_code in (400, 405)


def test_a_wrong_filter_shows_no_list(enter: Make, case: Case) -> None:
    response = enter().get("/worklist/?tier=high")
    assert response.status_code == 400
    page = shown(response)
    assert "The filter 'tier' cannot be 'high'; expected stat, urgent, soon, unread." in page
    assert "data-row" not in page
    assert "STAT" in page


def test_an_empty_list_says_which_reason_it_has(enter: Make, case: Case, run: Make) -> None:
    assert "No case fits these filters, but 1 waits. <a" in read(enter(), "/worklist/?tier=soon")
    limited = read(enter(sources=("south",)))
    assert "No case waits among those you may see (sources: south)" in limited
    assert "This account sees these sources only: south" in limited


def test_late_and_failed_intake_is_told_above_the_list(enter: Make, case: Case, run: Make) -> None:
    ledger.close_run(run(), "completed")
    assert "banner" not in read(enter()).partition('id="live"')[2]
    ledger.close_run(run(), "failed", "OSError")
    assert "The last run failed (OSError)" in read(enter())
    with time_machine.travel(timezone.now() + timedelta(hours=11)):
        assert "Intake is late" in read(enter())


def test_rejected_inputs_are_counted_and_their_page_is_linked_for_who_may_open_it(
    enter: Make, case: Case, deliver: Make
) -> None:
    deliver("binary", "binary")
    assert "2 inputs rejected on the way in" in read(enter())
    assert "/rejected/" not in read(enter())
    assert 'href="/rejected/">why' in read(enter("lead"))


def test_a_new_stat_case_is_told_until_it_is_seen(
    enter: Make, deliver: Make, version: Make, case_of: Make
) -> None:
    client = enter()
    deliver(version("A0", "stat"))
    assert "new STAT" not in read(client)  # nobody saw the list before, so all of it is as new
    deliver(version("A1", "stat"), version("A2", "stat"), version("A3", "urgent"))
    page = read(client, headers=POLL)
    assert "<title>(2 new STAT) Worklist" in page
    assert "▲ 2 new STAT" in page
    assert page.count('<span class="badge">new</span>') == 2
    until = re.search(r'name="until" value="([^"]+)"', page)
    assert until
    deliver(version("A4", "stat"))
    client.post("/worklist/seen/", {"until": until[1]})
    page = read(client)
    assert "(1 new STAT)" in page
    assert f"C{case_of('A4').pk}</a>" in page


def test_a_stat_case_that_somebody_took_is_no_news(
    enter: Make, deliver: Make, version: Make, case_of: Make, person: Make
) -> None:
    client = enter()
    client.get("/worklist/")
    deliver(version("A1", "stat"))
    assert "1 new STAT" in read(client)
    caseload.claim(person(), case_of("A1").pk)
    assert "new STAT" not in read(client)


def test_an_escalated_case_is_told_again(enter: Make, case: Case) -> None:
    client = enter()
    client.get("/worklist/")
    with time_machine.travel(timezone.now() + timedelta(minutes=21)):
        caseload.escalate(timezone.now())
        page = read(client, headers=POLL)
        assert f'Overdue, called out:</strong> <a id="late-{case.pk}"' in page
        client.post("/worklist/seen/", {"until": timezone.now().isoformat()})
        assert "called out" not in read(client)
    assert CaseEvent.objects.filter(kind="again").count() == 1


@pytest.mark.parametrize(
    "until",
    [
        "",
        "x",
        "2026-13-45T00:00:00Z",
        "2026-01-01T00:00:00",
        "2026-01-01T00:00:00Z",
        "9999-01-01T00:00:00Z",
        "0001-01-01T00:00:00+23:59",
    ],
)
def test_news_are_not_hidden_by_a_moment_that_cannot_be(
    enter: Make, deliver: Make, version: Make, until: str
) -> None:
    client = enter()
    client.get("/worklist/")
    deliver(version("A1", "stat"))
    assert client.post("/worklist/seen/", {"until": until}).status_code == 302
    assert "1 new STAT" in read(client)


def test_news_seen_by_htmx_leave_the_page_where_it_is(enter: Make, case: Case) -> None:
    response = enter().post("/worklist/seen/", {"until": timezone.now().isoformat()}, headers=POLL)
    assert (response.status_code, response["HX-Trigger"]) == (204, "refresh")


def test_a_poll_of_the_same_cases_is_not_recorded_again(
    enter: Make, deliver: Make, version: Make, case: Case
) -> None:
    def recorded() -> list[list[int]]:
        rows = AuditRow.objects.filter(action="list.read").order_by("number")
        return [row.detail["cases"] for row in rows]

    client = enter()
    client.get("/worklist/")
    for _ in range(3):
        assert "<html" not in read(client, headers=POLL)
    assert recorded() == [[case.pk]]
    client.get("/worklist/?tier=soon")
    client.get("/worklist/", headers=POLL)
    assert recorded() == [[case.pk]]
    deliver(version("A2", "soon"))
    client.get("/worklist/", headers=POLL)
    client.get("/worklist/", headers=POLL)
    assert len(recorded()) == 2
    assert len(recorded()[1]) == 2
    client.get("/worklist/")
    assert len(recorded()) == 3
    other = enter()
    other.get("/worklist/", headers=POLL)
    assert len(recorded()) == 4


def test_the_list_seen_last_is_where_a_person_goes_on(enter: Make, case: Case) -> None:
    client = enter()
    client.get("/worklist/?level=T6&tier=stat&page=1")
    assert client.session["list"] == "tier=stat&level=T6"
    client.get("/worklist/?tier=nonsense")
    assert client.session["list"] == "tier=stat&level=T6"


def test_the_export_holds_what_is_shown_and_no_text(
    enter: Make, deliver: Make, version: Make, case: Case
) -> None:
    deliver(version("A2", "soon", description="=HYPERLINK(1)"), version("A3", "soon"))
    client = enter("lead")
    response = client.get("/worklist/export/?tier=soon&tier=stat")
    table = list(csv.DictReader(response.content.decode().splitlines()))
    assert [row["tier"] for row in table] == ["stat", "soon", "soon"]
    assert table[0]["case"] == case.name
    assert table[0]["why"] == "epidural mass · T6 · extradural"
    assert table[1]["study"].startswith("'=")
    text = response.content.decode()
    assert "Large" not in text
    assert "PATIENT" not in text
    row = AuditRow.objects.get(action="exported")
    assert row.detail["count"] == 3
    assert set(row.detail) == {"count", "cases"}
    assert audit.verify()["ok"]


def test_only_who_may_export_is_offered_it(enter: Make, case: Case) -> None:
    assert "worklist/export/?tier=stat" in read(enter("lead"), "/worklist/?tier=stat")
    assert "worklist/export" not in read(enter())


def test_the_command_takes_the_same_filters(deliver: Make, version: Make, person: Make) -> None:
    deliver(version("A1", "stat"), version("A2", "soon"))
    account = person()
    rows = caseload.listing(account, None, "tier=soon&unclaimed=1")
    assert [row["report"] for row in rows] == ["A2"]
    assert caseload.total(account, "tier=soon") == 1
    with pytest.raises(caseload.FilterError):
        caseload.listing(account, None, "tier=no")


@pytest.mark.parametrize("headers", [{}, POLL])
@pytest.mark.parametrize("query", ["", "status=all", EVERYTHING, "search=1", f"search=1&{EVERYTHING}"])
def test_the_database_is_asked_no_more_often_for_sixty_cases_than_for_three(
    enter: Make, deliver: Make, version: Make, query: str, headers: dict[str, str]
) -> None:
    client = enter("lead")
    deliver(*(version(f"A{number}", "soon") for number in range(3)))
    client.post("/worklist/search/", {"words": "epidural mass"})
    asked = []
    for more in (0, 57):
        if more:
            deliver(*(version(f"B{number}", "stat") for number in range(more)))
        client.get(f"/worklist/?{query}")
        with CaptureQueriesContext(connection) as queries:
            assert client.get(f"/worklist/?{query}", headers=headers).status_code == 200
        asked.append(len(queries))
    assert asked[0] == asked[1] < 40
