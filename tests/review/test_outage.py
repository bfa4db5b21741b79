"""What failed of the machine is told in words, from codes alone; pages say so instead of failing."""

from __future__ import annotations

import errno
import sqlite3
from pathlib import Path

import psycopg
import pytest
from django.db import DatabaseError, OperationalError, connection
from django.test import Client

from review.outage import AWAY, BUSY, FULL, READ_ONLY, outage

SECRET = "user=jane password=4711"


def caused_by(cause: Exception) -> Exception:
    """Return the error as Django raises it."""
    error = OperationalError(SECRET)
    error.__cause__ = cause
    return error


def full(database: Path) -> Exception:
    with sqlite3.connect(database) as held:
        held.execute("PRAGMA max_page_count = 2")
        held.execute("CREATE TABLE report (text)")
        with pytest.raises(sqlite3.OperationalError) as raised:
            held.execute("INSERT INTO report VALUES (?)", ["x" * 100_000])
    held.close()
    return raised.value


def locked(database: Path) -> Exception:
    holder, other = (sqlite3.connect(database, timeout=0, isolation_level=None) for _ in range(2))
    holder.execute("BEGIN IMMEDIATE")
    with pytest.raises(sqlite3.OperationalError) as raised:
        other.execute("BEGIN IMMEDIATE")
    holder.close()
    other.close()
    return raised.value


def test_a_full_and_a_locked_database_are_told_apart(tmp_path: Path) -> None:
    assert outage(caused_by(full(tmp_path / "full"))) == FULL
    assert outage(caused_by(locked(tmp_path / "locked"))) == BUSY


def test_a_server_that_does_not_answer_or_is_being_stopped_is_away(tmp_path: Path) -> None:
    with pytest.raises(psycopg.OperationalError) as raised:
        psycopg.connect(host=str(tmp_path), user="nobody")
    assert outage(caused_by(raised.value)) == AWAY
    assert outage(caused_by(psycopg.errors.AdminShutdown(SECRET))) == AWAY
    assert outage(caused_by(psycopg.errors.DiskFull(SECRET))) == "the database's disk is full"


@pytest.mark.parametrize(("code", "told"), [(errno.ENOSPC, FULL), (errno.EROFS, READ_ONLY)])
def test_a_disk_is_told_by_the_code_of_the_error(code: int, told: str) -> None:
    assert outage(OSError(code, SECRET, "/in/jane.txt")) == told


@pytest.mark.parametrize(
    "error",
    [
        None,
        ValueError(SECRET),
        OSError(errno.ENOENT, SECRET),
        caused_by(psycopg.errors.UndefinedColumn(SECRET)),
        DatabaseError(SECRET),
    ],
    ids=["nothing", "a slip of ours", "a file that is gone", "a wrong statement", "without a cause"],
)
def test_any_other_error_is_no_outage(error: Exception | None) -> None:
    assert outage(error) == ""


@pytest.mark.parametrize(
    ("error", "status", "says"),
    [
        (caused_by(psycopg.errors.AdminShutdown(SECRET)), 503, AWAY),
        (ValueError(SECRET), 500, "Something went wrong"),
    ],
    ids=["away", "a slip of ours"],
)
@pytest.mark.django_db
def test_a_page_says_that_the_database_is_away_and_nothing_of_the_error(
    error: Exception, status: int, says: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr(connection, "cursor", fail)
    client = Client(raise_request_exception=False)
    client.cookies["sessionid"] = "a" * 32
    response = client.get("/worklist/")
    assert (response.status_code, says in response.content.decode()) == (status, True)
    assert "4711" not in response.content.decode()
    assert (response.get("Retry-After") is not None) == (status == 503)
    monkeypatch.undo()
    assert client.get("/login/").status_code == 200  # it works again by itself
