"""Restoring a backup into a new place, where nothing was done yet."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

from review.backups import BackupError, engines, manifest
from review.site import var_folder

KEYS = {"django": "SPINETRIAGE_SECRET_KEY", "audit": "SPINETRIAGE_AUDIT_KEY"}
RESTORED_CONFIG = "config-of-backup"


def restore(folder: Path, secrets: Path | None, progress: engines.Progress) -> dict[str, Any]:
    """Restore a backup into the database and the data folder that the environment names; return its manifest.

    Everything is checked before anything is written: every file by its digest, the manifest by the key of the
    audit, and that the place is empty. The configuration is laid beside the data, never over the one in use.

    Parameters
    ----------
    secrets
        The file of keys that `backup --secrets-to` wrote; None where the environment or the data folder has
        them already.

    Raises
    ------
    BackupError
        When the backup is damaged, the keys are others, or there are data in the place already.
    """
    said = manifest.read(folder)
    keys = _keys(secrets)
    manifest.check_mac(said, keys["audit"])
    # For the settings, which would make new keys in the new place.
    os.environ.update({KEYS[name]: value for name, value in keys.items()})
    from review.setup import setup  # noqa: PLC0415 - not before the keys are known

    setup()
    database, anchor = _place(said)
    _copy_heads(folder / manifest.HEADS, anchor)
    shutil.copytree(folder / manifest.CONFIG, var_folder() / RESTORED_CONFIG, dirs_exist_ok=True)
    if secrets is not None:
        _keep_keys(keys)
    if engines.is_sqlite(database):
        _copy_sqlite(folder / engines.SQLITE_FILE, Path(database["NAME"]), progress)
    else:
        engines.restore_postgresql(database, folder, progress)
    return said


def _keys(secrets: Path | None) -> dict[str, str]:
    """Return the keys by name: of the file given, else of the environment and the data folder."""
    if secrets is not None:
        try:
            lines = secrets.read_text(encoding="ascii").split()
        except (OSError, UnicodeDecodeError):
            raise BackupError(f"{secrets} cannot be read as a file of keys.") from None
        found = dict(line.partition("=")[::2] for line in lines)
        if found.keys() != KEYS.keys():
            raise BackupError(
                f"{secrets} is no file of keys, as `spinetriage backup --secrets-to` writes it."
            )
        return found
    files = {name: var_folder() / "secrets" / name for name in KEYS}
    found = {name: file.read_text().strip() for name, file in files.items() if file.exists()}
    found |= {name: os.environ[variable] for name, variable in KEYS.items() if os.environ.get(variable)}
    if "audit" not in found:
        raise BackupError(
            "The key of the audit is not here, without which the record cannot be verified. Name the file "
            "that `spinetriage backup --secrets-to` wrote with --secrets, or set SPINETRIAGE_AUDIT_KEY."
        )
    return found


def _place(said: dict[str, Any]) -> tuple[dict[str, Any], Path]:
    """Return the database and the file of heads to restore to, both of which must be empty."""
    from django.conf import settings  # noqa: PLC0415 - only after setup
    from django.db.migrations.loader import MigrationLoader  # noqa: PLC0415

    database = settings.DATABASES["default"]
    here = "sqlite" if engines.is_sqlite(database) else "postgresql"
    if said["engine"] != here:
        raise BackupError(
            f"The backup is of {said['engine']}, but this place uses {here}: SPINETRIAGE_DATABASE_URL says "
            "which."
        )
    known = {".".join(name) for name in MigrationLoader(None).disk_migrations}
    if newer := set(said["migrations"]) - known:
        raise BackupError(
            f"The backup was made by a newer version ({said['program']}), whose tables this one does not "
            f"know ({sorted(newer)[0]}). Restore it with that version."
        )
    if not engines.is_empty(database):
        raise BackupError(
            "There are data in this place already, and a restore never goes over them. Name a new data "
            "folder in SPINETRIAGE_VAR, or a new database in SPINETRIAGE_DATABASE_URL."
        )
    return database, Path(settings.AUDIT_ANCHOR)


def _copy_heads(heads: Path, anchor: Path) -> None:
    """Lay the heads of the chain into their file, which may be there only with the same in it."""
    text = heads.read_bytes()
    if anchor.exists() and anchor.read_bytes() not in (b"", text):
        raise BackupError(
            f"{anchor} holds heads of the audit already. If they are later ones of this same record, what "
            "was done after the backup is lost: keep that file for the auditor under another name, then "
            "restore again."
        )
    anchor.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with os.fdopen(os.open(anchor, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as out:
        out.write(text)
        out.flush()
        os.fsync(out.fileno())


def _keep_keys(keys: dict[str, str]) -> None:
    folder = var_folder() / "secrets"
    folder.mkdir(mode=0o700, exist_ok=True)
    for name, value in keys.items():
        file = folder / name
        if file.exists() and file.read_text().strip() != value:
            raise BackupError(f"{file} holds another key already. Restore into a new data folder.")
        with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as out:
            out.write(value)


def _copy_sqlite(source: Path, target: Path, progress: engines.Progress) -> None:
    """Copy the file under another name first: the database is there as a whole, or not at all."""
    draft = target.with_name(f".{target.name}.{os.getpid()}.partial")
    size, done = source.stat().st_size, 0
    try:
        with (
            source.open("rb") as there,
            os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT, 0o600), "wb") as here,
        ):
            while piece := there.read(manifest.PIECE):
                here.write(piece)
                done += len(piece)
                progress(done, size)
            here.flush()
            os.fsync(here.fileno())
        for rest in ("-wal", "-shm"):  # of an empty database
            target.with_name(target.name + rest).unlink(missing_ok=True)
        draft.replace(target)
    except OSError as error:
        raise BackupError(f"The database cannot be written to {target}: {error.strerror}.") from None
    finally:
        draft.unlink(missing_ok=True)
