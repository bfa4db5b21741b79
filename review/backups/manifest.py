"""What a backup says of itself: which files it has, their digests, and where the audit's chain ends."""

from __future__ import annotations

import hashlib
import hmac
import json
from pathlib import Path
from typing import Any

from review.backups import BackupError

NAME, HEADS, CONFIG = "manifest.json", "audit-heads.log", "config"
FORM = 1
PIECE = 2**20  # bytes copied at once
KEYS = {"form", "made_at", "engine", "server", "program", "migrations", "files", "counts", "chain", "mac"}


def write(folder: Path, said: dict[str, Any], key: str) -> dict[str, Any]:
    """Write the manifest over every file of the folder, the last file of a backup, and return it."""
    files = {
        str(file.relative_to(folder)): {"bytes": file.stat().st_size, "sha256": sha256_of(file)}
        for file in sorted(folder.rglob("*"))
        if file.is_file()
    }
    said = {"form": FORM, **said, "files": files}
    said["mac"] = mac(said, key)
    (folder / NAME).write_text(json.dumps(said, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    return said


def read(folder: Path) -> dict[str, Any]:
    """Read the manifest and check every file against it.

    Raises
    ------
    BackupError
        When it is no whole backup, or a file is missing, was changed, or does not belong to it.
    """
    try:
        said = json.loads((folder / NAME).read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        raise BackupError(
            f"{folder} is no whole backup: it has no {NAME}. Name the folder that `spinetriage backup` made."
        ) from None
    except (ValueError, OSError):
        raise BackupError(f"{folder / NAME} cannot be read: the backup is damaged.") from None
    if not isinstance(said, dict) or said.keys() != KEYS or said["form"] != FORM:
        raise BackupError(f"{folder / NAME} is not of a form that this version knows ({FORM}).")
    there = {str(file.relative_to(folder)) for file in folder.rglob("*") if not file.is_dir()} - {NAME}
    if there != said["files"].keys():
        odd = sorted(there ^ said["files"].keys())
        raise BackupError(f"The backup is damaged: {odd[0]} is missing, or does not belong to it.")
    for name, fact in said["files"].items():
        file = folder / name
        if file.is_symlink() or file.stat().st_size != fact["bytes"] or sha256_of(file) != fact["sha256"]:
            raise BackupError(f"The backup is damaged: {name} was cut or changed. Take another one.")
    return said


def check_mac(said: dict[str, Any], key: str) -> None:
    """Refuse a manifest that another key made, or that somebody wrote anew."""
    if not hmac.compare_digest(said["mac"], mac(said, key)):
        raise BackupError(
            "The key of the audit is not the one with which this backup was made, or its manifest was "
            "changed. Name the file of the right keys with --secrets, or set SPINETRIAGE_AUDIT_KEY."
        )


def mac(said: dict[str, Any], key: str) -> str:
    """Return the HMAC of a manifest by the audit's key."""
    text = json.dumps({name: value for name, value in said.items() if name != "mac"}, sort_keys=True)
    return hmac.new(key.encode(), b"backup " + text.encode(), hashlib.sha256).hexdigest()


def sha256_of(file: Path) -> str:
    """Return the SHA-256 of a file, a piece in memory at a time."""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
