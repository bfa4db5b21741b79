"""The figures and mistakes of labelled reports."""

import json
from collections import Counter

import pytest

from nlp.evaluation.counts import count, vertebrae
from nlp.evaluation.errors import LONGEST, mistakes, sentence
from nlp.evaluation.labels import LabelError, labelled
from nlp.evaluation.measures import measures, wilson
from nlp.reader import read

TEXT = "New metastasis of T6 with an epidural mass compressing the cord. No discitis at L4-L5."
GOLD = {
    "suspicious": True,
    "tier": "P1",
    "neural": "present",
    "lesions": [
        {"quote": "metastasis", "class": "malignant", "certainty": "present", "compartment": ["extradural"],
         "basis": "explicit", "levels": ["T6"]},
        {"quote": "discitis", "class": "infection", "certainty": "absent", "compartment": [], "levels": []},
    ],
}  # fmt: skip


def line(**changes):
    row = {"id": "r1", "text": TEXT, "modality": "MR", "gold": GOLD} | changes
    return json.dumps({key: value for key, value in row.items() if value is not None}).encode()


def gold(**changes):
    return line(gold={**GOLD, **changes})


def lesion(**changes):
    return gold(lesions=[GOLD["lesions"][0] | changes])


def test_a_labelled_line_holds_labels_and_context():
    label = labelled(line(patient_age="067Y"))
    assert (label.identity, label.tier, label.neural, label.suspicious) == ("r1", "stat", "present", True)
    assert label.context == {"modality": "MR", "patient_age": "067Y"}
    assert [one.quote for one in label.lesions] == ["metastasis", "discitis"]
    assert [one.quote for one in label.affirmed] == ["metastasis"]


def test_a_tier_may_have_either_name():
    assert labelled(gold(tier="stat")).tier == labelled(gold(tier="P1")).tier == "stat"


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        (b"{", "not JSON"),
        (b"\xff\xfe{}", "not JSON"),
        (b"[" * 100_000, "not JSON"),
        (b"[1]", "not an object"),
        (b"{}", '"id"'),
        (line(id=None), '"id"'),
        (line(text=3), '"text"'),
        (line(gold=None), '"gold"'),
        (gold(suspicious="yes"), "suspicious"),
        (gold(tier="P5"), "tier is not one of stat, urgent, soon, routine"),
        (gold(tier=["P1"]), "tier"),
        (gold(neural="maybe"), "neural is not one of none, possible, present"),
        (gold(lesions={}), "lesions is not a list"),
        (gold(lesions=["mass"]), "lesion 1 is not an object"),
        (lesion(quote="METASTASIS"), "lesion 1: its quote does not stand in the text"),
        (lesion(quote=" "), "lesion 1: its quote"),
        (lesion(**{"class": "tumour"}), "lesion 1: class is not one of malignant"),
        (lesion(certainty="sure"), "lesion 1: certainty is not one of present"),
        (lesion(compartment="extradural"), "lesion 1: compartment is not a list of texts"),
        (lesion(compartment=["epidural"]), "lesion 1: compartment is not one of extradural"),
        (lesion(levels=[6]), "lesion 1: levels is not a list of texts"),
    ],
)
def test_a_wrong_line_is_told_without_its_text(wrong, told):
    with pytest.raises(LabelError) as error:
        labelled(wrong)
    assert told in str(error.value)
    assert "compressing" not in str(error.value)
    assert "METASTASIS" not in str(error.value)


@pytest.mark.parametrize(
    ("labels", "found"),
    [
        (["T6"], "T6"),
        (["T6-T8"], "T6 T7 T8"),
        (["T12-L2"], "T12 L1 L2"),
        (["D10"], "T10"),
        (["l5", "S1"], "L5 S1"),
        (["C9", "conus", ""], ""),
    ],
)
def test_levels_are_compared_as_vertebrae(labels, found):
    assert vertebrae(labels) == set(found.split())


def test_a_right_reading_has_no_mistake_and_full_figures():
    label = labelled(line())
    reading = read(TEXT)
    assert mistakes(label, reading) == []
    figures = {figure.name: figure for figure in measures([count(label, reading)])}
    assert {name: f.value for name, f in figures.items() if f.value not in (1.0, None)} == {
        "not_affirmed_wrongly_affirmed": 0.0
    }
    assert figures["suspicious_specificity"].value is None
    assert figures["suspicious_specificity"].interval is None


def test_each_kind_of_mistake_is_told_with_its_words():
    wrong = json.loads(line())
    wrong["gold"] = {
        "suspicious": False,
        "tier": "P4",
        "neural": "none",
        "lesions": [
            {**GOLD["lesions"][0], "certainty": "absent"},
            {
                **GOLD["lesions"][1],
                "certainty": "present",
                "compartment": ["intramedullary"],
                "levels": ["L4"],
            },
        ],
    }
    listed = {one.kind: one for one in mistakes(labelled(json.dumps(wrong).encode()), read(TEXT))}
    assert set(listed) == {"tier", "neural", "missed lesion", "wrongly affirmed", "compartment", "levels"}
    assert listed["tier"].expected == "routine"
    assert listed["tier"].read.startswith("stat")
    assert listed["tier"].rule == read(TEXT).decided_by
    missed = listed["missed lesion"]
    assert (missed.quote, missed.cue, missed.rule) == ("discitis", "No", "DISCITIS")
    assert missed.sentence == "No discitis at L4-L5."
    assert listed["wrongly affirmed"].sentence == TEXT.partition(" No")[0]
    assert listed["levels"].expected == "L4"


def test_a_lesion_that_the_reader_does_not_know_is_read_as_nothing():
    row = gold(lesions=[{**GOLD["lesions"][0], "quote": "compressing the"}])
    assert "missed lesion" not in [one.kind for one in mistakes(labelled(line()), read(TEXT))]
    strange = labelled(row)
    (missed,) = (one for one in mistakes(strange, read("")) if one.kind == "missed lesion")
    assert (missed.read, missed.rule, missed.cue) == ("nothing", "", "")


def test_a_sentence_is_cut_at_its_ends_and_has_a_longest():
    text = "First one. Second has\na mass here! Third."
    assert sentence(text, text.index("mass"), text.index("mass") + 4) == "Second has a mass here!"
    assert sentence("word " * 500, 1000, 1004).count("word") <= LONGEST
    assert sentence("", 0, 0) == ""


@pytest.mark.parametrize(
    ("right", "of", "low", "high"),
    # From Newcombe, Statistics in Medicine 17 (1998) 857-872, table I, method 3.
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_intervals_of_proportions_are_wilsons(right, of, low, high):
    assert wilson(right, of) == pytest.approx((low, high), abs=5e-5)


def test_intervals_hold_their_figure_and_are_the_same_each_time():
    label = labelled(line())
    counted = [count(label, read(text)) for text in (TEXT, TEXT, "Normal.", "Discitis at L4.")]
    first, again = measures(counted), measures(counted)
    assert first == again
    for figure in first:
        if figure.value is not None:
            low, high = figure.interval
            assert 0 <= low <= figure.value <= high <= 1


def test_nothing_to_count_gives_no_figure():
    assert {figure.value for figure in measures([Counter(reports=1)]) if "tier" not in figure.name} == {None}
