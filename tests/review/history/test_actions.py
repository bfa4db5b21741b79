"""Who did what: each act in words, repeats folded and never dropped, filters, tables."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from review import audit, caseload
from review.history import actions
from review.history.words import WORDS
from review.models import AuditHead, AuditRow, Case, Role

pytestmark = [pytest.mark.database, pytest.mark.django_db]
Make = Callable[..., Any]


def looked(account: Any, case: int = 1) -> None:
    audit.record(audit.Action.CASE_READ, actor=account.actor, subject=f"case:{case}")


def test_each_act_of_the_closed_list_has_words_of_its_own() -> None:
    assert set(WORDS) == set(audit.Action)
    assert len(set(WORDS.values())) == len(WORDS)
    assert all(said.count("{}") <= 1 for said in WORDS.values())


def test_repeats_are_folded_and_none_is_dropped(person: Make) -> None:
    ann, ben = person("radiologist", name="ann"), person("radiologist", name="ben")
    for _ in range(3):
        looked(ann)
        looked(ben)
    looked(ann, 2)
    looked(ann)
    entries = actions.fold(AuditRow.objects.filter(action="case.read").order_by("-number"), person("auditor"))
    told = [(entry.by, "".join(entry.words), len(entry.lines)) for entry in entries]
    assert told == [
        ("ann", "opened case C1", 1),
        ("ann", "opened case C2", 1),
        ("ben", "opened case C1", 3),
        ("ann", "opened case C1", 3),
    ]
    assert sum(len(entry.lines) for entry in entries) == 8
    assert entries[3].oldest.number < entries[3].newest.number


def test_reading_the_audit_is_audited_once_a_page_with_its_filters(enter: Make, person: Make) -> None:
    ann = person("radiologist")
    looked(ann)
    client = enter("auditor")
    page = client.get("/history/", {"by": ann.pk, "action": "case.read"}).content.decode()
    assert "opened <a" in page
    rows = AuditRow.objects.filter(action="audit.read")
    assert [row.detail for row in rows] == [
        {"filters": {"by": str(ann.pk), "action": "case.read"}, "rows": 1}
    ]


def test_filters_leave_what_they_say(person: Make) -> None:
    ann, ben = person("radiologist"), person("radiologist")
    looked(ann, 7)
    looked(ben, 7)
    looked(ben, 8)

    def left(**query: str) -> int:
        return actions.rows_of(actions.chosen({"action": "case.read"} | query)).count()

    assert (left(), left(by=str(ann.pk)), left(by="system")) == (3, 1, 0)
    assert (left(about="case:7"), left(about="C8"), left(about="run:7")) == (2, 1, 0)
    at = AuditRow.objects.latest("number").at
    second = timedelta(seconds=1)
    assert left(since=(at - 60 * second).isoformat(timespec="seconds")) == 3
    assert left(since=(at + second).isoformat(timespec="seconds")) == 0
    assert left(until=(at - 60 * second).isoformat(timespec="seconds")) == 0


@pytest.mark.parametrize(
    "query",
    [
        {"by": "ann"}, {"by": "-1"}, {"by": "9" * 20}, {"action": "case.eaten"}, {"about": "the patient"},
        {"about": "case:1 OR 1"}, {"since": "x"}, {"until": "2026-99-01"}, {"name": "x"},
        {"since": "2026-11-02", "until": "2026-11-01"},
    ],
)  # fmt: skip
@pytest.mark.parametrize("url", ["/history/", "/history.csv"])
def test_a_filter_that_cannot_be_used_is_told(enter: Make, url: str, query: dict[str, str]) -> None:
    response = enter("auditor").get(url, query)
    assert response.status_code == 400
    assert any(word in response.content.decode() for word in ("expected", "known are", "earlier first"))
    assert not AuditRow.objects.filter(action__in=("audit.read", "exported")).exists()


def test_a_long_audit_comes_in_pieces_and_the_table_has_all_of_it(
    enter: Make, person: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(actions, "CHUNK", 2)
    ann = person("radiologist", name="@ann")
    for case in range(1, 6):
        looked(ann, case)
    auditor = person("auditor")
    given = actions.chosen({"action": "case.read"})
    first = actions.show(auditor, given, size=3)
    rest = actions.show(auditor, given, first.before, size=3)
    assert ([first.rows, rest.rows], rest.before) == ([3, 2], 0)
    response = enter("auditor").get("/history.csv", {"action": "case.read"})
    rows = list(csv.DictReader(io.StringIO(b"".join(response.streaming_content).decode())))
    assert [row["about"] for row in rows] == [f"case:{case}" for case in range(5, 0, -1)]
    assert rows[0]["by"] == "'@ann"  # no formula
    assert rows[0]["words"] == "opened case C5"
    told = AuditRow.objects.latest("number")
    assert (told.action, told.detail["count"]) == ("exported", 5)


def test_pieces_lose_nothing_when_the_clock_of_the_database_went_back(person: Make) -> None:
    ann, auditor = person("radiologist"), person("auditor")
    noon = datetime(2026, 11, 1, 12, tzinfo=UTC)
    head = AuditRow.objects.order_by("-number").values_list("number", flat=True).first() or 0
    AuditRow.objects.bulk_create(
        AuditRow(
            number=head + 1 + number,
            at=noon + timedelta(minutes=minute),
            actor=ann.actor,
            action="case.read",
            subject=f"case:{number}",
            mac="",
        )
        for number, minute in enumerate((1, 9, 3, 3, 60, 5))
    )
    AuditHead.objects.update_or_create(pk=1, defaults={"number": head + 6})
    given = actions.chosen({"since": "2026-11-01T12:00Z", "until": "2026-11-01T13:00Z"})
    seen, before = [], 0
    while True:
        piece = actions.show(auditor, given, before, size=2)
        seen += [row.subject for entry in piece.entries for row, _ in entry.lines]
        before = piece.before
        if not before:
            break
    assert seen == ["case:1", "case:5", "case:3", "case:2", "case:0"]


def test_the_audit_gives_nothing_away_of_what_is_read_blind(
    deliver: Make, version: Make, person: Make, case_of: Make
) -> None:
    deliver(version("A1", "soon"))
    case = case_of("A1")
    Case.objects.update(is_blind=True)
    audit.record(audit.Action.SAMPLE_DRAWN, actor=audit.SYSTEM, subject="sample:soon", cases=[case.pk])
    caseload.claim(person(), case.pk)
    for role, tells in ((Role.LEAD, False), (Role.AUDITOR, True)):
        shown = actions.show(person(role), {})
        beside = {entry.newest.action: entry.lines[0][1] for entry in shown.entries}
        assert (f"cases C{case.pk}" in beside["sample.drawn"]) is tells
        assert ("soon" in beside["case.claimed"]) is tells


def test_a_person_of_the_command_is_found_by_name(person: Make) -> None:
    ann = person("radiologist", name="ann")
    assert [actions.by_name(name) for name in ("ann", "system", "")] == [str(ann.pk), "system", ""]
    with pytest.raises(actions.AskedError, match="no account 'nobody'"):
        actions.by_name("nobody")


def test_a_report_s_history_names_the_tables_that_may_have_held_its_case(
    deliver: Make, version: Make, enter: Make, case_of: Make
) -> None:
    client = enter("auditor")
    client.get("/worklist/export/")
    deliver(version("A1", "stat"))
    client.get("/worklist/export/")
    url = f"/report/{case_of('A1').report_id}/history/"
    assert "took away" not in client.get(url).content.decode()
    page = client.get(url, {"lists": 1}).content.decode()
    assert page.count("took away a table of 1 case;") == 1
    assert "a table of 0 cases" not in page
