"""docs/rules.md: the worked run of a change does what it says."""

from __future__ import annotations

import re
import textwrap
from pathlib import Path

from tests.installation import Installation

MANUAL = (Path(__file__).parents[1] / "docs/rules.md").read_text(encoding="utf-8")
RUN = MANUAL.partition("## Check a change")[2].partition("\n## ")[0]
BLOCKS = [
    textwrap.dedent(block)
    for block in re.findall(r"^ {3}```\w+\n(.*?)^ {3}```", RUN, re.DOTALL | re.MULTILINE)
]


def printed(text: str) -> list[str]:
    """Lines without their padding, and without the table, which the manual leaves out."""
    lines = [line.rstrip() for line in text.splitlines()]
    return [line for line in lines if line and not line.startswith("$") and line[0] not in "┏┃┡│└"]


def test_the_worked_run_ends_as_the_manual_says(tmp_path: Path) -> None:
    site = Installation(tmp_path)
    gold, before, form, cue, check, after, case = BLOCKS
    file = tmp_path / "gold.jsonl"
    file.write_text("\n".join(printed(gold)))
    lexicon = tmp_path / "config/lexicon/suspicious.toml"
    context = tmp_path / "config/context.toml"

    assert printed(site.run("evaluate", str(file), "--errors", "all"))[1:] == printed(before)
    start, concept, rest = lexicon.read_text().partition('id = "LYTIC"')
    lexicon.write_text(start + concept + rest.replace("forms = [\n", form, 1))
    context.write_text(context.read_text() + "\n" + cue)
    assert printed(site.run("check"))[-1:] == printed(check)
    assert printed(site.run("evaluate", str(file)))[1:] == printed(after)
    assert '"pepper-pot appearance"' in lexicon.read_text()
    assert "{Pepper-pot appearance|present|ed|L2}" in case


def test_the_refusal_that_the_manual_quotes_is_what_is_said(tmp_path: Path) -> None:
    site = Installation(tmp_path)
    lexicon = tmp_path / "config/lexicon/suspicious.toml"
    start, concept, rest = lexicon.read_text().partition('id = "LYTIC"')
    lexicon.write_text(start + concept + rest.replace("forms = [\n", 'forms = ["metastasis",\n', 1))
    told = site.run("check", status=1)
    assert re.search(r"`(concept LYTIC: form .*?)`", RUN)[1] in told  # type: ignore[index]
