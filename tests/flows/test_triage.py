"""From files to a queue, through the command line and a real Prefect server."""

from __future__ import annotations

import json
import signal
from pathlib import Path

import pytest

from tests.installation import ROUTINE, STAT, Installation, sqlite_rows, wait_for, write_image

pytestmark = [pytest.mark.prefect, pytest.mark.usefixtures("prefect_server")]


def outcomes(site: Installation) -> dict[str, int]:
    return {name: number for name, number in site.json("runs")[0]["outcomes"].items() if number}


@pytest.mark.database
def test_reports_become_a_queue_with_the_most_urgent_first(site: Installation) -> None:
    site.drop("R1", ROUTINE.format(number=1))
    site.drop("R2", "FINDINGS: A 12 mm lytic lesion of the L3 vertebral body, suspicious for metastasis.")
    site.drop("R3", STAT.format(number=3))
    site.run("run")
    queue = site.json("queue")
    assert [case["report"] for case in queue] == ["TEST/report/R3", "TEST/report/R2"]
    assert [case["tier"] for case in queue] == ["stat", "soon"]
    assert outcomes(site) == {"queued": 2, "routine": 1}


@pytest.mark.database
def test_the_same_batch_again_changes_nothing(site: Installation) -> None:
    for number in range(5):
        site.drop(f"R{number}", STAT.format(number=number))
    site.run("run")
    before = site.rows("SELECT * FROM review_case ORDER BY id")
    site.run("run")
    assert outcomes(site) == {"duplicate": 5}
    assert site.rows("SELECT * FROM review_case ORDER BY id") == before


def test_a_batch_without_any_input_completes(site: Installation) -> None:
    site.run("run")
    assert site.json("runs")[0]["state"] == "completed"
    assert outcomes(site) == {}


def test_a_source_that_is_away_fails_the_run_but_not_the_other_sources(site: Installation) -> None:
    site.drop("R1", STAT.format(number=1))
    site.images.rmdir()
    assert "images" in site.run("run", status=1)
    assert [case["report"] for case in site.json("queue")] == ["TEST/report/R1"]
    site.images.mkdir()
    site.run("run")
    assert outcomes(site) == {"duplicate": 1}


def test_an_addendum_is_read_together_with_its_parent_and_raises_the_tier(site: Installation) -> None:
    site.drop("R1", ROUTINE.format(number=1), Status="final", Accession="A1")
    site.run("run")
    assert site.json("queue") == []
    site.drop("R1", "On review there is an epidural abscess at L4-L5.", Status="addendum", Accession="A1")
    site.run("run")
    (case,) = site.json("queue")
    assert case["tier"] == "stat"
    (text,) = site.rows("SELECT text FROM review_reportversion WHERE is_current")[0]
    assert "Normal MRI of the lumbar spine" in text
    assert "epidural abscess" in text
    assert [v["status"] for v in site.json("explain", "TEST/report/R1")["versions"]] == ["final", "addendum"]


def test_a_parent_that_comes_after_its_addendum_is_read_too(site: Installation) -> None:
    site.drop("R1", "Addendum: discussed with the referring team.", Status="addendum")
    site.run("run")
    site.drop("R1", STAT.format(number=1), Status="final")
    site.run("run")
    (case,) = site.json("queue")
    assert case["tier"] == "stat"
    (text,) = site.rows("SELECT text FROM review_reportversion WHERE is_current")[0]
    assert "discussed with the referring team" in text


