"""Making the tables ready, and the settings that keep pages safe."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder

from review import ledger
from review.logs import TextFormatter
from review.setup import migrate
from review.site import SiteError

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


def test_a_database_of_a_newer_program_is_left_alone(
    db: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("django.conf.settings.VAR", tmp_path)
    migrate()
    MigrationRecorder(connection).record_applied("review", "9999_later")
    with pytest.raises(SiteError, match="newer version of spinetriage"):
        migrate()


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


def test_what_the_pages_write_is_for_their_owner_only(tmp_path: Path) -> None:
    code = "import os, review.wsgi; print(os.umask(0))"
    own = {"SPINETRIAGE_VAR": str(tmp_path / "var"), "SPINETRIAGE_DATABASE_URL": ""}
    done = subprocess.run(
        [sys.executable, "-c", code], env=os.environ | own, umask=0o022, capture_output=True, text=True,
        check=True,
    )  # fmt: skip
    assert int(done.stdout) == 0o077


@pytest.mark.parametrize(
    ("variable", "value", "told"),
    [
        ("DATABASE_URL", "foo://u:secretpw@host/x", "DATABASE_URL is not the address of a database"),
        ("DATABASE_URL", "secretpw", "DATABASE_URL is not the address of a database"),
        ("DATABASE_URL", "mysql://u:secretpw@host/x", "DATABASE_URL is not the address of a database"),
        ("DATABASE_URL", "postgresql://u:secretpw[@host/x", "DATABASE_URL is not the address of a database"),
        ("DATABASE_URL", "postgresql://u:secretpw@host", "DATABASE_URL is not the address of a database"),
        ("DATABASE_URL", "sqlite://:memory:", "DATABASE_URL is not the address of a database"),
        ("DATABASE_URL", "postgresql://u:secretpw@127.0.0.1:1/x", "database x cannot be used (connection"),
        ("DATABASE_URL", "sqlite:////nowhere/x.db", "/nowhere/x.db cannot be used (unable to open"),
        ("DATABASE_URL", f"sqlite:///{__file__}", "cannot be used (file is not a database)"),
        ("VAR", __file__, "it cannot be made: File exists"),
        ("VAR", f"{__file__}/var", "it cannot be made: Not a directory"),
        ("VAR", "/proc/self", "/proc/self, it cannot be written to"),
        ("CONFIG", __file__, "cannot be read (Not a directory)"),
    ],
)
def test_a_mistake_in_the_environment_is_told_without_the_password(
    tmp_path: Path, variable: str, value: str, told: str
) -> None:
    own = {"SPINETRIAGE_VAR": str(tmp_path), "SPINETRIAGE_DATABASE_URL": "", f"SPINETRIAGE_{variable}": value}
    done = subprocess.run(
        [sys.executable, "-c", MIGRATE], env=os.environ | own, capture_output=True, text=True, check=False
    )
    last = done.stderr.splitlines()[-1]
    assert last.startswith("review.site.SiteError: ")
    assert told in last
    assert "secretpw" not in done.stderr


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
    line = TextFormatter().format(record)
    assert patient not in line
    assert "test_setup.py" in line
    assert line.endswith("ValueError")


@pytest.mark.django_db
def test_after_a_run_that_stored_something_sqlite_knows_how_large_its_tables_are(
    run: Callable[..., int], deliver: Callable[..., Any], version: Callable[..., Any]
) -> None:
    number = run()
    deliver(version("A1", "stat"), run_id=number)
    ledger.close_run(number, "completed")
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM sqlite_stat1 WHERE tbl = 'review_case'")
        assert cursor.fetchone()[0] > 0
