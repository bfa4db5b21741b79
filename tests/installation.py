"""A whole installation in a temporary folder, worked through its command line as people and cron do."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import re
import shutil
import sqlite3
import subprocess
import sys
import time
import urllib.parse
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, MRImageStorage

from tests import forked
from tests.plugin import SCRATCH

ROOT = Path(__file__).parents[1]
TABLES = "from review.setup import migrate, setup; setup(); migrate()"
SOURCES = """
[batch]
shard_reports = {shard_reports}

[sources.inbox]
kind = "text"
folder = "{inbox}"
patterns = ["*.txt"]
issuer = "TEST"
filename = "{{report_number}}.txt"
[sources.inbox.labels]
"Accession" = "accession"
"Patient ID" = "patient_id"
"Status" = "status"
"Result time" = "result_time"

[sources.images]
kind = "dicom"
folder = "{images}"
issuer = "TEST"
"""
# One batch without Prefect: the same steps in the same order.
BATCH = """
from review.setup import setup
setup()
from flows import batch, shard
from review import ledger
run = batch.open_run("command")
ledger.take_over(run)
for number in batch.find(run, "reports"):
    shard.read_reports(number)
ledger.close_run(run, "completed")
"""
STAT = (
    "FINDINGS: Metastasis of the T6 vertebral body with circumferential epidural tumour compressing the "
    "spinal cord.\nIMPRESSION: Metastatic spinal cord compression at T6. Report {number}."
)
ROUTINE = (
    "FINDINGS: Normal alignment. No fracture. No suspicious osseous lesion. The cord is of normal signal.\n"
    "IMPRESSION: Normal MRI of the lumbar spine. Report {number}."
)


class Installation:
    """One installation: its inbox, its data, its command line.

    `entry` is the program that stands for the command; a test may put one that fails in its place.
    """

    entry = "from flows.cli import main; main()"
    complaints = ""  # what the last command printed on standard error

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.inbox, self.images, self.var = folder / "inbox", folder / "images", folder / "var"
        self.inbox.mkdir()
        self.images.mkdir()
        shutil.copytree(ROOT / "config", folder / "config")
        self.sample()
        self.configure()
        # Under `--database postgresql` each installation has a database of its own in that server.
        self.database = os.environ.get("SPINETRIAGE_DATABASE_URL", "")
        self.start_with_tables()

    def start_with_tables(self) -> None:
        """Begin with a copy of tables that were made once: making them takes longer than most tests."""
        scratch = Path(os.environ[SCRATCH])
        with (scratch / "tables.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            made = scratch / "tables"
            if not made.exists():
                if self.database:
                    self.create("site_tables")
                own = {"SPINETRIAGE_VAR": str(made), "SPINETRIAGE_DATABASE_URL": self.at("site_tables")}
                subprocess.run([sys.executable, "-c", TABLES], env=os.environ | own, check=True)
            if self.database:
                name = f"site_{uuid.uuid4().hex}"
                self.create(f"{name} TEMPLATE site_tables")
                self.database = self.at(name)
                return
        self.var.mkdir(mode=0o700)
        shutil.copy(made / "spinetriage.sqlite3", self.var)

    def create(self, what: str) -> None:
        with psycopg.connect(self.database, autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {what}")

    def at(self, name: str) -> str:
        """Return the address of another database of the same server; "" for SQLite."""
        address = urllib.parse.urlsplit(self.database)
        return urllib.parse.urlunsplit(address._replace(path=f"/{name}")) if self.database else ""

    def configure(self, shard_reports: int = 250) -> None:
        text = SOURCES.format(inbox=self.inbox, images=self.images, shard_reports=shard_reports)
        (self.folder / "config/sources.toml").write_text(text)

    def sample(self, share: float = 0, blind_soon_share: float = 0) -> None:
        """Set the shares that are read blind: nothing by chance, unless a test asks for it."""
        file = self.folder / "config/site.toml"
        text = file.read_text()
        for key, value in (("share", share), ("blind_soon_share", blind_soon_share)):
            text = re.sub(rf"^{key} = \S+", f"{key} = {value}", text, flags=re.MULTILINE)
        file.write_text(text)

    @property
    def environment(self) -> dict[str, str]:
        own = {"SPINETRIAGE_VAR": str(self.var), "SPINETRIAGE_CONFIG": str(self.folder / "config")}
        if self.database:
            own["SPINETRIAGE_DATABASE_URL"] = self.database
        return {**os.environ, **own}

    def command(self, *arguments: str) -> list[str]:
        return [sys.executable, "-c", self.entry, *arguments]

    def start(self, *arguments: str, **options: Any) -> subprocess.Popen[str]:
        return subprocess.Popen(self.command(*arguments), env=self.environment, text=True, **options)

    def run(self, *arguments: str, text: str = "", status: int = 0) -> str:
        """Run a command that must end with `status`; return what it printed."""
        return self.execute(self.entry, *arguments, text=text, status=status)

    def execute(self, program: str, *arguments: str, text: str = "", status: int = 0) -> str:
        """Carry out a program as `run` does a command."""
        streams = [self.folder / f"std{name}" for name in ("in", "out", "err")]
        streams[0].write_text(text)
        ended = forked.run(program, arguments, self.environment, streams, 300)
        said, self.complaints = (stream.read_text() for stream in streams[1:])
        assert ended == status, f"{arguments}: {ended}\n{said}\n{self.complaints}"
        return said if status == 0 else said + self.complaints

    def take_in(self) -> None:
        """Carry out a batch over what lies in the inbox, without Prefect: most tests do not look at that."""
        self.execute(BATCH)

    def json(self, *arguments: str) -> Any:
        return json.loads(self.run(*arguments, "--json"))

    def drop(self, name: str, text: str, **header: str) -> None:
        lines = "".join(f"{label.replace('_', ' ')}: {value}\n" for label, value in header.items())
        (self.inbox / f"{name}.txt").write_text(f"{lines}\n{text}" if lines else text)

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """Ask the ledger's tables directly, as a witness beside the commands."""
        if self.database:
            with psycopg.connect(self.database) as connection:
                return list(connection.execute(query))
        return sqlite_rows(self.var / "spinetriage.sqlite3", query)


def sqlite_rows(database: Path, query: str, *values: Any) -> list[tuple[Any, ...]]:
    """Ask a SQLite file, and let go of it."""
    connection = sqlite3.connect(database)
    try:
        return connection.execute(query, values).fetchall()
    finally:
        connection.close()


def write_image(path: Path, accession: str, patient: str, **tags: str) -> None:
    """Write the smallest DICOM file that belongs to a study."""
    image = Dataset()
    image.file_meta = FileMetaDataset()
    image.file_meta.MediaStorageSOPClassUID = image.SOPClassUID = MRImageStorage
    image.file_meta.MediaStorageSOPInstanceUID = image.SOPInstanceUID = "2.25.4"
    image.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    image.StudyInstanceUID, image.SeriesInstanceUID = "2.25.2", "2.25.3"
    image.AccessionNumber, image.PatientID, image.Modality = accession, patient, "MR"
    image.StudyDate = "20260501"
    for name, value in tags.items():
        setattr(image, name, value)
    image.save_as(path, enforce_file_format=True)


def wait_for(condition: Callable[[], object], process: subprocess.Popen[str], seconds: float = 120) -> None:
    """Wait until `condition` is true while a command goes on."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise AssertionError(f"the command ended too early: {process.communicate()}")
        with contextlib.suppress(sqlite3.OperationalError, psycopg.Error, OSError):  # nothing is there yet
            if condition():
                return
        time.sleep(0.02)
    raise AssertionError("waited in vain")
