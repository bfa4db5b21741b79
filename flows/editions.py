"""The rules that reports are read with: those of today, and those of another day as the ledger keeps them."""

from __future__ import annotations

from functools import lru_cache
from importlib.metadata import version
from pathlib import Path

from nlp import edition, reader, rules, vocabulary
from review import ledger
from review.records import Rules

SIDE_BY_SIDE = 4  # readers in memory at once, some 50 MB each


def described(found: rules.Rules) -> Rules:
    """Return rules as the ledger keeps them."""
    return Rules(
        version=found.version,
        files=found.files,
        program=edition.program(),
        libraries=edition.libraries(),
        code_version=version("spinetriage"),
    )


def keep(found: rules.Rules) -> str:
    """Keep rules in the ledger before a run reads with them; return their version."""
    ledger.keep_rules(described(found))
    return found.version


def reader_of(kept: Rules) -> reader.Reader:
    """Return a reader by kept rules. Program and libraries are those of today: then its version differs."""
    place = Path(f"the rules {kept.version}")
    return reader.Reader(vocabulary.compile_rules(rules.parse(kept.files, place)))


@lru_cache(maxsize=SIDE_BY_SIDE)
def kept(version: str) -> tuple[Rules, reader.Reader] | None:
    """Return the rules of a version and a reader by them; None when the ledger does not keep them."""
    found = ledger.kept_rules(version)
    return (found, reader_of(found)) if found else None
