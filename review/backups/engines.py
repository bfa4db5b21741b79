"""Copies of the database that are consistent while others write: SQLite's backup, PostgreSQL's pg_dump."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import psycopg

from review.backups import BackupError

Progress = Callable[[int, int], None]  # done, of how many
Facts = dict[str, Any]
SQLITE_FILE, POSTGRESQL_FILE = "database.sqlite3", "database.dump"
PAGES = 2000  # copied at once
# Tables whose rows are counted for the manifest, so that who restores can compare.
COUNTED = (
    *("review_run", "review_input", "review_report", "review_reportversion", "review_reading"),
    *("review_case", "review_decision", "review_auditrow", "review_account"),
)
_HEAD = "SELECT number, mac FROM review_audithead WHERE id = 1"
_MIGRATIONS = "SELECT app, name FROM django_migrations ORDER BY app, name"


def is_sqlite(database: dict[str, Any]) -> bool:
    """Whether Django's settings of a database name SQLite."""
    return str(database["ENGINE"]).endswith("sqlite3")


def copy_sqlite(database: dict[str, Any], folder: Path, progress: Progress) -> Facts:
    """Copy a SQLite database as it is at this moment, whoever goes on writing; say what is in it."""
    target = folder / SQLITE_FILE
    source = sqlite3.connect(f"file:{database['NAME']}?mode=ro", uri=True, isolation_level=None)
    with closing(source), closing(sqlite3.connect(target, isolation_level=None)) as copy:
        # One reading transaction around it all: without it the copy would begin anew at each write.
        source.execute("BEGIN")
        source.execute("SELECT count(*) FROM sqlite_master").fetchone()
        source.backup(
            copy, pages=PAGES, progress=lambda _, remaining, total: progress(total - remaining, total)
        )
        copy.execute("PRAGMA journal_mode=DELETE")  # one file, not three
        if copy.execute("PRAGMA quick_check").fetchone() != ("ok",):
            raise BackupError("The copy of the database is damaged: check both disks.")
        return _facts("sqlite", sqlite3.sqlite_version, lambda sql: copy.execute(sql).fetchall())


def dump_postgresql(database: dict[str, Any], folder: Path, progress: Progress) -> Facts:
    """Dump a PostgreSQL database as it is at this moment, and say what is in the dump."""
    program = _program("pg_dump")
    with psycopg.connect(**_parameters(database)) as connection:
        connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        snapshot = connection.execute("SELECT pg_export_snapshot()").fetchone()[0]  # type: ignore[index]
        command = [program, "--format=custom", "--no-owner", "--no-privileges", f"--snapshot={snapshot}"]
        target = folder / POSTGRESQL_FILE
        _call([*command, f"--file={target}", *_where(database)], database, progress, target)
        version = str(connection.info.server_version // 10_000)
        return _facts("postgresql", version, lambda sql: connection.execute(sql.encode()).fetchall())


def restore_postgresql(database: dict[str, Any], folder: Path, progress: Progress) -> None:
    """Load a dump into an empty PostgreSQL database, all or nothing."""
    command = [_program("pg_restore"), "--no-owner", "--no-privileges", "--single-transaction"]
    command += ["--clean", "--if-exists"]  # empty tables that a first start has made
    source = folder / POSTGRESQL_FILE
    _call([*command, *_where(database), str(source)], database, progress, source)


def is_empty(database: dict[str, Any]) -> bool:
    """Whether nothing was ever done in a database: it has no row of the audit, and no account."""
    if is_sqlite(database) and not Path(database["NAME"]).exists():
        return True
    with _asking(database) as ask:
        try:
            tables = ("review_auditrow", "review_account")
            return not any(ask(f"SELECT 1 FROM {table} LIMIT 1") for table in tables)  # noqa: S608
        except (sqlite3.OperationalError, psycopg.errors.UndefinedTable):
            return True  # no tables yet


@contextmanager
def _asking(database: dict[str, Any]) -> Iterator[Callable[[str], list[Any]]]:
    if is_sqlite(database):
        with closing(sqlite3.connect(database["NAME"])) as connection:
            yield lambda sql: connection.execute(sql).fetchall()
    else:
        with psycopg.connect(**_parameters(database)) as server:
            yield lambda sql: server.execute(sql.encode()).fetchall()


def _facts(engine: str, server: str, ask: Callable[[str], list[Any]]) -> Facts:
    head = ask(_HEAD)
    return {
        "engine": engine,
        "server": server,
        "counts": {table: ask(f"SELECT count(*) FROM {table}")[0][0] for table in COUNTED},  # noqa: S608
        "chain": {"number": head[0][0], "mac": head[0][1]} if head else {"number": 0, "mac": ""},
        "migrations": [".".join(row) for row in ask(_MIGRATIONS)],
    }


def _parameters(database: dict[str, Any]) -> dict[str, Any]:
    """Return what libpq wants, from Django's settings of a database."""
    names = {"NAME": "dbname", "USER": "user", "PASSWORD": "password", "HOST": "host", "PORT": "port"}
    given = {name: database[key] for key, name in names.items() if database.get(key)}
    return {**database.get("OPTIONS", {}), **given}


def _where(database: dict[str, Any]) -> list[str]:
    """Return the option that names the database; all else, the password too, goes by the environment."""
    return ["--dbname", database["NAME"], "--no-password"]


def _environment(database: dict[str, Any]) -> dict[str, str]:
    names = {"user": "PGUSER", "password": "PGPASSWORD", "host": "PGHOST", "port": "PGPORT"}
    tls = ("sslmode", "sslrootcert", "sslcert", "sslkey", "channel_binding")
    names |= {name: f"PG{name.replace('_', '').upper()}" for name in (*tls, "hostaddr")}
    said = _parameters(database)
    return {**os.environ, **{names[name]: str(value) for name, value in said.items() if name in names}}


def _program(name: str) -> str:
    program = shutil.which(name)
    if program is None:
        raise BackupError(
            f"{name} is not on the PATH. It comes with PostgreSQL's client programs (Debian: "
            "apt-get install postgresql-client), of the server's version or a newer one."
        )
    return program


def _call(command: list[str], database: dict[str, Any], progress: Progress, file: Path) -> None:
    """Run one of PostgreSQL's programs, telling the size of the file that it writes."""
    with subprocess.Popen(  # noqa: S603 - a fixed list of arguments
        command, env=_environment(database), stderr=subprocess.PIPE, text=True, errors="replace"
    ) as process:
        try:
            while True:
                try:
                    _, said = process.communicate(timeout=1)
                    break
                except subprocess.TimeoutExpired:
                    progress(file.stat().st_size if file.exists() else 0, 0)
        except BaseException:
            process.kill()
            raise
    if process.returncode:
        lines = [line for line in said.strip().splitlines() if line] or ["it said nothing"]
        raise BackupError(f"{Path(command[0]).name} failed: {lines[0]}")
