"""Making the tables ready, and the settings that keep pages safe."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.management import call_command

from review.logs import QuietFormatter

MIGRATE = "from review.setup import migrate, setup; setup(); migrate()"
CHECK = (
    "from review.setup import setup; setup(); from django.core.management import call_command; "
    "call_command('check', deploy=True, fail_level='WARNING')"
)


def test_processes_that_start_at_once_make_the_tables_once(tmp_path: Path) -> None:
    environment = os.environ | {"SPINETRIAGE_VAR": str(tmp_path / "var"), "SPINETRIAGE_DATABASE_URL": ""}
    processes = [
        subprocess.Popen([sys.executable, "-c", MIGRATE], env=environment, stderr=subprocess.PIPE)
        for _ in range(3)
    ]
    errors = [process.communicate()[1].decode() for process in processes]
    assert [process.returncode for process in processes] == [0, 0, 0], errors
    assert (tmp_path / "var").stat().st_mode & 0o777 == 0o700


def test_a_site_behind_tls_passes_the_checks_for_deployment(tmp_path: Path) -> None:
    environment = os.environ | {
        "SPINETRIAGE_VAR": str(tmp_path),
        "SPINETRIAGE_DATABASE_URL": "",
        "SPINETRIAGE_TLS": "1",
        "SPINETRIAGE_SECRET_KEY": "".join(map(chr, range(40, 110))),
    }
    done = subprocess.run(
        [sys.executable, "-c", CHECK], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.database
@pytest.mark.django_db
def test_the_migrations_are_those_of_the_models() -> None:
    call_command("makemigrations", check=True, dry_run=True, verbosity=0)


def test_a_log_line_tells_where_an_error_was_and_not_what_it_says() -> None:
    patient = "Mrs Smith"
    try:
        raise ValueError(patient)
    except ValueError:
        record = logging.LogRecord("django", logging.ERROR, "", 0, "Error at /case/12/", None, sys.exc_info())
    line = QuietFormatter().format(record)
    assert patient not in line
    assert "raise ValueError(patient)" in line
    assert line.endswith("ValueError")
