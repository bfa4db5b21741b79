"""docs/reading.md: every example is what `spinetriage read` prints.

After a change of the rules, `python tests/test_reading_manual.py` writes what the examples print now; look at
the difference, it is what the change does.
"""

from __future__ import annotations

import io
import re
import tempfile
from pathlib import Path

import pytest
from rich.console import Console

from flows import printout, reading

MANUAL = Path(__file__).parents[1] / "docs/reading.md"
EXAMPLE = re.compile(r"```text\n(?P<text>.*?)```\n+```console\n(?P<told>.*?)```", re.DOTALL)
EXAMPLES = [match.group("text", "told") for match in EXAMPLE.finditer(MANUAL.read_text(encoding="utf-8"))]


def printed(text: str) -> str:
    """What the command prints of a file with this text, without its first line, which names the file."""
    out = io.StringIO()
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        file = Path(folder, "report.txt")
        file.write_text(text, encoding="utf-8")
        patch.setattr(printout, "console", Console(file=out, width=110))
        assert reading.show([file], as_json=False)
    lines = [line.rstrip() for line in out.getvalue().splitlines()]
    return "\n".join(lines[1:]).strip() + "\n"


def test_there_are_examples_of_every_tier() -> None:
    assert len(EXAMPLES) >= 8
    shown = "".join(told for _, told in EXAMPLES)
    assert [tier for tier in ("STAT", "urgent", "soon", "routine") if f"{tier}  score" not in shown] == []


@pytest.mark.parametrize(("text", "told"), EXAMPLES, ids=[text.strip()[:40] for text, _ in EXAMPLES])
def test_an_example_is_read_as_the_manual_says(text: str, told: str) -> None:
    assert printed(text) == told


if __name__ == "__main__":
    manual = MANUAL.read_text(encoding="utf-8")
    manual = EXAMPLE.sub(lambda m: m[0].replace(m["told"], printed(m["text"])), manual)
    MANUAL.write_text(manual, encoding="utf-8")
