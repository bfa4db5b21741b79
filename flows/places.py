"""Which sources a run takes from: those of `config/sources.toml`, or somebody's own folder."""

from __future__ import annotations

import functools
import os
from collections.abc import Iterator
from pathlib import Path

from flows.intake import sources
from flows.intake.settings import SourceError
from flows.intake.sources import Batch, Source
from review import ledger
from review.site import ROOT, config_folder


@functools.cache
def configured() -> tuple[Batch, tuple[Source, ...]]:
    """Return what `config/sources.toml` says, read once in a process.

    Raises
    ------
    SourceError
        When it cannot be used.
    """
    return sources.load(config_folder() / "sources.toml", ROOT)


def of(scope: str) -> list[Source]:
    """Return the sources that a scope names: a source's name, a folder, or "" for every enabled one.

    Raises
    ------
    SourceError
        When there is no such source and no such folder.
    """
    batch, known = configured()
    if not scope:
        return [source for source in known if source.enabled]
    named_so = [source for source in known if source.name == scope]
    if named_so:
        return named_so
    if not Path(scope).is_dir():
        names = ", ".join(source.name for source in known)
        raise SourceError(f"There is no source and no folder {scope!r}; the sources are {names}.")
    return list(sources.adhoc(Path(scope), batch))


def is_there(source: Source) -> bool:
    """Tell whether the source's folder can be listed now."""
    try:
        os.scandir(source.folder).close()
    except OSError:
        return False
    return True


@functools.cache  # asked for each portion; a process carries out one run
def named(name: str) -> Source | None:
    """Return the source of this name: a configured one, or one of a folder that some run was asked for."""
    return next((source for source in _ever() if source.name == name), None)


def _ever() -> Iterator[Source]:
    batch, known = configured()
    yield from known
    for scope in ledger.scopes():
        if Path(scope).is_dir():
            yield from sources.adhoc(Path(scope), batch)
