"""`spinetriage labels`: decided cases out, into `evaluate`, which shows what people corrected as mistakes."""

from __future__ import annotations

import stat
from pathlib import Path

from tests.installation import STAT, Installation

# Confirm the case with a correction: no lesion at the first words of the machine's first finding.
DECIDE = """
from review.setup import setup
setup()
from review import caseload
from review.models import Account, Case
account, case = Account.objects.get(), Case.objects.select_related("reading").get()
version = case.reading.version_id
finding = next(f for f in case.reading.content["findings"] if f["quote"] == "Metastasis")
assert caseload.claim(account, case.pk)
span = finding["start"], finding["end"]
caseload.correct(account, case.pk, version, span, caseload.Said(kind="not_a_lesion"))
caseload.decide(account, case.pk, version, "confirmed", tier_given=2)
"""


def decided(site: Installation) -> None:
    site.drop("R1", STAT.format(number=1), Patient_ID="P-4711")
    site.take_in()
    site.execute(DECIDE)


def test_what_people_corrected_shows_up_as_a_mistake_of_the_reader(
    site: Installation, tmp_path: Path
) -> None:
    decided(site)
    file = tmp_path / "labels.jsonl"
    assert site.run("labels", "--to", str(file)) == ""
    assert "Labelled reports written: 1" in site.complaints
    assert "holds the text of reports" in site.complaints
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert "P-4711" not in file.read_text()
    told = site.json("evaluate", str(file), "--errors", "all")
    assert told["reports"] == 1
    wrong = {(one["kind"], one["quote"]): one for one in told["listed"]}
    assert wrong["wrongly affirmed", "Metastasis"]["expected"] == "malignant, absent"
    assert wrong["tier", "circumferential epidural tumour"]["expected"] == "soon"


def test_labels_go_to_standard_output_and_never_over_a_file_that_is_there(
    site: Installation, tmp_path: Path
) -> None:
    decided(site)
    assert site.run("labels").startswith('{"')
    assert site.run("labels", "--since", "2999-01-01") == ""
    file = tmp_path / "there"
    file.write_text("kept")
    site.run("labels", "--to", str(file), status=1)
    assert "is there already" in site.complaints
    assert file.read_text() == "kept"
    site.run("labels", "--to", str(tmp_path / "none" / "x"), status=1)
    assert "cannot be written" in site.complaints
    site.run("labels", "--since", "yesterday", status=2)
    exports = site.rows("SELECT count(*) FROM review_auditrow WHERE action = 'exported'")
    assert exports == [(2,)]


def test_only_a_lead_takes_labels_out(site: Installation) -> None:
    site.run("user", "add", "root", "--role", "admin", "--as", "tester")
    site.run("user", "add", "rad", "--role", "radiologist", "--as", "root")
    site.run("labels", "--as", "rad", status=1)
    assert "may not use 'labels'" in site.complaints
