"""A backup is restored only if it is whole, and by the key with which it was made."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from review.backups import BackupError, manifest
from review.backups.restoring import restore

KEY = "k" * 40


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty place to restore into."""
    monkeypatch.setenv("SPINETRIAGE_VAR", str(tmp_path / "var"))
    monkeypatch.delenv("SPINETRIAGE_AUDIT_KEY", raising=False)
    return tmp_path / "var"


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    """The folder of a backup, as far as can be told before its database is opened."""
    folder = tmp_path / "kept"
    folder.mkdir()
    (folder / "database.sqlite3").write_bytes(b"rows" * 1000)
    said: dict[str, Any] = {"engine": "sqlite", "program": "1", "migrations": [], "counts": {}}
    said |= {"made_at": "2026-01-01", "server": "3", "chain": {"number": 1, "mac": ""}}
    manifest.write(folder, said, KEY)
    return folder


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    """The file of keys that belongs to it."""
    file = tmp_path / "keys"
    file.write_text(f"django=d\naudit={KEY}\n")
    return file


def cut(folder: Path) -> None:
    (folder / "database.sqlite3").write_bytes(b"rows")


def forge(folder: Path) -> None:
    file = folder / "manifest.json"
    file.write_text(file.read_text().replace('"program": "1"', '"program": "2"'))


def lose(folder: Path) -> None:
    (folder / "database.sqlite3").unlink()


WRONG: dict[str, tuple[Callable[[Path], object], str]] = {
    "a file cut": (cut, "was cut or changed"),
    "a file lost": (lose, "is missing"),
    "a file put in": (lambda folder: (folder / "more").touch(), "does not belong to it"),
    "a manifest changed": (forge, "manifest was changed"),
    "no manifest": (lambda folder: (folder / "manifest.json").unlink(), "is no whole backup"),
    "a manifest of another form": (lambda folder: (folder / "manifest.json").write_text("{}"), "form"),
    "a manifest that is no JSON": (lambda folder: (folder / "manifest.json").write_text("{"), "damaged"),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_a_backup_that_was_cut_or_changed_is_refused(kept: Path, keys: Path, place: Path, wrong: str) -> None:
    spoil, told = WRONG[wrong]
    spoil(kept)
    with pytest.raises(BackupError, match=told):
        restore(kept, keys, lambda done, total: None)
    assert not place.exists() or list(place.iterdir()) == []


def test_a_backup_is_not_restored_without_its_own_key(kept: Path, keys: Path, place: Path) -> None:
    with pytest.raises(BackupError, match="key of the audit is not here"):
        restore(kept, None, lambda done, total: None)
    keys.write_text("django=d\naudit=another\n")
    with pytest.raises(BackupError, match="not the one with which this backup was made"):
        restore(kept, keys, lambda done, total: None)
    keys.write_text("nothing of the kind")
    with pytest.raises(BackupError, match="no file of keys"):
        restore(kept, keys, lambda done, total: None)
    assert not place.exists() or list(place.iterdir()) == []
