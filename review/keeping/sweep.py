"""Getting erased words out of the database's file, where an engine only marks their place as free."""

from __future__ import annotations

from django.contrib.sessions.models import Session
from django.db import connection

from review.blank import ERASABLE
from review.models import CaseMark


def sweep(*, whole: bool) -> None:
    """Take erased words out of the file as far as the engine can; to be called outside of a transaction.

    SQLite overwrites what it deletes (`secure_delete`, see settings), but its index of words keeps deleted
    ones until it is merged, and its log until it is written back. PostgreSQL removes dead rows with VACUUM.

    Parameters
    ----------
    whole
        SQLite only: write the file anew too, for words that lie in it from before `secure_delete` was on.
        Nobody can write meanwhile, and it takes as much room again as the file.
    """
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("INSERT INTO review_words(review_words) VALUES ('optimize')")
            if whole:
                cursor.execute("VACUUM")
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        else:
            tables = [kind.rows().model._meta.db_table for kind in ERASABLE.values()]
            for table in (*tables, CaseMark._meta.db_table, Session._meta.db_table):
                cursor.execute(f"VACUUM {connection.ops.quote_name(table)}")
