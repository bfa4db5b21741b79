"""Triggers by which the database itself refuses to change or delete what stands for ever.

Who owns the database can take them away; `audit verify` tells when they are gone, and finds what was changed.
SQLite forgets them when a migration makes a table anew, so they are put up again after each migration.
A migration that must change guarded rows calls `take_down` before and `put_up` after.
"""

from __future__ import annotations

from collections.abc import Iterator

from django.db import connection
from django.db.backends.utils import CursorWrapper

from review.blank import NAMES

# By table, the columns that may change: what an erasure blanks, or what an act after it says.
GUARDED: dict[str, frozenset[str]] = {
    "review_auditrow": frozenset(),
    "review_caseevent": frozenset({"note"}),
    "review_decision": frozenset({"comment"}),
    "review_correction": frozenset({"category", "certainty", "compartments", "levels"}),
    "review_communication": frozenset({"finding", "told_to", "told_by", "note"}),
    "review_qualitysample": frozenset(),
    "review_reportversion": frozenset({"is_current", "text", "context", *NAMES}),
    "review_reading": frozenset({"data"}),
    "review_input": frozenset({"detail", "raw"}),
    "review_discard": frozenset({"ended_by_id", "ended_at"}),
    "review_erasedrow": frozenset(),
    "review_ruleset": frozenset({"applied_at", "applied_by_id", "reason"}),
}
_FUNCTION = """
CREATE OR REPLACE FUNCTION review_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'rows of % are never changed or deleted: they are the record', TG_TABLE_NAME;
END $$
"""


def put_up() -> None:
    """Put up every guard anew, on the tables that are there: later migrations may bring more."""
    with connection.cursor() as cursor:
        there = set(connection.introspection.table_names(cursor))
        if connection.vendor == "postgresql":
            cursor.execute(_FUNCTION)
        for table, free in GUARDED.items():
            if table not in there:
                continue
            _take_down(cursor, table)
            columns = [one.name for one in connection.introspection.get_table_description(cursor, table)]
            for statement in _statements(table, [name for name in columns if name not in free]):
                cursor.execute(statement)


def take_down() -> None:
    """Take every guard away."""
    with connection.cursor() as cursor:
        for table in GUARDED:
            _take_down(cursor, table)


def missing() -> list[str]:
    """Return the guards that are not there, by name."""
    on = {
        "sqlite": "SELECT name FROM sqlite_master WHERE type = 'trigger'",
        "postgresql": "SELECT tgname FROM pg_trigger WHERE NOT tgisinternal AND tgenabled IN ('O', 'A')",
    }
    with connection.cursor() as cursor:
        cursor.execute(on[connection.vendor])
        there = {name for (name,) in cursor.fetchall()}
    return [name for table in GUARDED for name in _names(table) if name not in there]


def _names(table: str) -> list[str]:
    acts = ("update", "delete", "truncate") if connection.vendor == "postgresql" else ("update", "delete")
    return [f"{table}_no_{act}" for act in acts]


def _take_down(cursor: CursorWrapper, table: str) -> None:
    on = f" ON {table}" if connection.vendor == "postgresql" else ""
    for name in _names(table):
        cursor.execute(f"DROP TRIGGER IF EXISTS {name}{on}")


def _statements(table: str, fixed: list[str]) -> Iterator[str]:
    """Yield what makes the guards of a table with these fixed columns."""
    if connection.vendor == "postgresql":
        changed = " OR ".join(f'OLD."{name}" IS DISTINCT FROM NEW."{name}"' for name in fixed)
        refuse = "EXECUTE FUNCTION review_refuse()"
        update, delete, truncate = _names(table)
        yield f"CREATE TRIGGER {update} BEFORE UPDATE ON {table} FOR EACH ROW WHEN ({changed}) {refuse}"
        yield f"CREATE TRIGGER {delete} BEFORE DELETE ON {table} FOR EACH ROW {refuse}"
        yield f"CREATE TRIGGER {truncate} BEFORE TRUNCATE ON {table} {refuse}"
        return
    changed = " OR ".join(f'OLD."{name}" IS NOT NEW."{name}"' for name in fixed)
    refuse = (
        f"BEGIN SELECT RAISE(ABORT, 'rows of {table} are never changed or deleted: they are the record'); END"
    )
    update, delete = _names(table)
    yield f"CREATE TRIGGER {update} BEFORE UPDATE ON {table} WHEN {changed} {refuse}"
    yield f"CREATE TRIGGER {delete} BEFORE DELETE ON {table} {refuse}"
