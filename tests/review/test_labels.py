"""Decided cases as labelled reports: what the reader of labels takes, and what people said."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from nlp.evaluation.labels import Labelled, labelled
from review import caseload
from review.caseload import Said
from review.models import Account, AuditRow, Case, Decision
from tests.review.conftest import TEXT

pytestmark = [pytest.mark.database, pytest.mark.django_db]
Make = Callable[..., Any]
START = TEXT.index("epidural mass")
SPAN = (START, START + len("epidural mass"))
LARGE = (TEXT.index("Large"), TEXT.index("Large") + 5)


@pytest.fixture
def work(deliver: Make, version: Make, person: Make, case_of: Make) -> Make:
    """Take a report in and decide its case after these corrections."""

    def make(key: str, verdict: str, *said: tuple[tuple[int, int], Said], **other: Any) -> Case:
        deliver(version(key, other.pop("tier", "stat"), context=other.pop("context", {})))
        account, case = person(), case_of(key)
        caseload.claim(account, case.pk)
        for span, one in said:
            caseload.correct(account, case.pk, case.reading.version_id, span, one)
        caseload.decide(account, case.pk, case.reading.version_id, verdict, **other)
        return case  # type: ignore[no-any-return]

    return make


@pytest.fixture
def lead(person: Make) -> Account:
    return person("lead")  # type: ignore[no-any-return]


def taken(account: Account, since: Any = None) -> list[Labelled]:
    return [labelled(line.encode()) for line in caseload.labels(account, since)]


def told(label: Labelled) -> list[tuple[str, str, str]]:
    return [(lesion.quote, lesion.cls, lesion.certainty) for lesion in label.lesions]


def test_a_confirmed_case_is_suspicious_with_the_tier_given_and_its_findings_as_read(
    work: Make, lead: Account
) -> None:
    case = work("KEY-4711", "confirmed", tier_given=1, context={"modality": "MR", "patient_age": "067Y"})
    (label,) = taken(lead)
    assert (label.suspicious, label.tier, label.neural) == (True, "urgent", "none")
    assert told(label) == [("epidural mass", "suspicious", "present")]
    assert label.lesions[0].compartments == {"extradural"}
    assert label.lesions[0].levels == ("T6",)
    assert label.context == {"modality": "MR", "patient_age": "067Y"}
    assert (label.identity, label.text) == (f"R{case.report_id}", TEXT)


@pytest.mark.parametrize(
    ("said", "lesions"),
    [
        ((SPAN, Said(kind="not_a_lesion")), [("epidural mass", "suspicious", "absent")]),
        (
            (SPAN, Said(kind="otherwise", certainty="possible")),
            [("epidural mass", "suspicious", "possible")],
        ),
        (
            (LARGE, Said(kind="missed", category="cyst", certainty="probable")),
            [("epidural mass", "suspicious", "present"), ("Large", "cyst", "probable")],
        ),
        (
            ((LARGE[0], SPAN[1]), Said(kind="missed", category="cyst", certainty="probable")),
            [("Large epidural mass", "cyst", "probable")],  # a person's word covers the machine's
        ),
    ],
)
def test_findings_count_as_people_corrected_them(
    work: Make, lead: Account, said: tuple[tuple[int, int], Said], lesions: list[tuple[str, str, str]]
) -> None:
    work("A1", "confirmed", said)
    assert told(taken(lead)[0]) == lesions


def test_a_correction_that_was_taken_back_does_not_count(work: Make, lead: Account) -> None:
    work("A1", "confirmed", (SPAN, Said(kind="not_a_lesion")), (SPAN, Said(kind="as_read")))
    assert told(taken(lead)[0]) == [("epidural mass", "suspicious", "present")]


@pytest.mark.parametrize(
    ("reason", "certainty"),
    [
        ("no_lesion", "absent"),
        ("misread", "absent"),
        ("not_spine", "absent"),
        ("known_stable", "present"),
        ("degenerative", "present"),
    ],
)
def test_a_dismissed_case_is_routine_and_its_reason_says_what_of_the_findings_is_true(
    work: Make, lead: Account, reason: str, certainty: str
) -> None:
    work("A1", "dismissed", reason=reason)
    (label,) = taken(lead)
    assert (label.suspicious, label.tier) == (False, "routine")
    assert told(label) == [("epidural mass", "suspicious", certainty)]


def test_what_says_nothing_sure_of_the_text_is_left_out(
    work: Make, lead: Account, person: Make, deliver: Make, version: Make
) -> None:
    work("A1", "dismissed", reason="other", comment="duplicate order")
    work("A2", "confirmed", tier="unread", tier_given=2)
    work("A3", "confirmed")
    Decision.objects.filter(case__report__key="A3").update(tier_given=None)  # of before it was asked for
    reopened = work("A4", "confirmed")
    caseload.reopen(person(), reopened.pk, "second look")
    deliver(version("A5", "stat"))
    assert taken(lead) == []


def test_the_decision_that_stands_counts_and_not_the_one_before(
    work: Make, lead: Account, person: Make
) -> None:
    case = work("A1", "confirmed")
    account = person()
    caseload.reopen(account, case.pk, "second look")
    caseload.claim(account, case.pk)
    caseload.decide(account, case.pk, case.reading.version_id, "dismissed", reason="misread")
    assert [label.suspicious for label in taken(lead)] == [False]


def test_an_export_is_recorded_before_its_first_line_with_its_number_only(work: Make, lead: Account) -> None:
    work("A1", "confirmed")
    work("A2", "dismissed", reason="no_lesion")
    next(iter(caseload.labels(lead, None)))
    row = AuditRow.objects.latest("number")
    assert (row.action, row.actor, row.detail) == (
        "exported",
        lead.actor,
        {"what": "labels", "count": 2, "since": None},
    )


def test_only_what_was_decided_since_a_day_and_may_be_seen_comes_out(
    work: Make, lead: Account, person: Make
) -> None:
    work("A1", "confirmed")
    assert len(taken(lead, timezone.now() - timedelta(hours=1))) == 1
    assert taken(lead, timezone.now() + timedelta(hours=1)) == []
    assert taken(person("lead", sources=("south",))) == []


def test_each_line_is_json_whatever_the_text_holds(work: Make, lead: Account) -> None:
    work("A1", "confirmed", context={"indication": 'a "quote"\n\u2028 and a line'})
    (line,) = caseload.labels(lead, None)
    assert "\n" not in line
    assert "\u2028" not in line
    assert json.loads(line)["indication"] == 'a "quote"\n\u2028 and a line'
