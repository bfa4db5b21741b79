"""Making Django and its tables ready, for commands and flows."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING

import django

from review.site import SiteError

if TYPE_CHECKING:
    from django.db.migrations.loader import MigrationLoader

LOCK = 7_391_402  # any number that nobody else locks in this database


def setup() -> None:
    """Set Django up with our settings."""
    os.umask(0o077)  # whatever we or a child of ours writes is for its owner only
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "review.settings")
    django.setup()


def is_current() -> bool:
    """Whether the tables are there and up to date; cheap enough to be asked by every monitor."""
    return set(_beside_the_code().graph.leaf_nodes()) <= _applied()


def _is_of_newer_program() -> bool:
    """Whether the database has gone through changes that this program does not know."""
    return bool({one for one in _applied() if one[0] == "review"} - _beside_the_code().disk_migrations.keys())


def _applied() -> set[tuple[str, str]]:
    from django.db import connection  # noqa: PLC0415 - only after setup
    from django.db.migrations.recorder import MigrationRecorder  # noqa: PLC0415

    return set(MigrationRecorder(connection).applied_migrations())


@cache
def _beside_the_code() -> MigrationLoader:
    from django.db.migrations.loader import MigrationLoader  # noqa: PLC0415

    return MigrationLoader(None)


def migrate() -> None:
    """Bring the tables up to date; of several processes that start at once, one does it.

    Raises
    ------
    SiteError
        When the database cannot be used, or is of a newer program. It was not asked for anything of a
        patient, so its own words are told; the password is not among them.
    """
    from django.core.management import call_command  # noqa: PLC0415 - only after setup
    from django.db import DatabaseError, connection  # noqa: PLC0415

    from review import guards  # noqa: PLC0415

    try:
        with _alone():  # before the first connection: SQLite cannot be switched to WAL by two at once
            if _is_of_newer_program():
                raise SiteError(
                    "The database is of a newer version of spinetriage, which this one would damage. Use "
                    "that version, or restore a backup made before the update into a new place."
                )
            if not is_current():
                call_command("migrate", interactive=False, verbosity=0)
                guards.put_up()
    except DatabaseError as error:
        name = connection.settings_dict["NAME"]
        fault = str(error).strip().partition("\n")[0]
        raise SiteError(
            f"The {connection.display_name} database {name} cannot be used ({fault}). "
            "Correct SPINETRIAGE_DATABASE_URL, or start the database."
        ) from None


@contextmanager
def _alone() -> Iterator[None]:
    """Hold a lock that other processes wait for: PostgreSQL's own, or a file beside the data."""
    from django.conf import settings  # noqa: PLC0415 - only after setup
    from django.db import connection  # noqa: PLC0415

    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_lock(%s)", [LOCK])
            try:
                yield
            finally:
                cursor.execute("SELECT pg_advisory_unlock(%s)", [LOCK])
    else:
        with (settings.VAR / "migrate.lock").open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield
