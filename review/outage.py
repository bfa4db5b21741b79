"""What of the machine failed, in words for who has to mend it: told from error codes alone.

The text of an error may quote what was stored or the name of a file; its code cannot.
"""

from __future__ import annotations

import errno
from collections.abc import Iterator

from django.db import InterfaceError, OperationalError

FULL = "the disk is full"
READ_ONLY = "the disk or file cannot be written"
BROKEN = "the disk fails"
AWAY = "the database is away"
BUSY = "the database is locked by somebody else"
SYSTEM = {
    errno.ENOSPC: FULL,
    errno.EDQUOT: FULL,
    errno.EROFS: READ_ONLY,
    errno.EIO: BROKEN,
    errno.ENOMEM: "there is no memory left",
    errno.EMFILE: "too many files are open",
}
SQLITE = {  # the first word of SQLite's name of a code
    "FULL": FULL,
    "READONLY": READ_ONLY,
    "IOERR": BROKEN,
    "CORRUPT": "the database file is damaged",
    "NOTADB": "the database file is damaged",
    "CANTOPEN": "the database file cannot be opened",
    "BUSY": BUSY,
    "LOCKED": BUSY,
}
POSTGRESQL = {  # the beginning of the SQLSTATE
    "53100": "the database's disk is full",
    "53200": "the database has no memory left",
    "53300": "the database has no connection left",
    "08": AWAY,
    "57P": AWAY,
    "58": "the database's disk fails",
    "25006": "the database takes no changes now",
    "55P03": BUSY,
    "40P01": BUSY,
}


def outage(error: BaseException | None) -> str:
    """Return what failed, as half a sentence; "" when it was not the machine."""
    for one in _with_causes(error):
        if found := _of(one):
            return found
    return ""


def _with_causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__


def _of(error: BaseException) -> str:
    if name := getattr(error, "sqlite_errorname", None):
        return SQLITE.get(name.removeprefix("SQLITE_").partition("_")[0], "")
    if state := getattr(error, "sqlstate", None):
        return next((what for code, what in POSTGRESQL.items() if state.startswith(code)), "")
    if isinstance(error, OSError):
        return SYSTEM.get(error.errno or 0, "")
    # A server that is gone gives no code, on SQLite it is always there.
    if isinstance(error, OperationalError | InterfaceError) and _is_of_psycopg(error.__cause__):
        return AWAY if not getattr(error.__cause__, "sqlstate", None) else ""
    return ""


def _is_of_psycopg(error: BaseException | None) -> bool:
    return type(error).__module__.partition(".")[0] == "psycopg"
