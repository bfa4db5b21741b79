"""A source's folder: what lies in it, and opening a file of it.

Symbolic links are never followed: what they point to inside the folder is found at its own place, and what
lies outside does not belong to the source.
"""

from __future__ import annotations

import io
import os
import re
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import BinaryIO, cast

from flows.intake.report import Reason, RefusedError
from flows.intake.settings import SourceError
from flows.intake.sources import Source

_EXTENSION = re.compile(r"\.[a-z]\w{0,7}$")


@dataclass(frozen=True, slots=True)
class Entry:
    """A file as found; `path` is relative to the source's folder."""

    path: str
    size: int
    mtime_ns: int

    @property
    def fingerprint(self) -> str:
        return f"{self.size}-{self.mtime_ns}"


def walk(source: Source) -> Iterator[tuple[str, list[Entry]]]:
    """Each folder of a source with those of its files that the source wants, in the order of their names.

    A folder that cannot be listed is given as its own only entry, so that it is not passed over in silence.

    Raises
    ------
    SourceError
        When the source's own folder cannot be listed.
    """
    try:
        os.scandir(source.folder).close()
    except OSError as error:
        raise SourceError(
            f"[sources.{source.name}]: folder {source.folder} cannot be listed ({error.strerror}); "
            "create it, mount it, or set enabled = false."
        ) from None
    waiting = ["."]
    while waiting:
        folder = waiting.pop()
        try:
            entries, folders = scan(source, folder)
        except FileNotFoundError:  # gone since its parent was listed
            continue
        except OSError:
            entries, folders = [Entry(folder, 0, 0)], []
        if entries:
            yield folder, entries
        waiting.extend(reversed(folders))


def scan(source: Source, folder: str) -> tuple[list[Entry], list[str]]:
    """The wanted files of one folder, and its sub-folders; hidden and unsettled ones are left out.

    A file is unsettled when it changed a moment ago, and by a clock that is a little ahead, in a moment. One
    that changed later than that was written before the clock went back: it must not wait for its time.

    Raises
    ------
    OSError
        When the folder cannot be listed.
    """
    now, unsettled = time.time_ns(), source.settle_seconds * 10**9
    entries, folders = [], []
    with os.scandir(source.folder / _on_disk(folder)) as listing:
        for found in sorted(listing, key=lambda found: found.name):
            if found.name.startswith("."):
                continue
            path = _recorded(found.name) if folder == "." else f"{folder}/{_recorded(found.name)}"
            if found.is_dir(follow_symlinks=False):
                folders.append(path)
            elif found.is_file(follow_symlinks=False) and wanted(source, found.name):
                try:
                    facts = found.stat(follow_symlinks=False)
                except OSError:  # gone since the folder was listed: it was never seen
                    continue
                if abs(now - facts.st_mtime_ns) >= unsettled:
                    entries.append(Entry(path, facts.st_size, facts.st_mtime_ns))
    return entries, folders


def entry(path: Path) -> Entry:
    """One file that somebody names; raises `OSError` when it is not there."""
    facts = path.stat()
    return Entry(_recorded(path.name), facts.st_size, facts.st_mtime_ns)


@contextmanager
def opened(
    source: Source, path: str, fingerprint: str | None = None, kept: bytes | None = None
) -> Iterator[BinaryIO]:
    """Open a source's file; with a fingerprint, be sure that it was the same from finding to the end.

    With the bytes that were kept of it, these are opened instead.

    Raises
    ------
    RefusedError
        `vanished`, `unreadable`, or `changed`; the last also when the block ends.
    """
    if kept is not None:
        yield io.BytesIO(kept)
        return
    try:
        raw = io.FileIO(source.folder / _on_disk(path), opener=_open)
        with cast(BinaryIO, io.BufferedReader(raw)) as file:
            _check(file, fingerprint)
            yield file
            _check(file, fingerprint)
    except (FileNotFoundError, NotADirectoryError):
        raise RefusedError(Reason.VANISHED) from None
    except OSError as error:
        raise RefusedError(Reason.UNREADABLE, error.strerror or type(error).__name__) from None


def _open(path: str, flags: int) -> int:
    # A pipe put in a file's place must not make the batch wait.
    return os.open(path, flags | os.O_NOFOLLOW | os.O_NONBLOCK)


def _check(file: BinaryIO, fingerprint: str | None) -> None:
    facts = os.fstat(file.fileno())
    if not stat.S_ISREG(facts.st_mode):
        raise RefusedError(Reason.UNREADABLE, "not a regular file")
    if fingerprint not in (None, Entry("", facts.st_size, facts.st_mtime_ns).fingerprint):
        raise RefusedError(Reason.CHANGED)


def wanted(source: Source, name: str) -> bool:
    """Patterns do not mind capitals; "*." is any name without an extension (a UID's last number is none)."""
    lowered = name.lower()
    return any(
        not _EXTENSION.search(lowered) if pattern == "*." else fnmatchcase(lowered, pattern.lower())
        for pattern in source.patterns
    )


def _recorded(name: str) -> str:
    """A name that any database can hold: bytes that are not UTF-8 become %XX, and so does %."""
    return re.sub("[%\udc80-\udcff]", lambda match: f"%{ord(match[0]) & 0xFF:02X}", name)


def _on_disk(path: str) -> str:
    def character(match: re.Match[str]) -> str:
        byte = int(match[1], 16)
        return "%" if byte == ord("%") else chr(0xDC00 + byte)

    return re.sub("%([0-9A-F]{2})", character, path)