def test_versions_that_arrive_together_are_taken_in_their_order(site: Installation) -> None:
    rows = [
        {"report_number": "R1", "status": status, "result_time": when, "report_text": text}
        for status, when, text in (
            ("corrected", "2026-05-02T12:00:00Z", ROUTINE.format(number=1)),
            ("preliminary", "2026-05-01T08:00:00Z", STAT.format(number=1)),
        )
    ]
    folder = site.folder / "export"
    folder.mkdir()
    (folder / "export.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    site.run("run", "--source", str(folder))
    assert outcomes(site) == {"queued": 1, "routine": 1}
    (case,) = site.json("queue")
    assert case["tier"] == "stat"  # a calmer version never lowers a case in silence


def test_a_report_that_names_another_patient_is_queued_without_the_study(site: Installation) -> None:
    write_image(site.images / "a.dcm", accession="A1", patient="P1")
    site.drop("R1", ROUTINE.format(number=1), Accession="A1", Patient_ID="P2")
    site.drop("R2", STAT.format(number=2), Accession="A1", Patient_ID="P1")
    site.run("run")
    stat, soon = site.json("queue")
    assert (stat["report"], stat["tier"]) == ("TEST/report/R2", "stat")
    assert (soon["report"], soon["tier"]) == ("TEST/report/R1", "soon")
    told = site.json("explain", "TEST/report/R1")
    assert told["warnings"] == ["identity_conflict"]
    assert told["reading"]["decided_by"] == "IDENTITY"
    assert site.json("explain", "TEST/report/R2")["warnings"] == []


def test_what_cannot_be_read_goes_to_a_person(site: Installation) -> None:
    site.drop("R1", "")
    (site.inbox / "R2.txt").write_bytes(b"\x00\x01\x02\xff" * 200)
    site.run("run")
    assert outcomes(site) == {"unreadable_text": 1, "rejected": 1}
    assert [case["tier"] for case in site.json("queue")] == ["unread"]
    (rejected,) = site.json("rejected")
    assert (rejected["path"], rejected["reason"]) == ("R2.txt", "binary")
    assert rejected["meaning"] == "The bytes are not text."


def test_a_report_that_breaks_the_reader_does_not_stop_the_others(site: Installation) -> None:
    site.drop("R1", "POISON-ERROR " + STAT.format(number=1))
    site.drop("R2", STAT.format(number=2))
    site.entry = BREAKING
    site.run("run")
    assert outcomes(site) == {"queued": 1, "rejected": 1}
    (rejected,) = site.json("rejected")
    assert (rejected["reason"], rejected["detail"]) == ("reader_failed", "ZeroDivisionError")


def test_a_version_that_breaks_the_reader_does_not_hide_the_next_one(site: Installation) -> None:
    folder = site.folder / "export"
    folder.mkdir()
    rows = [
        {
            "report_number": "R1",
            "status": "preliminary",
            "report_text": "POISON-ERROR " + STAT.format(number=1),
        },
        {"report_number": "R1", "status": "final", "report_text": STAT.format(number=1)},
        {"report_number": "R1", "status": "preliminary", "report_text": ROUTINE.format(number=1)},
    ]
    (folder / "export.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    site.entry = BREAKING
    site.run("run", "--source", str(folder))
    assert outcomes(site) == {"queued": 1, "routine": 1, "rejected": 1}


BREAKING = """
from review.setup import setup

setup()
from flows import isolation
from flows.cli import main

isolation.PROGRAM = ("-c", "from tests.flows.poison import main; main()")
main()
"""


def test_prefect_holds_a_task_run_for_each_shard(site: Installation, prefect_home: Path) -> None:
    site.configure(shard_reports=2)
    for number in range(9):
        site.drop(f"R{number}", ROUTINE.format(number=number))
    write_image(site.images / "a.dcm", accession="A1", patient="P1")
    site.run("run")
    run = site.json("runs")[0]
    shards = site.rows("SELECT id, kind FROM review_shard")
    expected = {f"{kind} of shard {number}" for number, kind in shards} | {
        "take what is to be tried again",
        "find studies",
        "find reports",
    }
    held = sqlite_rows(
        prefect_home / "prefect.db",
        "SELECT t.name, t.state_type FROM task_run t JOIN flow_run f ON f.id = t.flow_run_id WHERE f.id = ?",
        run["prefect_flow_run"],
    )
    assert len(shards) == 6
    assert sorted(held) == sorted((name, "COMPLETED") for name in expected)


def test_ledger_and_prefect_name_each_other_and_prefect_has_the_counts(
    site: Installation, prefect_home: Path
) -> None:
    site.drop("R1", STAT.format(number=1))
    site.run("run")
    run = site.json("runs")[0]
    identity = run["prefect_flow_run"]
    query = "SELECT name, tags FROM flow_run WHERE id = ?"
    ((name, tags),) = sqlite_rows(prefect_home / "prefect.db", query, identity)
    assert name == f"run-{run['run']}: 1 new inputs, 1 stat"
    rules = run["rules_version"].removeprefix("sha256:")[:8]
    ((ledger,),) = site.rows("SELECT substr(mac, 1, 12) FROM review_auditrow WHERE number = 1")
    told = ["command", f"ledger:{ledger}", f"rules:{rules}", "source:all-sources", "spinetriage"]
    assert json.loads(tags) == told
    query = "SELECT key, data FROM artifact WHERE flow_run_id = ?"
    artifacts = dict(sqlite_rows(prefect_home / "prefect.db", query, identity))
    assert artifacts.keys() == {"studies-progress", "reports-progress", "outcomes", "summary"}
    assert f"/runs/{run['run']}/" in artifacts["summary"]
    assert "Into the queue: 1 stat." in artifacts["summary"]
    assert artifacts["reports-progress"] == 100
    assert {"kind": "tier", "name": "stat", "inputs": 1} in json.loads(json.loads(artifacts["outcomes"]))


@pytest.mark.database
def test_after_a_kill_in_the_middle_every_report_has_exactly_one_outcome(
    site: Installation, prefect_home: Path
) -> None:
    site.configure(shard_reports=50)
    for number in range(2000):
        site.drop(f"R{number}", (STAT if number % 10 == 0 else ROUTINE).format(number=number))
    process = site.start("run")
    wait_for(lambda: site.rows("SELECT 1 FROM review_shard WHERE state = 'done' LIMIT 1 OFFSET 2"), process)
    process.send_signal(signal.SIGKILL)
    process.wait()
    (before,) = site.rows("SELECT count(*) FROM review_input")[0]
    assert 0 < before < 2000
    site.run("run")
    assert [run["state"] for run in site.json("runs")] == ["completed", "crashed"]
    assert site.rows("SELECT count(*), count(DISTINCT portion_id) FROM review_input") == [(2000, 2000)]
    assert site.rows("SELECT count(*) FROM review_case") == [(200,)]
    proof = site.json("audit", "verify")
    assert (proof["ok"], proof["runs_compared_with_prefect"]) == (True, 0)  # these ended just now
    query = "SELECT state_type FROM flow_run WHERE id IN (?, ?)"
    identities = [run["prefect_flow_run"] for run in site.json("runs")]
    states = sqlite_rows(prefect_home / "prefect.db", query, *identities)
    assert sorted(states) == [("COMPLETED",), ("CRASHED",)]  # by us: nobody was left to say it
