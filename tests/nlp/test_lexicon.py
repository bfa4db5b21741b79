"""The lists of words: nothing twice, nothing in vain, and every word found."""

import re
import tomllib
from functools import cache
from pathlib import Path

import pytest

from nlp.evaluation.counts import AFFIRMED
from nlp.evaluation.lists import faults, superfluous
from nlp.phrases import normal
from nlp.reader import read
from nlp.rules import load
from nlp.vocabulary import current

CASES = Path(__file__).parent / "cases"
MARK = re.compile(r"\{([^{}|]*)\|[^{}]*\}")
# This bar may only go down.
MOST_WITHOUT_A_CASE = 0.90
CARRIERS = (
    "FINDINGS: There is {} in the spinal canal at T6.",
    "FINDINGS: {} of the T6 vertebral body.",
    "FINDINGS: On the scan {}.",
)
# Words that say by themselves that the lesion is gone or was never there.
NOT_AFFIRMED = ("no longer",)


def words(concept):
    return (*concept.forms, *concept.dictation, *concept.abbreviations)


@cache
def in_cases():
    """(concept, words) of everything that the reader finds in the hand-written cases."""
    found = set()
    for path in CASES.glob("*.toml"):
        for case in tomllib.loads(path.read_text(encoding="utf-8"))["case"]:
            reading = read(MARK.sub(r"\1", case["text"]), **case.get("context", {}))
            found |= {(f.concept, normal(f.quote)) for f in reading.findings + reading.context_findings}
    return found


def test_no_phrase_stands_twice_or_contradicts_another():
    assert faults(load()) == []


def test_no_form_is_listed_that_is_made_by_rule():
    assert superfluous(load()) == []


def test_every_concept_has_a_case():
    exercised = {concept for concept, _ in in_cases()}
    assert [concept.id for concept in load().concepts if concept.id not in exercised] == []


def test_few_forms_have_no_case_of_their_own(capsys):
    forms = [(concept.id, normal(form)) for concept in load().concepts for form in words(concept)]
    left = [form for form in forms if form not in in_cases()]
    with capsys.disabled():
        print(f"\n{len(left)} of {len(forms)} forms stand in no hand-written case")  # noqa: T201
    assert len(left) / len(forms) <= MOST_WITHOUT_A_CASE


def test_no_phrase_of_pressing_hides_a_word_of_the_spine():
    """The longest phrase wins: "exit neural canal" must itself be of the spine, as "neural canal" is."""
    neural = load().neural
    lists = (*neural.target, neural.severity, neural.degenerative, neural.not_degenerative)
    assert [p for words in lists for p in words.phrases if hides_the_spine(normal(p).split())] == []


def hides_the_spine(words):
    def said(part):
        text = " ".join(part)
        return [(text[start:end], word) for start, end, word in current().around.find(text)[0]]

    whole = [word for phrase, word in said(words) if phrase == " ".join(words)]
    inner = (word for part in (words[1:], words[:-1]) for _, word in said(part))
    return any(word.spine for word in inner) and not any(word.spine or word.elsewhere for word in whole)


@pytest.mark.parametrize("concept", load().concepts, ids=lambda concept: concept.id)
def test_every_form_is_found_in_a_plain_sentence(concept):
    missed = [form for form in words(concept) if not found(concept, form)]
    assert missed == []


def found(concept, form):
    for carrier in CARRIERS:
        reading = read(carrier.format(form), study_description="MRI spine")
        there = reading.findings + reading.context_findings
        if any(f.concept == concept.id and affirmed(f, form) for f in there):
            return True
    return False


def affirmed(finding, form):
    return finding.certainty in AFFIRMED or any(words in form for words in NOT_AFFIRMED)
