"""Which study a report is linked to, and when to none."""

from __future__ import annotations

import pytest

from flows.intake.linking import Link, link
from flows.intake.report import Report, context
from review.meanings import meaning
from review.records import NewStudy


def report(**facts):
    given = {"accession": "A1", "accession_issuer": "H", "patient_id": "P1", "patient_issuer": "H"}
    return Report(text="Mass.", file_name="x.txt", source="s", issuer="H", **(given | facts))


def study(uid="1", **facts):
    given = {"accession": "A1", "accession_issuer": "H", "patient_id": "P1", "patient_issuer": "H"}
    more = {"modality": "MR", "study_time": "2026-03-01T10:00:00"}
    return NewStudy(study_uid=uid, source="s", folder="f", **(given | more | facts))


def linked(found: Link):
    return found.study.study_uid if found.study else None, found.warnings


def test_a_report_is_linked_by_its_accession_number():
    assert linked(link(report(), [study("1", accession="A2"), study("2")])) == ("2", ())


def test_the_same_number_of_another_issuer_is_another_number():
    assert linked(link(report(), [study(accession_issuer="X")])) == (None, ("no_study_found",))


@pytest.mark.parametrize("side", [report(accession_issuer=""), report()])
def test_a_missing_issuer_agrees_with_any(side):
    other = study(accession_issuer="H" if not side.accession_issuer else "")
    assert linked(link(side, [other])) == ("1", ())


def test_without_a_study_the_report_says_so():
    assert linked(link(report(), [])) == (None, ("no_study_found",))
    assert linked(link(report(accession="", patient_id=""), [study(accession="")])) == (
        None,
        ("no_study_found",),
    )


@pytest.mark.parametrize(
    ("of_report", "of_study"),
    [
        ({"patient_id": "P2"}, {}),
        ({"birth_date": "1950-01-01"}, {"birth_date": "1950-01-02"}),
        ({"patient_id": "", "birth_date": "1950-01-01"}, {"birth_date": "1950-01-02"}),
        ({"patient_id": "P2", "patient_issuer": ""}, {}),
    ],
)
def test_a_report_of_another_patient_is_never_linked(of_report, of_study):
    assert linked(link(report(**of_report), [study(**of_study)])) == (None, ("identity_conflict",))


def test_a_study_of_which_one_part_names_another_patient_is_not_linked():
    assert linked(link(report(), [study(), study(patient_id="P2")])) == (None, ("identity_conflict",))


def test_patient_numbers_of_two_issuers_do_not_contradict_each_other():
    other = study(patient_id="7", patient_issuer="X")
    assert linked(link(report(), [other])) == ("1", ())


def test_what_a_side_does_not_say_is_no_conflict():
    assert linked(link(report(patient_id=""), [study()])) == ("1", ())
    assert linked(link(report(birth_date="1950-01-01"), [study(patient_id="")])) == ("1", ())


def test_of_two_studies_of_one_number_the_one_of_the_right_patient_counts():
    assert linked(link(report(), [study("1", patient_id="P2"), study("2")])) == ("2", ())


def test_of_several_studies_of_one_number_modality_and_then_date_decide():
    both = [study("1", modality="CT"), study("2", modality="MR")]
    assert linked(link(report(modality="MR"), both)) == ("2", ())
    days = [study("1"), study("2", study_time="2026-03-02")]
    assert linked(link(report(modality="MR", study_date="2026-03-02"), days)) == ("2", ())
    assert linked(link(report(), both)) == (None, ("ambiguous_study",))
    assert linked(link(report(modality="MR", study_date="2026-03-01"), [study("1"), study("2")])) == (
        None,
        ("ambiguous_study",),
    )


def test_parts_of_a_study_are_one_study_and_the_part_with_images_counts():
    found = link(report(), [study(modality="", description="report only"), study(description="images")])
    assert found.study.description == "images"


BY_PATIENT = {"accession": "", "modality": "MR", "study_date": "2026-03-01"}


def test_without_an_accession_number_patient_modality_and_date_decide():
    others = [study("1", patient_id="P2"), study("2", modality="CT"), study("3", study_time="2026-03-02")]
    assert linked(link(report(**BY_PATIENT), [*others, study("4")])) == ("4", ())
    assert linked(link(report(**BY_PATIENT), others)) == (None, ("no_study_found",))


@pytest.mark.parametrize("lacking", ["patient_id", "modality", "study_date"])
def test_all_three_of_them_are_needed(lacking):
    assert linked(link(report(**BY_PATIENT | {lacking: ""}), [study()])) == (None, ("no_study_found",))


def test_two_examinations_that_fit_are_one_too_many():
    assert linked(link(report(**BY_PATIENT), [study("1"), study("2")])) == (None, ("ambiguous_study",))


def test_the_patients_number_of_another_issuer_is_another_number():
    found = link(report(**BY_PATIENT), [study(patient_issuer="X")])
    assert linked(found) == (None, ("no_study_found",))


def test_the_same_patients_other_examination_of_the_day_is_not_taken():
    asked = report(accession="A1", modality="MR", study_date="2026-03-01")
    assert linked(link(asked, [study(accession="A2")])) == (None, ("no_study_found",))
    assert linked(link(asked, [study(accession="")])) == ("1", ())


def test_the_same_patient_number_with_another_birth_date_is_a_conflict():
    asked = report(**BY_PATIENT, birth_date="1950-01-01")
    assert linked(link(asked, [study(birth_date="1960-01-01")])) == (None, ("identity_conflict",))


def test_a_report_may_call_the_modality_by_its_common_name():
    assert linked(link(report(**BY_PATIENT | {"modality": "mri"}), [study()])) == ("1", ())


def test_every_warning_has_a_meaning():
    for code in ("no_study_found", "identity_conflict", "ambiguous_study", "birth_date_not_understood"):
        assert meaning(code).endswith(".")


def test_the_study_fills_in_what_the_report_does_not_say():
    told = report(body_part="LSPINE", study_date="2026-03-02", indication="Weak legs.")
    seen = study(body_part="TSPINE", description="MRI spine", contrast_agent="Gd", age="067Y", sex="M")
    assert context(told, seen) == {
        "modality": "MR",
        "body_part": "LSPINE",
        "study_description": "MRI spine",
        "contrast": "Gd",
        "indication": "Weak legs.",
        "patient_age": "067Y",
        "patient_sex": "M",
        "study_date": "2026-03-02",
    }
    assert context(report(), None) == {}


@pytest.mark.parametrize(
    ("born", "age"),
    [("1950-03-01", "076Y"), ("1950-03-02", "075Y"), ("2026-03-01", "000Y"), ("2027-01-01", None)],
)
def test_an_age_that_nobody_says_is_counted(born, age):
    assert context(report(birth_date=born, study_date="2026-03-01"), None).get("patient_age") == age
