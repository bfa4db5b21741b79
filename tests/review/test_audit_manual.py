"""The manual for auditors names every action, and everything that is not proven."""

from __future__ import annotations

from pathlib import Path

from review.audit import Action
from review.audit.unproven import COLUMNS, TABLES

LINES = Path(__file__).parents[2].joinpath("docs", "audit.md").read_text(encoding="utf-8").splitlines()


def test_each_action_stands_in_its_table() -> None:
    table = LINES[LINES.index("## Every action") :]
    named = {line.split("`")[1] for line in table if line.startswith("| `")}
    assert named == set(Action)


def test_what_is_not_proven_is_told_with_its_reason() -> None:
    for name, why in {**COLUMNS, **TABLES}.items():
        assert f"| `{name}` | {why} |" in LINES
