"""The tables of a shard and of a run's outcomes."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone

import pytest

from flows.intake import frame
from flows.intake.linking import Link
from flows.intake.report import Report
from review.records import NewStudy


def report(**facts):
    return Report(text="Mass.", file_name="x.txt", source="s", issuer="H", **facts)


def test_a_row_holds_what_the_corridor_needs():
    study = NewStudy(study_uid="1", source="s", folder="f")
    told = report(report_number="R1", warnings=("decoded_as_cp1252",))
    (row,) = frame.frame([(7, 3, told, Link(study))]).to_dict("records")
    assert (row["portion"], row["item"], row["key"], row["status"]) == (7, 3, "H/report/R1", "final")
    assert (row["text"], row["characters"], row["digest"]) == ("Mass.", 5, told.text_digest)
    assert (row["study_uid"], row["study"], row["report"]) == ("1", study, told)
    assert row["warnings"] == ("decoded_as_cp1252",)


def test_versions_of_a_report_follow_each_other_from_the_oldest_to_the_newest():
    early = datetime(2026, 3, 1, 10, tzinfo=UTC)
    same_moment_elsewhere = datetime(2026, 3, 1, 12, tzinfo=timezone(timedelta(hours=2)))
    versions = [
        report(report_number="R1", status="deleted"),
        report(report_number="R2"),
        report(report_number="R1", status="addendum", result_time=early),
        report(report_number="R1", status="final", result_time=early + timedelta(hours=1)),
        report(report_number="R1", status="final", result_time=same_moment_elsewhere),
        report(report_number="R1", status="final"),
        report(report_number="R1", status="preliminary"),
    ]
    shard = frame.frame((1, item, told, Link(None)) for item, told in enumerate(versions))
    assert list(shard["item"]) == [6, 5, 4, 3, 2, 0, 1]


ROW = {
    "input": 1,
    "source": "s",
    "path": "x.txt",
    "item": 0,
    "report": "H/report/R1",
    "outcome": "queued",
    "reason": "",
    "tier": "stat",
    "score": 70,
    "case": "C1",
    "study": "",
    "warnings": ["no_study_found", "decoded_as_cp1252"],
    "rules_version": "sha256:0",
}


def test_the_outcome_table_sorts_by_tier_and_leaves_unknown_what_is_unknown():
    rejected = ROW | {"outcome": "rejected", "reason": "binary", "tier": "", "score": None, "warnings": []}
    table = frame.outcome_table([rejected, ROW | {"tier": "routine", "outcome": "routine"}, ROW])
    assert list(table.sort_values("tier")["outcome"]) == ["queued", "routine", "rejected"]
    assert table["score"].isna().tolist() == [True, False, False]
    assert table["warnings"].tolist()[1:] == ["no_study_found decoded_as_cp1252"] * 2


@pytest.mark.parametrize("some", [[], [0]])
def test_columns_and_types_are_as_documented_also_without_rows(some):
    shard = frame.frame((1, item, report(), Link(None)) for item in some)
    table = frame.outcome_table(ROW for _ in some)
    for made, function in ((shard, frame.frame), (table, frame.outcome_table)):
        documented = re.findall(r"^ {8}(\w+)  +(\w+(?:\[.*?\])?)", function.__doc__, re.MULTILINE)[1:]
        assert [(name, str(dtype)) for name, dtype in made.dtypes.items()] == documented
