"""A backup: a new folder with database, configuration and the audit's heads; whole, or not there."""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any

from django.conf import settings
from django.utils import timezone

from review import audit
from review.audit.anchor import heads
from review.backups import BackupError, engines, manifest
from review.models import Account
from review.site import config_folder


def backup(account: Account, to: Path, secrets_to: Path | None, progress: engines.Progress) -> dict[str, Any]:
    """Make a backup while whatever runs goes on, and return its manifest.

    The folder gets its name when everything in it is written down and on the disk; one that was broken off
    has no name to be restored by, and is removed. The backup holds the reports: it is as secret as they are.

    Parameters
    ----------
    secrets_to
        A new file for the keys, which are in no backup: with them the audit can be forged.

    Raises
    ------
    BackupError
        When it cannot be made.
    """
    for new in (to, secrets_to):
        if new is not None and (new.exists() or new.is_symlink()):
            raise BackupError(f"{new} is there already; name a new one.")
    with _draft(to) as draft:
        facts = _copy(draft, progress)
        shutil.copytree(config_folder(), draft / manifest.CONFIG)
        _write_heads(draft / manifest.HEADS, facts["chain"]["number"])
        said = {"made_at": timezone.now().isoformat(), "program": version("spinetriage"), **facts}
        said = manifest.write(draft, said, settings.AUDIT_KEY)
        if secrets_to is not None:
            _write_secrets(secrets_to)
        _close(draft)
        digest = manifest.sha256_of(draft / manifest.NAME)
    audit.record(
        audit.Action.BACKUP_MADE,
        actor=account.actor,
        subject=account.actor,
        manifest=digest,
        chain=facts["chain"]["number"],
        counts=facts["counts"],
        secrets=secrets_to is not None,
    )
    return said


@contextmanager
def _draft(to: Path) -> Iterator[Path]:
    """Give a folder to fill, which becomes `to` in one step at the end, or is removed."""
    if not to.absolute().parent.is_dir():
        raise BackupError(f"{to.absolute().parent} is no folder; make it, or name a new folder elsewhere.")
    draft = to.with_name(f".{to.name}.{os.getpid()}.partial")
    try:
        draft.mkdir(mode=0o700)
        yield draft
        draft.rename(to)
    except OSError as error:
        raise BackupError(f"The backup cannot be written to {to}: {error.strerror}.") from None
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def _copy(draft: Path, progress: engines.Progress) -> dict[str, Any]:
    database = settings.DATABASES["default"]
    if not engines.is_sqlite(database):
        return engines.dump_postgresql(database, draft, progress)
    size, free = Path(database["NAME"]).stat().st_size, shutil.disk_usage(draft).free
    if size > free:
        raise BackupError(f"The database has {size:,} bytes, but only {free:,} are free in {draft.parent}.")
    try:
        return engines.copy_sqlite(database, draft, progress)
    except sqlite3.Error as error:
        raise BackupError(f"The database cannot be copied: {error}.") from None


def _write_heads(file: Path, last: int) -> None:
    """Copy the heads of the chain up to the row at which the copied database ends."""
    with file.open("w", encoding="ascii") as out:
        out.writelines(f"{number} {mac}\n" for number, mac in heads() if number <= last)


def _write_secrets(to: Path) -> None:
    keys = {"django": settings.SECRET_KEY, "audit": settings.AUDIT_KEY}
    lines = [f"{name}={value}\n" for name, value in keys.items()]
    with os.fdopen(os.open(to, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as out:
        out.writelines(lines)
        out.flush()
        os.fsync(out.fileno())


def _close(folder: Path) -> None:
    """Keep others out, and see that everything is on the disk."""
    for path in sorted(folder.rglob("*")):
        path.chmod(0o700 if path.is_dir() else 0o600)
        handle = os.open(path, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
