"""Why was this report queued, or not? Answered for any report ever seen."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from review import caseload, ledger
from review.models import AuditRow, Input, Portion

pytestmark = [pytest.mark.database, pytest.mark.django_db]
Make = Callable[..., Any]


@pytest.fixture
def seen(deliver: Make, version: Make) -> None:
    routine = version("R/1", "routine", accession="ACC1")
    deliver(version("S/1", "stat", accession="ACC1", warnings=("no_study_found",)), routine, "binary")
    deliver(routine)


@pytest.mark.usefixtures("seen")
def test_a_report_that_was_not_queued_is_explained(person: Make) -> None:
    found = ledger.explain("R/1", person("auditor"))
    assert found is not None
    assert (found["report"], found["outcome"], found["reason"], found["case"]) == ("R/1", "routine", "", None)
    assert found["reading"]["tier"] == "routine"
    assert found["run"]["rules_version"] == "sha256:abc"
    assert [row["outcome"] for row in found["inputs"]] == ["routine", "duplicate"]
    assert [row["current"] for row in found["versions"]] == [True]


@pytest.mark.usefixtures("seen")
def test_a_report_is_found_by_each_of_its_names(person: Make, case_of: Make) -> None:
    account = person("lead")
    number = Input.objects.get(version__report__key="S/1")
    for name in ("S/1", case_of("S/1").name, f"I{number.pk}", number.portion.path):
        found = ledger.explain(name, account)
        assert found is not None
        assert (found["report"], found["outcome"]) == ("S/1", "queued")
        assert found["case"]["status"] == "waiting"
        assert found["warnings"] == ["no_study_found"]


@pytest.mark.usefixtures("seen")
def test_an_accession_number_with_two_reports_names_the_other(person: Make) -> None:
    found = ledger.explain("ACC1", person())
    assert found is not None
    assert {found["report"], *found["also"]} == {"S/1", "R/1"}


@pytest.mark.usefixtures("seen")
def test_a_rejected_input_is_explained_by_its_path(person: Make) -> None:
    path = Portion.objects.get(inputs__outcome="rejected").path
    found = ledger.explain(path, person())
    assert found is not None
    assert (found["report"], found["outcome"], found["reason"]) == (None, "rejected", "binary")


@pytest.mark.usefixtures("seen")
def test_what_was_never_seen_or_is_of_another_source_is_not_explained(person: Make) -> None:
    assert ledger.explain("S/2", person()) is None
    assert ledger.explain("C99999999999999999999", person()) is None
    assert ledger.explain("S/1", person(sources=("elsewhere",))) is None


@pytest.mark.usefixtures("seen")
def test_an_explanation_is_audited(person: Make, case_of: Make) -> None:
    account = person("auditor")
    ledger.explain("S/1", account)
    row = AuditRow.objects.latest("number")
    assert (row.action, row.actor) == ("report.explained", account.actor)
    assert row.subject == f"report:{case_of('S/1').report_id}"


def test_a_decision_is_part_of_the_explanation(
    deliver: Make, version: Make, person: Make, case_of: Make
) -> None:
    deliver(version("A1"))
    account = person()
    caseload.claim(account, case_of("A1").pk)
    caseload.decide(account, case_of("A1").pk, case_of("A1").reading.version_id, "confirmed")
    found = ledger.explain("A1", account)
    assert found is not None
    assert found["case"]["status"] == "confirmed"
    assert found["case"]["decisions"][0]["by"] == account.username


def test_the_outcome_table_has_a_row_for_each_input_and_no_text(
    run: Make, deliver: Make, version: Make
) -> None:
    number = run()
    held = version("A1", "stat", warnings=("no_study_found",))
    deliver(held, version("A2", "routine"), "binary", held, run_id=number)
    rows = list(ledger.outcome_rows(number))
    assert [(row["report"], row["outcome"], row["tier"]) for row in rows] == [
        ("A1", "queued", "stat"),
        ("A2", "routine", "routine"),
        ("", "rejected", ""),
        ("A1", "duplicate", "stat"),
    ]
    assert (rows[0]["case"][0], rows[1]["case"], rows[0]["warnings"]) == ("C", "", ["no_study_found"])
    assert "epidural" not in str(rows)
