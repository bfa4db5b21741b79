"""What a week leaves behind: what may go goes, and the database is tidied."""

from __future__ import annotations

from review.setup import setup

setup()  # a scheduled run starts here, in a process of its own

# ruff: noqa: E402 - Django must be set up before its models can be imported
from django.db import connection
from django.utils import timezone
from prefect import flow

from flows.tasks import TRANSIENT, Counts, every_step, step
from review import keeping


def _expire() -> Counts:
    return {
        f"{what.replace('_', ' ')} expired": number for what, number in keeping.expire(timezone.now()).items()
    }


def _tidy_database() -> Counts:
    """Let SQLite look at its tables anew and shorten its log of changes; PostgreSQL does so by itself."""
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA optimize")
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return {}


STEPS = (
    step("let go what is kept too long", TRANSIENT)(_expire),
    step("tidy the database", TRANSIENT)(_tidy_database),
)


@flow(name="housekeeping", flow_run_name="housekeeping", persist_result=False)
def housekeeping() -> Counts:
    """Remove what the policy lets go, and tidy up; return how much. Prefect sees counts only.

    Prefect's own history is removed by its server, after `retention_days.prefect_history`.
    """
    return every_step("housekeeping", STEPS)
