"""Small sources in a temporary folder."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from flows.intake import formats
from flows.intake.report import Rejected, Report
from flows.intake.sources import DEFAULT_PATTERNS, Kind, Source


@pytest.fixture
def make_source(tmp_path: Path) -> Callable[..., Source]:
    """Make a source of a kind whose folder is the test's own."""

    def make(kind: Kind, **settings: Any) -> Source:
        given = {"name": f"test-{kind}", "issuer": "H", "patterns": DEFAULT_PATTERNS[kind]} | settings
        return Source(kind=kind, folder=tmp_path, **given)

    return make


@pytest.fixture
def results() -> Callable[[Source], list[Report | Rejected]]:
    """Find and load all of a source, and see to it that each portion yields what it promised."""

    def all_of(source: Source) -> list[Report | Rejected]:
        loaded: list[Report | Rejected] = []
        for portion in formats.find(source):
            held = list(formats.load_reports(source, portion))
            assert len(held) == portion.items
            loaded += held
        return loaded

    return all_of
