"""The floors on labelled texts, which are no part of the project: left out where they are not at hand."""

import importlib.util
import json
from pathlib import Path

import pytest

from nlp.reader import read

CORPORA = Path(__file__).parents[2].parent / "shared" / "corpora"
CONTEXT = ("modality", "study_description", "patient_age", "patient_sex")

pytestmark = pytest.mark.corpora


def rows(name):
    return [
        json.loads(line) for line in (CORPORA / name).read_text(encoding="utf-8").splitlines() if line.strip()
    ]


def readings(texts):
    for row in texts:
        context = {key: row[key] for key in CONTEXT if key in row}
        yield read(row["text"], **context).to_dict() | {"id": row["id"]}


@pytest.mark.parametrize("name", ["dev_real.jsonl", "dev_synthetic.jsonl"])
def test_the_reader_reaches_its_floors(name):
    spec = importlib.util.spec_from_file_location("score", CORPORA / "score.py")
    scorer = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(scorer)
    gold = rows(name)
    found = scorer.score(gold, list(readings(gold)))
    assert found["reports"] == len(gold) > 0 and found["missing"] == 0
    assert found["suspicious"]["sensitivity"] >= 0.93
    assert found["suspicious"]["ppv"] >= 0.88
    assert found["stat"]["sensitivity"] >= 0.90
    assert found["stat"]["ppv"] >= 0.80
    assert found["tier_exact"] >= 0.82
    assert found["compartment_macro_f1"] >= 0.90
    assert found["lesions_affirmed_found"] >= 0.90
    assert found["lesions_not_affirmed_wrongly_affirmed"] <= 0.04


def test_reports_of_other_organs_stay_out_of_the_queue():
    texts = rows("nonspine_dev.jsonl")
    queued = sum(reading["suspicious"] for reading in readings(texts))
    assert queued / len(texts) <= 0.03
