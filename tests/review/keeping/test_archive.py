"""The record as an archive: no name, no word of a report, and a receiver can check it."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import re
import zipfile
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from review import audit, caseload
from review.audit import archive
from review.models import Account, AuditRow

pytestmark = [pytest.mark.database, pytest.mark.django_db]
Make = Callable[..., Any]
MARKER = "ZZMARKER"


@pytest.fixture
def auditor(person: Make) -> Account:
    return person("auditor", name="alice.auditor")  # type: ignore[no-any-return]


@pytest.fixture
def decided(deliver: Make, version: Make, person: Make, case_of: Make) -> None:
    """A day on which a case was decided."""
    text = f"FINDINGS: epidural mass {MARKER}"
    deliver(version("A1", "stat", text=text, patient_id=MARKER), version("A2", "routine"), "no_text")
    reader, case = person(name="bob.reader"), case_of("A1")
    caseload.claim(reader, case.pk)
    caseload.decide(reader, case.pk, case.reading.version_id, "confirmed", comment=MARKER)


@pytest.fixture
def file(decided: None, auditor: Account, tmp_path: Path) -> Path:
    export(auditor, tmp_path / "record.zip")
    return tmp_path / "record.zip"


def export(account: Account, to: Path, why: str = "", days: int = 1) -> dict[str, Any]:
    now = timezone.now()
    span = (now - timedelta(days=days), now + timedelta(minutes=1))
    return archive.export(account, span, to, why, lambda done, total: None)


def read(file: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(file) as there:
        return {name: there.read(name) for name in there.namelist()}


def forge(file: Path, name: str, change: Callable[[bytes], bytes], *, manifest: bool) -> None:
    """Change a file of an archive, and its digest in the manifest with it if asked."""
    files = read(file)
    files[name] = change(files[name])
    if manifest:
        said = json.loads(files["manifest.json"])
        said["files"][name]["sha256"] = hashlib.sha256(files[name]).hexdigest()
        files["manifest.json"] = json.dumps(said).encode()
    with zipfile.ZipFile(file, "w") as there:
        for one, content in files.items():
            there.writestr(one, content)


def test_neither_names_nor_words_of_reports_are_in_it(file: Path) -> None:
    files = read(file)
    said = b"".join(files.values())
    assert not [word for word in (MARKER, "alice", "bob.reader", "epidural") if word.encode() in said]
    assert "accounts.csv" not in files
    assert not file.stat().st_mode & 0o077


def test_all_rows_outcomes_and_decisions_are_in_it(file: Path) -> None:
    files = read(file)
    rows = [json.loads(line) for line in files["audit.jsonl"].splitlines()]
    # The row of the export itself comes after what it holds.
    assert [row["number"] for row in rows] == list(range(1, AuditRow.objects.count()))
    outcomes = list(csv.DictReader(io.StringIO(files["outcomes.csv"].decode())))
    assert sorted(row["outcome"] for row in outcomes) == ["queued", "rejected", "routine"]
    assert next(row["tier"] for row in outcomes if row["outcome"] == "queued") == "stat"
    assert [row["verdict"] for row in csv.DictReader(io.StringIO(files["decisions.csv"].decode()))] == [
        "confirmed"
    ]
    assert len(files["audit.csv"].splitlines()) == len(rows) + 1


def test_names_go_along_for_a_reason_only_and_the_audit_says_so(
    file: Path, auditor: Account, tmp_path: Path
) -> None:
    export(auditor, tmp_path / "named.zip", "asked for by the authority")
    assert b"bob.reader" in read(tmp_path / "named.zip")["accounts.csv"]
    told = AuditRow.objects.filter(action="audit.exported").order_by("number")
    assert [row.detail["names"] for row in told] == [False, True]
    assert told[0].actor == auditor.actor
    assert audit.verify()["faults"] == []


def test_the_receiver_needs_nothing_but_digests_to_check_the_files(file: Path) -> None:
    files = read(file)
    said = json.loads(files.pop("manifest.json"))
    found = {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}
    assert found == {name: fact["sha256"] for name, fact in said["files"].items()}
    last = json.loads(files["audit.jsonl"].splitlines()[-1])
    assert {"number": last["number"], "mac": last["mac"]} == said["chain"]["last"]
    detail = AuditRow.objects.get(action="audit.exported").detail
    assert detail["manifest"] == hashlib.sha256(read(file)["manifest.json"]).hexdigest()


def test_a_whole_archive_is_found_whole(file: Path) -> None:
    assert archive.check(file) == []


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda said: said.replace(b"case.claimed", b"case.decided"), "does not fit the chain"),
        (lambda said: said.replace(said.splitlines(keepends=True)[2], b""), "rows 3 to 3 are missing"),
        (lambda said: b"".join(said.splitlines(keepends=True)[:-1]), "the manifest says"),
    ],
    ids=["a row changed", "a row left out", "the end cut off"],
)
def test_a_forged_chain_is_found_though_the_digests_were_made_anew(
    file: Path, change: Callable[[bytes], bytes], told: str
) -> None:
    forge(file, "audit.jsonl", change, manifest=True)
    assert told in str(archive.check(file))


def test_a_changed_file_is_found(file: Path) -> None:
    forge(file, "outcomes.csv", lambda said: said.replace(b"queued", b"routine"), manifest=False)
    assert archive.check(file) == ["outcomes.csv was changed"]


def test_a_file_that_is_no_archive_is_told(tmp_path: Path, file: Path) -> None:
    cut = tmp_path / "cut.zip"
    cut.write_bytes(file.read_bytes()[:-50])
    with pytest.raises(archive.ArchiveError, match="no whole archive"):
        archive.check(cut)


def test_the_events_are_fhir_r4(file: Path) -> None:
    """What the R4 definition of AuditEvent asks for, looked at element by element."""
    events = [json.loads(line) for line in read(file)["fhir-audit-events.ndjson"].splitlines()]
    assert len(events) > 5
    known = {
        "resourceType",
        "id",
        "type",
        "subtype",
        "action",
        "recorded",
        "outcome",
        "agent",
        "source",
        "entity",
    }
    for event in events:
        assert event.keys() == known | {"entity"}
        assert event["resourceType"] == "AuditEvent"
        assert re.fullmatch(r"[A-Za-z0-9\-.]{1,64}", event["id"])
        assert event["type"].keys() == {"system", "code", "display"}
        assert event["action"] in {"C", "R", "U", "D", "E"}
        assert event["outcome"] in {"0", "4", "8", "12"}
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+\d\d:\d\d", event["recorded"])
        assert [agent["requestor"] for agent in event["agent"]] in ([True], [False])
        assert event["source"]["observer"] == {"display": "spinetriage"}
        assert event["entity"][0]["what"]["identifier"]["value"]
    decided = next(event for event in events if event["subtype"][0]["code"] == "case.decided")
    assert (decided["action"], decided["agent"][0]["requestor"]) == ("U", True)


def test_an_account_that_sees_some_sources_only_exports_nothing(person: Make, tmp_path: Path) -> None:
    with pytest.raises(archive.ArchiveError, match="some sources only"):
        export(person("auditor", sources=("inbox",)), tmp_path / "record.zip")
    assert list(tmp_path.glob("*.zip")) == []


def test_days_without_a_row_make_an_archive_without_rows(auditor: Account, tmp_path: Path) -> None:
    long_ago = timezone.now() - timedelta(days=4000)
    span = (long_ago, long_ago + timedelta(days=1))
    assert archive.export(auditor, span, tmp_path / "empty.zip", "", lambda *_: None)["rows"] == 0
    assert archive.check(tmp_path / "empty.zip") == []
