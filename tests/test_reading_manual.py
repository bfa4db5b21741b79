"""docs/reading.md: every example is what `spinetriage read` prints."""

from __future__ import annotations

import io
import re
from pathlib import Path

import pytest
from rich.console import Console

from flows import printout, reading

MANUAL = Path(__file__).parents[1] / "docs/reading.md"
EXAMPLE = re.compile(r"```text\n(.*?)```\n+```console\n(.*?)```", re.DOTALL)
EXAMPLES = EXAMPLE.findall(MANUAL.read_text(encoding="utf-8"))


def printed(text: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """What the command prints of a file with this text, without its first line, which names the file."""
    file = folder / "report.txt"
    file.write_text(text, encoding="utf-8")
    out = io.StringIO()
    monkeypatch.setattr(printout, "console", Console(file=out, width=110))
    assert reading.show([file], as_json=False)
    lines = [line.rstrip() for line in out.getvalue().splitlines()]
    return "\n".join(lines[1:]).strip() + "\n"


def test_there_are_examples_of_every_tier() -> None:
    assert len(EXAMPLES) >= 8
    shown = "".join(told for _, told in EXAMPLES)
    assert [tier for tier in ("STAT", "urgent", "soon", "routine") if f"{tier}  score" not in shown] == []


@pytest.mark.parametrize(("text", "told"), EXAMPLES, ids=[text.strip()[:40] for text, _ in EXAMPLES])
def test_an_example_is_read_as_the_manual_says(
    text: str, told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert printed(text, tmp_path, monkeypatch) == told
