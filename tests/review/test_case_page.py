"""The case page: what a radiologist reads before and after a decision."""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from review import caseload, ledger
from review.findings import LISTED
from review.models import Account, Case, CaseEvent, Correction, Decision, Escalation
from review.records import NewPortion, NewSeries, NewStudy

pytestmark = [pytest.mark.database, pytest.mark.django_db]
Make = Callable[..., Any]
TEXT = "FINDINGS: Large epidural mass at T6.\nIMPRESSION: Epidural mass."


def shown(response: Any) -> str:
    assert response.status_code == 200
    return re.sub(r"\s+", " ", html.unescape(response.content.decode()))


def words(page: str) -> str:
    """Return the page as it reads, without its tags."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", page))


@pytest.fixture
def case(deliver: Make, version: Make, case_of: Make) -> Case:
    deliver(version("A1", "stat", patient_id="P1", patient_issuer="X", accession="ACC1"))
    found = case_of("A1")
    assert isinstance(found, Case)
    return found


@pytest.fixture
def decide(person: Make) -> Make:
    def make(case: Case, verdict: str = "confirmed", **other: Any) -> Decision:
        account = person(name="dr.grey")
        assert caseload.claim(account, case.pk)
        return caseload.decide(account, case.pk, case.reading.version_id, verdict, **other)

    return make


@pytest.fixture
def correct(person: Make) -> Make:
    def make(case: Case, account: Account, kind: str, start: int, end: int, **other: Any) -> Correction:
        made = {"case": case, "reading": case.reading, "account": account, "at": timezone.now(), "kind": kind}
        return Correction.objects.create(**made | {"start": start, "end": end} | other)

    return make


def test_the_status_line_tells_waiting_limit_and_arrival(enter: Make, case: Case) -> None:
    page = words(shown(enter().get(f"/case/{case.pk}/")))
    assert "waiting · waits 0 min of 15 min" in page
    assert "first arrived" in page
    assert "waiting since" in page
    assert "overdue" not in page


def test_an_overdue_case_says_by_how_much_and_who_was_called_and_for_whom_it_is(
    enter: Make, case: Case, person: Make
) -> None:
    since = timezone.now() - timedelta(minutes=75)
    Case.objects.update(waiting_since=since, escalation=Escalation.LEAD, assigned_to=person(name="dr.blue"))
    page = words(shown(enter().get(f"/case/{case.pk}/")))
    assert "waits 1 h 15 min of 15 min, overdue by 1 h" in page
    assert "brought to the leads" in page
    assert "assigned to dr.blue" in page


def test_a_claimed_case_can_be_read_by_others_and_says_how_long_it_is_held(
    enter: Make, case: Case, person: Make
) -> None:
    caseload.claim(person(name="dr.grey"), case.pk)
    page = words(shown(enter().get(f"/case/{case.pk}/")))
    assert re.search(r"in review by dr.grey, 1[45] min left", page)
    assert "epidural mass · T6 · extradural" in page


def test_findings_lead_to_their_words_and_the_words_back(enter: Make, case: Case) -> None:
    page = shown(enter().get(f"/case/{case.pk}/"))
    assert '<a href="#finding-0"><q>epidural mass</q></a>' in page
    assert 'id="finding-0" data-start="16" data-end="29"' in page
    assert '<tr id="row-0">' in page
    assert 'href="#row-0">present · ED</a>' in page


def test_a_finding_whose_words_are_not_in_the_text_has_no_dead_link(
    enter: Make, deliver: Make, version: Make, reading: Make, finding: Make
) -> None:
    deliver(version(reading=reading(findings=[finding(start=5000, end=5010)])))
    page = shown(enter().get(f"/case/{Case.objects.get().pk}/"))
    assert "#finding-0" not in page
    assert '<tr id="row-0">' in page


def test_why_it_is_here_in_plain_words(enter: Make, deliver: Make, version: Make, reading: Make) -> None:
    reasons = [
        {"rule": "B", "points": 30, "text": "epidural mass, present"},
        {"rule": "T", "points": -10, "text": "stable or old"},
        {"rule": "R1", "tier": "stat", "text": "compression of the cord"},
        {"rule": "C3", "tier": "urgent", "text": "stat needs contact"},
    ]
    read = reading(
        "stat", reasons=reasons, decided_by="R1", score=20, red_flags=["cancer_history"], conflicts=["x"]
    )
    deliver(version(reading=read))
    page = words(shown(enter().get(f"/case/{Case.objects.get().pk}/")))
    for said in (
        "B what the lesion is epidural mass, present +30 points",
        "T change over time stable or old -10 points",
        "R1 lifts the priority compression of the cord ← decided at least stat",
        "C3 limits the priority stat needs contact at most urgent",
        "decided by rule R1, compression of the cord",
        "Red flags: cancer history",
        "The report disagrees with itself: x",
    ):
        assert said in page


def test_a_reading_of_older_rules_than_the_newest_completed_run_is_marked(
    enter: Make, case: Case, run: Make
) -> None:
    client, mark = enter(), "Read with older rules"
    ledger.close_run(run(rules_version="sha256:abc"), "completed")
    assert mark not in shown(client.get(f"/case/{case.pk}/"))
    newer = run(rules_version="sha256:new")
    assert mark not in shown(client.get(f"/case/{case.pk}/"))
    ledger.close_run(newer, "completed")
    assert mark in shown(client.get(f"/case/{case.pk}/"))


@pytest.mark.parametrize(
    ("link", "expected"),
    [
        ("", ""),
        ("https://v.example/{accession}", 'href="https://v.example/ACC1"'),
        ("https://v.example/{study_uid}", "no study is known for this report"),
        ("https://v.example/{study_uid}/{accession}", "no study is known for this report"),
    ],
)
def test_a_viewer_opens_only_with_all_that_it_needs(
    enter: Make, case: Case, settings: Any, link: str, expected: str
) -> None:
    settings.SITE = replace(settings.SITE, viewer_link=link)
    page = shown(enter().get(f"/case/{case.pk}/"))
    assert expected in page
    assert ("v.example" in page) == expected.startswith("href")
    assert ("images cannot be opened" in page) == expected.startswith("no study")


def test_the_facts_of_patient_study_and_images_are_told(
    enter: Make, deliver: Make, version: Make, run: Make, case_of: Make
) -> None:
    shard = ledger.add_shard(run(), [NewPortion(kind="studies", source="pacs", path="a", fingerprint="f")])
    assert shard is not None
    study = NewStudy(
        study_uid="1.2.3", source="pacs", folder="a", modality="MR", body_part="TSPINE",
        contrast_agent="GADOBUTROL",
        study_time="2026-10-01T08:30:00",
        series=tuple(NewSeries(series_uid=f"1.2.3.{n}", modality="MR", instances=n) for n in (1, 2)),
    )  # fmt: skip
    ledger.store_studies(shard, [study], [])
    context = {"patient_age": "067Y", "patient_class": "O", "indication": "weak legs"}
    deliver(version("A1", study_uid="1.2.3", patient_issuer="HOSPITAL", context=context))
    page = words(shown(enter().get(f"/case/{case_of('A1').pk}/")))
    for said in (
        "Study uid 1.2.3", "2 series, 3 images", "Body part TSPINE", "Contrast GADOBUTROL",
        "Study time 2026-10-01 08:30",
        "Id given by HOSPITAL", "Age 67 y", "Class out-patient", "Indication weak legs",
    ):  # fmt: skip
        assert said in page


def test_a_newer_version_shows_what_changed_word_by_word(
    enter: Make, case: Case, deliver: Make, version: Make
) -> None:
    deliver(version("A1", "stat", "corrected", text=TEXT.replace("Large", "Small")))
    page = shown(enter().get(f"/case/{case.pk}/"))
    assert '<del><b class="sign">−</b> Large</del><ins><b class="sign">+</b> Small</ins>' in page
    assert "1 words added" in page
    assert f"/report/{case.report_id}/?version=1" in page


def test_after_a_decision_the_page_shows_it_beside_what_the_machine_found(
    enter: Make, case: Case, decide: Make
) -> None:
    decision = decide(case, comment="spoke to the registrar")
    Decision.objects.update(tier_given=1)
    client = enter("auditor")
    page = words(shown(client.get(f"/case/{case.pk}/")))
    for said in (
        "confirmed by dr.grey", "Priority stat, changed to urgent", "Comment spoke to the registrar",
        "Told nobody yet",
        "Machine epidural mass · T6 · extradural",
    ):  # fmt: skip
        assert said in page
    now = timezone.now()
    telling = caseload.Telling(
        finding="mass at T6", told_to="Dr Ames", told_by="Dr Grey", found_at=now, told_at=now, method="phone"
    )
    caseload.tell_result(decision.account, case.pk, telling)
    page = words(shown(client.get(f"/case/{case.pk}/")))
    assert "mass at T6: Dr Grey told Dr Ames by telephone" in page
    assert "nobody yet" not in page


def test_a_dismissal_shows_its_reason_and_needs_nobody_to_be_told(
    enter: Make, case: Case, decide: Make
) -> None:
    decide(case, "dismissed", reason="known_stable")
    page = words(shown(enter().get(f"/case/{case.pk}/")))
    assert "Reason known and stable, already followed" in page
    assert "nobody yet" not in page


def test_the_newest_correction_of_a_stretch_counts(
    enter: Make, case: Case, person: Make, correct: Make
) -> None:
    client, ann = enter(), person(name="ann")
    at = f"/case/{case.pk}/"
    correct(case, ann, "not_a_lesion", 16, 29)
    assert '">✎ not a lesion</a></mark>' in shown(client.get(at))
    correct(case, ann, "otherwise", 16, 29, certainty="possible", compartments=["intramedullary"])
    page = shown(client.get(at))
    assert '">✎ possible, intramedullary</a></mark>' in page
    assert "not a lesion</a>" not in page
    correct(case, ann, "as_read", 16, 29)
    assert '">present · ED</a></mark>' in shown(client.get(at))


def test_what_a_person_marked_stands_in_the_text_until_another_version_comes(  # noqa: PLR0917
    enter: Make, case: Case, person: Make, correct: Make, deliver: Make, version: Make
) -> None:
    made = correct(case, person(), "missed", 45, 49, certainty="present", compartments=["extradural"])
    client, at = enter(), f"/case/{case.pk}/"
    page = shown(client.get(at))
    assert f'id="missed-{made.pk}" data-start="45" data-end="49"' in page
    assert f'<li id="said-{made.pk}">' in page
    deliver(
        version(
            "A1", "stat", "corrected", text="Something else, and long enough to be marked at the same place."
        )
    )
    assert f"missed-{made.pk}" not in shown(client.get(at))


def test_notes_for_the_next_reader_stand_beside_the_report(enter: Make, case: Case, person: Make) -> None:
    ann = person(name="ann")
    caseload.claim(ann, case.pk)
    caseload.give_back(ann, case.pk, "ask neurosurgery")
    assert "Notes ask neurosurgery returned to the list by ann" in words(
        shown(enter().get(f"/case/{case.pk}/"))
    )


def test_a_withdrawn_report_says_so(enter: Make, case: Case, deliver: Make, version: Make) -> None:
    deliver(version("A1", None, "deleted", text=""))
    assert "The report was withdrawn by its sender" in shown(enter().get(f"/case/{case.pk}/"))


def test_a_long_history_is_cut_and_says_so(enter: Make, case: Case) -> None:
    said = {"case": case, "at": timezone.now(), "kind": "commented", "tier": 0}
    CaseEvent.objects.bulk_create([CaseEvent(**said) for _ in range(120)])
    page = shown(enter().get(f"/case/{case.pk}/"))
    assert "The newest 100 are shown" in page
    assert page.count(": comment") == 100


def test_the_page_asks_the_database_no_more_often_when_there_is_much_to_show(  # noqa: PLR0917
    enter: Make,
    case: Case,
    deliver: Make,
    version: Make,
    reading: Make,
    finding: Make,
    person: Make,
    correct: Make,
    decide: Make,
) -> None:
    client: Client = enter()
    asked = []
    for batch in range(2):
        for url in (f"/case/{case.pk}/", f"/report/{case.report_id}/"):
            with CaptureQueriesContext(connection) as queries:
                client.get(url)
            asked.append(len(queries))
        if not batch:
            much = reading(findings=[finding() for _ in range(30)])
            for number in range(3):
                deliver(
                    version(
                        "A1",
                        reading=much,
                        status="corrected",
                        text=f"{TEXT} {number}",
                        patient_id="P1",
                        patient_issuer="X",
                    )
                )
            deliver(
                *(version(f"B{number}", "soon", patient_id="P1", patient_issuer="X") for number in range(20))
            )
            case = Case.objects.select_related("reading").get(pk=case.pk)
            ann = person()
            for number in range(5):
                correct(case, ann, "not_a_lesion", number, number + 3)
                correct(case, ann, "missed", number, number + 4)
            decide(case, comment="x")
            caseload.reopen(ann, case.pk, "again")
    assert asked[2] - asked[0] in (0, 1)  # the text of the version before is asked for once there is one
    assert asked[3] - asked[1] in (0, 1)
    assert max(asked) < 40


def test_a_text_of_200_kilobytes_with_hundreds_of_findings_is_shown_whole(
    enter: Make, deliver: Make, version: Make, reading: Make, finding: Make
) -> None:
    line = "FINDINGS: Large epidural mass at T6 & <more>.\n"
    text = line * (200_000 // len(line))
    findings = [finding(start=at, end=at + 13) for at in range(16, len(text) - 13, 20 * len(line))]
    deliver(version(text=text, reading=reading(findings=findings)))
    page = enter().get(f"/case/{Case.objects.get().pk}/").content.decode()
    assert page.count('<mark class="present" id=') == len(findings) > 200
    assert page.count('<tr id="row-') == LISTED
    assert f'<p id="unlisted">{len(findings) - LISTED} more findings' in page
    assert page.count("&lt;more&gt;") >= len(text) // len(line)
