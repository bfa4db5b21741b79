"""What is known of a patient, in the words of the page and of the list."""

from __future__ import annotations

from datetime import date

import pytest

from review.caseload.listing import patient
from review.facts import patient_facts
from review.models import ReportVersion


@pytest.mark.parametrize(
    ("told", "said"),
    [
        ("067Y", "67 y"),
        ("003M", "3 months"),
        ("010D", "10 days"),
        ("²²²Y", "²²²Y"),
        ("old", "old"),
        ("Y", "Y"),
    ],
)
def test_the_list_and_the_page_say_an_age_in_the_same_words(told: str, said: str) -> None:
    version = ReportVersion(patient_id="P1", context={"patient_age": told})
    assert patient(version, date(2026, 3, 1)) == f"P1, {said}"
    assert ("Age", said) in patient_facts(version)
