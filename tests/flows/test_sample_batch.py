"""The sample batch from end to end: each item's outcome is the one set down beside it."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest

from tests.installation import Installation
from tests.test_samples import READ_OTHERWISE

ROOT = Path(__file__).parents[2]
pytestmark = [pytest.mark.prefect, pytest.mark.usefixtures("prefect_server")]


@pytest.fixture
def sample_site(bare_site: Installation) -> Installation:
    """An installation that reads the samples where they lie, as `make run` does."""
    (bare_site.folder / "config/sources.toml").write_text(
        (ROOT / "config/sources.toml").read_text().replace('"sample_reports/', f'"{ROOT}/sample_reports/')
    )
    bare_site.run("user", "sample")
    return bare_site


def test_every_sample_has_the_outcome_set_down_for_it(sample_site: Installation) -> None:
    sample_site.run("run")
    expected = {(row["source"], row["item"]): row for row in read_expected()}
    found = {(row["source"], item_of(row)): row for row in outcome_table(sample_site)}
    assert len(found) > 75
    assert found.keys() == expected.keys()
    wrong = {
        at: (row["outcome"], row["tier"], expected[at]["outcome"], expected[at]["tier"])
        for at, row in found.items()
        if at[1] not in READ_OTHERWISE and differs(row, expected[at])
    }
    assert wrong == {}

    queue = sample_site.json("queue")
    ranks = [["stat", "urgent", "soon", "unread"].index(case["tier"]) for case in queue]
    assert ranks == sorted(ranks)
    assert set(ranks) == {0, 1, 2, 3}

    sample_site.run("run")
    again = {name for name, number in sample_site.json("runs")[0]["outcomes"].items() if number}
    assert again == {"duplicate"}
    assert sample_site.json("queue") == [
        {**case, "waiting_minutes": now["waiting_minutes"]}
        for case, now in zip(queue, sample_site.json("queue"), strict=True)
    ]


def test_the_sample_account_sees_sample_sources_only(sample_site: Installation, tmp_path: Path) -> None:
    own = tmp_path / "own"
    own.mkdir()
    (own / "a.txt").write_text("Epidural abscess at L4-L5 with compression of the cauda equina.")
    sample_site.run("run", "--source", str(own))
    assert sample_site.json("queue") == []
    assert "sees these sources only" in sample_site.run("queue")
    sample_site.run("user", "add", "rad", "--role", "radiologist")
    assert [case["tier"] for case in sample_site.json("queue", "--as", "rad")] == ["stat"]
    sample_site.run("user", "sample")  # once more changes nothing
    assert sample_site.rows("SELECT count(*) FROM review_account WHERE os_user IS NOT NULL") == [(1,)]


def read_expected() -> list[dict[str, Any]]:
    lines = (ROOT / "sample_reports/expected.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


def outcome_table(site: Installation) -> list[dict[str, str]]:
    with (site.var / "runs/run-1.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def item_of(row: dict[str, str]) -> str:
    if row["source"] == "sample-dicom":
        return "broken/SA260900.dcm"
    return row["path"] if row["source"] == "sample-text" else f"{row['path']}#{int(row['item']) + 1}"


def differs(row: dict[str, str], expected: dict[str, Any]) -> bool:
    if row["outcome"] != expected["outcome"]:
        return True
    if row["outcome"] in ("duplicate", "rejected"):  # nothing else is said of these
        return False
    if row["outcome"] != "unreadable_text" and row["tier"] != expected["tier"]:
        return True
    said = (bool(row["study"]), sorted(row["warnings"].split()))
    return said != (expected["study_linked"], sorted(expected["warnings"]))
