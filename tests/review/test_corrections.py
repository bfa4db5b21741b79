"""What people say of findings: checked against the text, kept as it was said, taken back by a newer word."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from nlp import schema
from review import audit, caseload
from review.caseload import RefusedError, Said, corrections
from review.models import Account, AuditRow, Case, Correction
from tests.review.conftest import TEXT

pytestmark = [pytest.mark.database, pytest.mark.django_db]
Make = Callable[..., Any]
START = TEXT.index("epidural mass")
SPAN = (START, START + len("epidural mass"))
LARGE = (TEXT.index("Large"), TEXT.index("Large") + 5)
OTHER = Said(kind="otherwise", certainty="possible", compartments=("extradural",), levels=("T6",))
MISSED = Said(kind="missed", category="fracture", certainty="present", levels=("t6-8, L1",))


@pytest.fixture
def case(deliver: Make, version: Make, case_of: Make) -> Case:
    deliver(version("A1", "stat"))
    return case_of("A1")


@pytest.fixture
def account(case: Case, person: Make) -> Account:
    holder: Account = person()
    caseload.claim(holder, case.pk)
    return holder


def correct(account: Account, case: Case, span: tuple[int, int], said: Said) -> Correction:
    return caseload.correct(account, case.pk, case.reading.version_id, span, said)


def test_the_closed_lists_are_those_of_the_reader() -> None:
    assert corrections.CLASSES == schema.LESION_CLASSES
    assert corrections.CERTAINTIES == schema.CERTAINTIES
    assert corrections.COMPARTMENTS == schema.COMPARTMENTS


def test_the_newest_word_counts_and_older_ones_are_kept(case: Case, account: Account) -> None:
    version = case.reading.version_id
    first = correct(account, case, SPAN, Said(kind="not_a_lesion"))
    assert corrections.standing(case, version) == {SPAN: first}
    second = correct(account, case, SPAN, OTHER)
    assert (second.certainty, second.category) == ("possible", "suspicious")
    assert corrections.standing(case, version) == {SPAN: second}
    correct(account, case, SPAN, Said(kind="as_read"))
    assert corrections.standing(case, version) == {}
    assert Correction.objects.count() == 3
    rows = AuditRow.objects.filter(action="case.corrected")
    assert [row.detail["correction"] for row in rows.order_by("number")] == [
        one.pk for one in Correction.objects.order_by("id")
    ]
    assert audit.verify()["ok"]


def test_the_same_correction_sent_twice_is_taken_once(case: Case, account: Account) -> None:
    assert correct(account, case, SPAN, OTHER) == correct(account, case, SPAN, OTHER)
    assert Correction.objects.count() == 1


def test_a_missed_finding_is_marked_with_its_levels_in_order(case: Case, account: Account) -> None:
    said = correct(account, case, LARGE, MISSED)
    assert (said.start, said.end, said.levels, said.compartments) == (*LARGE, ["T6-T8", "L1"], [])


@pytest.mark.parametrize(
    ("span", "said", "told"),
    [
        (SPAN, Said(kind="nonsense"), "what is wrong"),
        (SPAN, Said(kind="as_read"), "no correction here"),
        ((0, 3), Said(kind="not_a_lesion"), "found nothing"),
        ((-1, 3), Said(kind="not_a_lesion"), "found nothing"),
        (SPAN, replace(OTHER, certainty="present"), "is what the machine read"),
        (SPAN, Said(kind="otherwise", certainty="maybe"), "how sure"),
        (SPAN, Said(kind="otherwise", certainty="absent", compartments=("brain",)), "from the list"),
        (SPAN, Said(kind="otherwise", certainty="absent", levels=("T13",)), "no level"),
        (SPAN, Said(kind="otherwise", certainty="absent", levels=("T6-Q",)), "no level"),
        (SPAN, Said(kind="otherwise", certainty="absent", levels=("²",)), "no level"),
        (SPAN, MISSED, "in the table"),
        (LARGE, Said(kind="missed", category="degenerative", certainty="present"), "what kind"),
        ((5, 5), MISSED, "Mark the words"),
        ((9, 10), MISSED, "Mark the words"),
        ((7, 5), MISSED, "Mark the words"),
        ((-9, 5), MISSED, "Mark the words"),
        ((0, 10**9), MISSED, "Mark the words"),
    ],
)  # fmt: skip
def test_what_does_not_fit_the_text_or_the_lists_is_refused(
    case: Case, account: Account, span: tuple[int, int], said: Said, told: str
) -> None:
    with pytest.raises(RefusedError, match=told):
        correct(account, case, span, said)
    assert not Correction.objects.exists()


def test_a_stretch_as_long_as_a_report_is_no_finding(
    deliver: Make, version: Make, person: Make, case_of: Make
) -> None:
    deliver(version("A2", "stat", text="An epidural mass. " * 40))
    holder, case = person(), case_of("A2")
    caseload.claim(holder, case.pk)
    with pytest.raises(RefusedError, match="at most 400"):
        correct(holder, case, (0, 401), MISSED)


def test_who_holds_the_case_corrects_and_then_who_decided(case: Case, account: Account, person: Make) -> None:
    other = person()
    with pytest.raises(RefusedError, match="do not hold"):
        correct(other, case, SPAN, OTHER)
    caseload.decide(account, case.pk, case.reading.version_id, "confirmed")
    assert correct(account, case, SPAN, OTHER).kind == "otherwise"
    with pytest.raises(RefusedError, match="Only who decided"):
        correct(other, case, SPAN, OTHER)


def test_a_correction_of_an_older_version_is_refused(
    case: Case, account: Account, deliver: Make, version: Make
) -> None:
    deliver(version("A1", "stat", "corrected"))
    with pytest.raises(RefusedError, match="newer version"):
        correct(account, case, SPAN, OTHER)


def test_a_case_read_blind_tells_nothing_of_what_the_machine_found(case: Case, account: Account) -> None:
    Case.objects.update(is_blind=True)
    for span in (SPAN, LARGE):
        with pytest.raises(RefusedError, match="found nothing at these words"):
            correct(account, case, span, OTHER)
        assert correct(account, case, span, MISSED).kind == "missed"


def test_words_are_found_however_they_are_spaced(case: Case, account: Account) -> None:
    version = case.reading.version_id

    def stretch(words: str, at: Any = None) -> tuple[int, int]:
        return corrections.stretch(account, case.pk, version, words, at)

    assert stretch(" large \n EPIDURAL ") == (LARGE[0], TEXT.index("epidural") + 8)
    with pytest.raises(RefusedError, match="stand 2 times"):
        stretch("epidural mass")
    assert stretch("epidural mass", 1) == SPAN
    assert stretch("epidural mass", 2)[0] == TEXT.lower().rindex("epidural mass")
    for which in (0, 3):
        with pytest.raises(RefusedError, match=f"no number {which}"):
            stretch("epidural mass", which)
    for words in ("", "melon", ".*"):
        with pytest.raises(RefusedError, match="do not stand in the report"):
            stretch(words)


def test_marked_words_lose_the_space_around_them_and_must_stand_where_they_were_marked(
    deliver: Make, version: Make, case_of: Make, person: Make
) -> None:
    text = "FINDINGS: \U0001f9b4 An epidural mass."
    deliver(version("A2", "stat", text=text))
    case, start = case_of("A2"), text.index("epidural")
    at = (start - 1, start + 9)
    account, version_id = person(), case.reading.version_id
    assert corrections.stretch(account, case.pk, version_id, "epidural", at) == (start, start + 8)
    for words, span in (("mass", at), ("", (start, start)), ("epidural", (start + 10**6, start + 10**7))):
        with pytest.raises(RefusedError, match="mark them again"):
            corrections.stretch(account, case.pk, version_id, words, span)
