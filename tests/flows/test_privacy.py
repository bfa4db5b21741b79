"""Nothing of a patient reaches a log, Prefect, a monitor, an alert, an address or an export without names.

Each place is searched in the same way for the planted markers and for a word of its own that stands in it:
so a place that is empty, or that the search cannot look into, fails the test.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests.installation import STAT, Installation, write_image
from tests.servers import HookServer, MailServer, serving

pytestmark = [pytest.mark.prefect, pytest.mark.usefixtures("prefect_server")]

MARKERS = {
    "text": "Zyxwvut-Marker-Text",
    "patient": "ZYXWVUTPATIENT1",
    "name": "Zyxwvut-Marker-Name",
    "birth date": "19310203",
    "accession": "ZYXWVUTACC1",
    "file": "zyxwvut-marker-file",
    "folder": "zyxwvut-marker-folder",
    "description": "Zyxwvut-Marker-Description",
    "broken": "zyxwvut-marker-broken",
}
# Every way in which a batch can go wrong, each with an error that carries the text.
FAILURES = {
    "the reader": "isolation.PROGRAM = ('-c', READER)",
    "a step": "ledger.store_shard = lambda shard, outcomes: fail([o.version.text for o in outcomes])",
    "the flow": "ledger.take_over = lambda run: fail(MARKER)",
}
# Reading happens in a process of its own.
READER = """
import sys
from nlp import reader
plain = reader.read

def read(text, **context):
    if "Marker" in text:
        sys.stderr.write(text)
        raise ValueError(text)
    return plain(text, **context)

reader.read = read
from flows.isolated import main
main()
"""
ENTRY = """
from review.setup import setup

setup()
from flows import isolation
from review import ledger
from flows.cli import main

MARKER = {marker!r}
READER = {reader!r}

def fail(text):
    try:
        raise KeyError(text)
    except KeyError as error:
        raise ValueError(text) from error

{failure}
main()
"""
# All that a lead and a monitor see of the installation; told apart for the search.
WALK = """
import json, re
from review.setup import setup

setup()
from django.conf import settings
settings.ALLOWED_HOSTS = ["testserver"]
from django.core.management import call_command
from django.test import Client
from review.models import Account, Alert, AuditRow, Case, Notice

Account.objects.update(must_change_password=False)
client = Client()
client.force_login(Account.objects.get(username="tester"))
case = Case.objects.get()
pages, addresses, exports = [], [], []
found = client.post("/worklist/search/", {{"words": {text!r}}})
addresses.append(found.url)
for page in (
    found.url, "/worklist/", f"/case/{{case.pk}}/", f"/report/{{case.report_id}}/", "/rejected/", "/runs/",
    "/alerts/", "/statistics/", "/no-such-page/{text}/",
):
    body = client.get(page).content.decode()
    pages.append(body)
    addresses += re.findall(r'(?:href|src|action|hx-[a-z]+)="([^"]*)"', body)
for page in ("/worklist/export/", "/statistics/inputs.csv", "/statistics/drift.csv"):
    answer = client.get(page)
    assert answer.status_code == 200, page
    exports.append(b"".join(answer).decode())
    addresses.append(answer["Content-Disposition"])
print(json.dumps({{
    "pages": pages,
    "addresses": addresses,
    "exports": exports,
    "metrics": [Client().get(f"/health/{{page}}").content.decode() for page in ("", "ready/", "queue/")],
    "audit": [str(row) for row in AuditRow.objects.values_list()],
    "alerts": [str(row) for table in (Alert, Notice) for row in table.objects.values_list()],
}}))
"""


@pytest.fixture
def log(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Everything that can be logged is, in the one form or the other."""
    monkeypatch.setenv("SPINETRIAGE_LOG", request.param)
    monkeypatch.setenv("SPINETRIAGE_LOG_LEVEL", "DEBUG")
    return str(request.param)


@pytest.mark.parametrize(
    ("failing", "log"), list(zip(FAILURES, ("json", "text", "json"), strict=True)), indirect=["log"]
)
def test_planted_markers_are_found_nowhere_outside_the_ledger(
    site: Installation, prefect_home: Path, failing: str, log: str
) -> None:
    plant(site)
    ordinary = site.run("run") + site.complaints
    site.drop(f"{MARKERS['file']}-2", f"{MARKERS['text']} {STAT}", Patient_ID=MARKERS["patient"])
    site.entry = ENTRY.format(marker=MARKERS["text"], reader=READER, failure=FAILURES[failing])
    failed = site.run("run", status=0 if failing == "the reader" else 1) + site.complaints
    del site.entry
    if failing == "the reader":
        assert site.rows("SELECT count(*) FROM review_input WHERE reason = 'reader_failed'") == [(1,)]
    assert site.json("runs")[0]["state"] == ("completed" if failing == "the reader" else "failed")

    assert holds(contents(site.var), MARKERS["text"])  # the search itself finds what is there
    assert leaks(ordinary + failed, "shard stored") == []
    assert leaks(contents(prefect_home), "shard stored") == []


