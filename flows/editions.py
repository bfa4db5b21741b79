"""The rules that reports are read with: those of today, and those of another day as the ledger keeps them."""

from __future__ import annotations

import json
import zlib
from dataclasses import dataclass
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path

from nlp import edition, reader, rules, vocabulary
from review import ledger
from review.digests import rules_version
from review.records import Rules

CODE = version("spinetriage")
SIDE_BY_SIDE = 4  # readers in memory at once


@dataclass(frozen=True, slots=True)
class Kept:
    """Rules of another day, and a reader by them; the program and the libraries are those of today.

    Without a reader, `fault` says why: the program of today cannot read them, or they were changed.
    """

    rules: Rules
    reader: reader.Reader | None
    is_changed: bool = False  # their content is not what their version says
    fault: str = ""

    @property
    def other_program(self) -> list[str]:
        """The files of the program that read otherwise then, were not there, or are gone now."""
        return sorted(name for name, _ in self.rules.program.items() ^ edition.program().items())

    @property
    def other_libraries(self) -> list[str]:
        """What the program runs on that has another version now, with both."""
        now, then = edition.libraries(), self.rules.libraries
        names = sorted(now.keys() | then.keys())
        return [
            f"{name} {then.get(name, 'missing')}, now {now.get(name, 'missing')}"
            for name in names
            if now.get(name) != then.get(name)
        ]


def keep(found: rules.Rules) -> str:
    """Keep rules in the ledger before a run reads with them; return their version."""
    ledger.keep_rules(
        Rules(
            version=found.version,
            files=found.files,
            program=edition.program(),
            libraries=edition.libraries(),
            code_version=CODE,
        )
    )
    return found.version


@lru_cache(maxsize=SIDE_BY_SIDE)
def kept(version_: str) -> Kept | None:
    """Return the rules of a version and a reader by them; None when the ledger does not keep them."""
    try:
        found = ledger.kept_rules(version_)
    except (zlib.error, json.JSONDecodeError, UnicodeDecodeError):
        nothing = Rules(version=version_, files={}, program={}, libraries={}, code_version="")
        return Kept(nothing, None, is_changed=True, fault="the kept rules cannot be unpacked")
    if found is None:
        return None
    if rules_version(found.files, found.program, found.libraries) != version_:
        return Kept(found, None, is_changed=True, fault="the kept rules were changed")
    try:
        parsed = rules.parse(found.files, Path("the kept rules"))
        return Kept(found, reader.Reader(vocabulary.compile_rules(parsed)))
    except (rules.ConfigError, KeyError) as error:
        return Kept(found, None, fault=f"the program of today cannot read the rules: {error}")
