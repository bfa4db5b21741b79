"""Other reports of the patient: whose they are, who may see them, and what a blind case keeps back."""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from review import caseload
from review.models import AuditRow, Case, Report

pytestmark = [pytest.mark.database, pytest.mark.django_db]
Make = Callable[..., Any]
MINE = {"patient_id": "P1", "patient_issuer": "X"}
BLIND = "Read blind: the machine's reading is shown after your decision."


def shown(response: Any) -> str:
    assert response.status_code == 200
    return re.sub(r"\s+", " ", html.unescape(response.content.decode()))


def others(page: str) -> list[str]:
    """Return the rows of the table of other reports, as they read."""
    table = page[page.index("earlier-title") :].partition("</section>")[0]
    rows = re.findall(r"<tr> (.*?)</tr>", table)
    return [re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", row)).strip() for row in rows]


@pytest.fixture
def of(enter: Make) -> Make:
    """Return the other reports on the page of a report's case."""

    def make(key: str = "A1", **who: Any) -> list[str]:
        return others(shown(enter(**who).get(f"/case/{Case.objects.get(report__key=key).pk}/")))

    return make


def test_other_reports_of_the_patient_are_listed_the_newest_first_with_their_case(
    deliver: Make, version: Make, of: Make, case_of: Make
) -> None:
    def at(day: int) -> datetime:
        return datetime(2026, 1, day, tzinfo=UTC)

    deliver(
        version("A1", **MINE),
        version("B1", "soon", result_time=at(2), modality="MR", description="MR SPINE", **MINE),
        version(
            "B2", "routine", result_time=at(5), modality="CT", context={"study_date": "2026-01-04"}, **MINE
        ),
        version("B3", "unread", result_time=at(1), **MINE),
    )
    case = case_of("B1")
    assert [re.sub(r" Read .*", "", row) for row in of()] == [
        "2026-01-04 CT · routine nothing to review –",
        f"2026-01-02 MR MR SPINE ○ soon waiting {case.name}",
        f"2026-01-01 ? unread waiting {case_of('B3').name}",
    ]


@pytest.mark.parametrize(
    "other",
    [
        {"patient_id": "P2", "patient_issuer": "X"},
        {"patient_id": "P1", "patient_issuer": "Y"},
        {"patient_id": "P1", "patient_issuer": ""},
        {"patient_id": "", "patient_issuer": "X"},
    ],
)
def test_another_number_or_issuer_is_another_patient(
    deliver: Make, version: Make, of: Make, other: dict[str, str]
) -> None:
    deliver(version("A1", **MINE), version("B1", **other))
    assert of() == []


def test_an_empty_patient_id_is_nobodys(deliver: Make, version: Make, of: Make) -> None:
    nobody = {"patient_id": "", "patient_issuer": "X"}
    deliver(version("A1", **nobody), version("B1", **nobody))
    assert of() == []


def test_a_number_without_an_issuer_counts_within_its_source_only(
    deliver: Make, version: Make, of: Make
) -> None:
    bare = {"patient_id": "P1", "patient_issuer": ""}
    deliver(version("A1", **bare), version("B1", **bare), source="north")
    deliver(version("B2", **bare), source="south")
    assert len(of()) == 1


def test_reports_of_a_source_that_one_may_not_see_are_neither_listed_nor_counted_nor_opened(
    deliver: Make, version: Make, enter: Make, of: Make
) -> None:
    deliver(version("A1", **MINE), source="north")
    deliver(version("B1", **MINE), source="south")
    assert len(of()) == 1
    assert of(sources=("north",)) == []
    other = Report.objects.get(key="B1").pk
    assert enter(sources=("north",)).get(f"/report/{other}/").status_code == 404
    assert not AuditRow.objects.filter(action="report.read").exists()


def test_many_reports_are_paged_with_a_true_count(deliver: Make, version: Make, enter: Make) -> None:
    deliver(version("A1", **MINE), *(version(f"B{number}", "routine", **MINE) for number in range(60)))
    client, at = enter(), f"/case/{Case.objects.get().pk}/"
    page = shown(client.get(at))
    assert len(others(page)) == 50
    assert "page 1 of 2, 60 in all" in page
    assert len(others(shown(client.get(at, {"page": "2"})))) == 10


def test_open_cases_of_the_same_patient_are_named_beside_the_decision(
    deliver: Make, version: Make, enter: Make, person: Make, case_of: Make
) -> None:
    deliver(version("A1", **MINE), version("B1", "urgent", **MINE), version("B2", "soon", **MINE))
    caseload.claim(person(name="dr.blue"), case_of("B1").pk)
    page = shown(enter().get(f"/case/{case_of('A1').pk}/"))
    together = page[page.index("together-title") :].partition("</section>")[0]
    assert "in review by dr.blue" in together
    assert f"/case/{case_of('B2').pk}/" in together


def test_an_earlier_reports_text_is_shown_with_its_marks_and_reading_it_is_recorded(
    deliver: Make, version: Make, enter: Make
) -> None:
    deliver(version("B1", "soon", **MINE))
    report = Report.objects.get()
    page = shown(enter("auditor").get(f"/report/{report.pk}/"))
    assert 'id="finding-0"' in page
    row = AuditRow.objects.order_by("-number")[0]
    assert (row.action, row.subject) == ("report.read", f"report:{report.pk}")
    assert row.detail == {"version": report.versions.get().pk}


def test_an_earlier_version_is_shown_as_it_was(deliver: Make, version: Make, enter: Make) -> None:
    deliver(version("B1", "soon"))
    deliver(version("B1", "soon", "corrected", text="FINDINGS: No epidural mass."))
    client, at = enter(), f"/report/{Report.objects.get().pk}/"
    assert "Large </" not in shown(client.get(at))
    old = shown(client.get(at, {"version": "1"}))
    assert "not the current version" in old
    assert "IMPRESSION" in old
    assert "What changed since version 1" in shown(client.get(at))


@pytest.mark.parametrize("asked", ["3", "0", "9" * 9, "x", "-1", "9" * 5000])
def test_a_version_that_is_not_there_is_not_found_and_nonsense_means_the_current_one(
    deliver: Make, version: Make, enter: Make, asked: str
) -> None:
    deliver(version("B1", "soon"))
    response = enter().get(f"/report/{Report.objects.get().pk}/", {"version": asked})
    assert response.status_code == (404 if asked in ("3", "0", "9" * 9) else 200)


# What would tell a blind reader what the machine reads, or that the case is a sample.
TELLING = (
    "epidural mass ·",
    "<mark",
    "badge",
    "row-0",
    "<code>R1",
    "sample",
    "calmer",
    "<svg",
    "sha256",
    "points",
    "routine",
)


@pytest.fixture
def blind(deliver: Make, version: Make, case_of: Make) -> Case:
    deliver(version("A1", "soon", **MINE))
    deliver(
        version("A1", "routine", "corrected", text="FINDINGS: Large epidural mass at T6, stable.", **MINE)
    )
    Case.objects.update(is_blind=True)
    found = case_of("A1")
    assert isinstance(found, Case)
    return found


@pytest.mark.parametrize("role", ["radiologist", "lead"])
@pytest.mark.parametrize("page", ["case", "report"])
def test_a_blind_case_shows_its_text_and_nothing_of_the_reading(
    enter: Make, blind: Case, role: str, page: str
) -> None:
    client = enter(role)
    at = f"/case/{blind.pk}/" if page == "case" else f"/report/{blind.report_id}/"
    told = shown(client.get(at))
    assert BLIND in told
    assert "Large epidural mass at T6, stable" in told
    assert "P1" in told
    assert [word for word in TELLING if word in told] == []
    for number in (1, 2):
        told = shown(client.get(f"/report/{blind.report_id}/", {"version": number}))
        assert [word for word in TELLING if word in told] == []


def test_a_blind_case_tells_nothing_on_the_page_of_another_report_of_the_patient(
    enter: Make, blind: Case, deliver: Make, version: Make, of: Make
) -> None:
    deliver(version("B1", "stat", **MINE))
    assert [re.sub(r" Read .*", "", row)[11:] for row in of("B1")] == [f"waiting {blind.name}"]


def test_who_decides_nothing_sees_a_blind_case_whole(enter: Make, blind: Case) -> None:
    page = shown(enter("auditor").get(f"/case/{blind.pk}/"))
    assert BLIND not in page
    assert 'id="finding-0"' in page or "affirms no finding" in page


def test_a_blind_case_shows_everything_once_it_is_decided(enter: Make, blind: Case, person: Make) -> None:
    ann = person()
    caseload.claim(ann, blind.pk)
    caseload.decide(ann, blind.pk, blind.reading.version_id, "dismissed", reason="no_lesion")
    page = shown(enter().get(f"/case/{blind.pk}/"))
    assert BLIND not in page
    assert "Why it is here" in page


def test_the_holder_of_a_blind_case_hears_of_a_newer_version_in_neutral_words(
    enter: Make, blind: Case, person: Make, deliver: Make, version: Make
) -> None:
    caseload.claim(person(), blind.pk)
    deliver(version("A1", "routine", "corrected", text="FINDINGS: third text.", **MINE))
    page = shown(enter().get(f"/case/{blind.pk}/"))
    assert "Since the case was claimed, a newer version arrived (version 3)" in page
    assert "less urgent" not in page