@pytest.mark.parametrize("log", ["text"], indirect=True)
def test_planted_markers_are_in_no_alert_address_metric_export_or_log_of_the_pages(
    site: Installation, log: str
) -> None:
    plant(site)
    with serving(MailServer()) as mail, serving(HookServer()) as hook:
        tell(site, mail.port, hook.url)
        site.run("run")
        told = site.run("alerts", status=1)
        site.run("alerts", "--test")
    site.entry = WALK.format(text=MARKERS["text"])
    seen = json.loads(site.run())
    pages_log = site.complaints

    inside = "\n".join(seen.pop("pages"))
    shown = {name for name, marker in MARKERS.items() if holds(inside, marker)}
    assert shown >= {"text", "patient", "accession", "description", "broken"}  # pages hold what people need
    mails = "\n".join(f"{one}\n{one.get_content()}" for one in mail.mails)
    places = {
        "the command": (told, "rejected within"),
        "mail": (mails, "rejected within"),
        "webhook": (b"\n".join(body for _, _, body in hook.asked), "rejected within"),
        "log of the pages": (pages_log, "/worklist/search/"),
        "addresses": ("\n".join(seen["addresses"]), "/worklist/?search="),
        "exports": ("\n".join(seen["exports"]), "rejected"),
        "metrics": ("\n".join(seen["metrics"]), '"alerts": 1'),
        "audit": ("\n".join(seen["audit"]), "alert.opened"),
        "alerts": ("\n".join(seen["alerts"]), "rejected"),
    }
    found = {name: leaks(place, own) for name, (place, own) in places.items()}
    # The worklist as CSV tells which study was made; it promises to be without names and text.
    assert found == {name: ["description"] if name == "exports" else [] for name in places}


@pytest.mark.parametrize("marker", MARKERS.values())
def test_a_marker_that_leaks_is_found(marker: str) -> None:
    for place in (f"a {marker} b", marker.upper(), json.dumps({"x": f"a\n{marker}"}), marker.encode()):
        assert holds(place, marker)


def leaks(place: str | bytes, own: str) -> list[str]:
    """Return which markers stand in a place, which must hold a word of its own."""
    assert holds(place, own), f"{own!r} is not in a place that was to be searched: {place[:2000]!r}"
    return [name for name, marker in MARKERS.items() if holds(place, marker)]


def holds(place: str | bytes, word: str) -> bool:
    whole = place if isinstance(place, bytes) else place.encode()
    return word.lower().encode() in whole.lower()


def plant(site: Installation) -> None:
    folder = site.images / MARKERS["folder"]
    folder.mkdir()
    tags = {
        "StudyDescription": MARKERS["description"],
        "PatientName": MARKERS["name"],
        "PatientBirthDate": MARKERS["birth date"],
    }
    write_image(folder / "a.dcm", MARKERS["accession"], MARKERS["patient"], **tags)
    (folder / f"{MARKERS['broken']}.dcm").write_bytes(b"\0" * 128 + b"DICM" + b"junk")
    header = {"Accession": MARKERS["accession"], "Patient_ID": MARKERS["patient"]}
    site.drop(MARKERS["file"], f"{MARKERS['text']} {STAT}", **header)
    (site.inbox / f"{MARKERS['broken']}.txt").write_bytes(MARKERS["text"].encode() + b"\0\0\xff" * 99)


def tell(site: Installation, port: int, url: str) -> None:
    """Let the installation tell of the first rejected inputs by mail and webhook."""
    file = site.folder / "config/alerts.toml"
    text = file.read_text()
    for old, new in (
        (r"new = 20 ", "new = 1 "),
        (r"enabled = false", "enabled = true"),
        (r"to = \[\]", 'to = ["on-call@example.org"]'),
        (r'from = ""', 'from = "triage@example.org"'),
        (r"port = 25", f"port = {port}"),
        (r'tls = "starttls"', 'tls = "none"'),
        (r'url = ""', f'url = "{url}"'),
    ):
        text, changes = re.subn(old, new, text)
        assert changes, old
    file.write_text(text)


def contents(folder: Path) -> bytes:
    files = [file for file in sorted(folder.rglob("*")) if file.is_file()]
    assert files
    return b"\n".join(file.read_bytes() for file in files)
