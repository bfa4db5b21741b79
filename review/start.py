"""Making Django and its tables ready, for commands and flows."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager

LOCK = 7_391_402  # any number that nobody else locks in this database


def prepare() -> None:
    """Set Django up and bring the tables up to date; of several processes that start at once, one does it."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "review.settings")
    import django  # noqa: PLC0415 - only after the settings are named

    django.setup()
    if _behind():
        from django.core.management import call_command  # noqa: PLC0415

        with _alone():
            call_command("migrate", interactive=False, verbosity=0)


def _behind() -> bool:
    from django.db import connection  # noqa: PLC0415
    from django.db.migrations.executor import MigrationExecutor  # noqa: PLC0415

    executor = MigrationExecutor(connection)
    return bool(executor.migration_plan(executor.loader.graph.leaf_nodes()))


@contextmanager
def _alone() -> Iterator[None]:
    """Hold a lock that other processes wait for: PostgreSQL's own, or a file beside the data."""
    from django.conf import settings  # noqa: PLC0415
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
