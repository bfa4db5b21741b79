"""The reasons alone tell score and tier: whoever adds them up by hand comes to what the reader decided."""

import csv
import json
import re
import tomllib
from pathlib import Path

import pytest

from nlp.reader import read

ROOT = Path(__file__).parents[2]
SAMPLES = ROOT / "sample_reports"
RULES = tomllib.loads((ROOT / "config" / "priority.toml").read_text(encoding="utf-8"))
TIERS = ["stat", "urgent", "soon", "routine"]
MARK = re.compile(r"\{([^{}|]*)\|[^{}]*\}")
TERMS = ["B", "N", "S", "T", "C", "M"]


def cases():
    for path in sorted((Path(__file__).parent / "cases").glob("*.toml")):
        for case in tomllib.loads(path.read_text(encoding="utf-8"))["case"]:
            yield MARK.sub(r"\1", case["text"]), case.get("context", {})


def samples():
    for path in sorted((SAMPLES / "text").iterdir()):
        yield path.read_text(encoding="utf-8", errors="replace"), {}
    with (SAMPLES / "exports" / "ris_export.csv").open(encoding="utf-8", newline="") as file:
        yield from (("\n".join(row), {}) for row in csv.reader(file))
    for line in (SAMPLES / "exports" / "archive.jsonl").read_text(encoding="utf-8").splitlines():
        yield "\n".join(str(value) for value in json.loads(line).values()), {}


def by_hand(reasons):
    """Score and tier from the printed reasons: points to a tier, caps lower it, floors lift it."""
    score = sum(r["points"] for r in reasons if "points" in r)
    rank = next((i for i, tier in enumerate(TIERS[:-1]) if score >= RULES["tiers"][tier]), 3)
    ranks = {r["rule"]: TIERS.index(r["tier"]) for r in reasons if "tier" in r}
    rank = max([rank, *(ranks[rule] for rule in ranks if rule in RULES["caps"])])
    rank = min([rank, *(ranks[rule] for rule in ranks if rule in RULES["floors"])])
    return score, TIERS[rank]


@pytest.mark.parametrize("texts", [cases, samples])
def test_score_and_tier_can_be_worked_out_by_hand(texts):
    scored = 0
    for text, context in texts():
        reading = read(text, **context).to_dict()
        assert by_hand(reading["reasons"]) == (reading["score"], reading["tier"]), text
        scored += reading["score"] > 0
    assert scored > 20


@pytest.mark.parametrize("texts", [cases, samples])
def test_every_reason_names_its_rule_and_every_rule_counts_once(texts):
    for text, context in texts():
        reading = read(text, **context).to_dict()
        rules = [r["rule"] for r in reading["reasons"]]
        assert len(rules) == len(set(rules)), text
        assert set(rules) <= {*TERMS, *RULES["floors"], *RULES["caps"]}
        assert reading["decided_by"] in {"points", *rules}
        assert all(r["text"] for r in reading["reasons"])
        assert reading["score"] >= 0
