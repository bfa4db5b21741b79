"""docs/rules.md: the worked run of a change does what it says."""

from __future__ import annotations

import getpass
import json
import re
import shutil
import textwrap
from pathlib import Path

import pytest

from tests.installation import ROUTINE, Installation, sqlite_rows

MANUAL = (Path(__file__).parents[1] / "docs/rules.md").read_text(encoding="utf-8")
RUN = MANUAL.partition("## Check a change")[2].partition("\n## ")[0]
LIVE = MANUAL.partition("## How rules go live")[2].partition("\n## ")[0]


def blocks_of(part: str) -> list[str]:
    found = re.findall(r"^ {3}```\w+\n(.*?)^ {3}```", part, re.DOTALL | re.MULTILINE)
    return [textwrap.dedent(block) for block in found]


BLOCKS = blocks_of(RUN)


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


@pytest.mark.prefect
@pytest.mark.usefixtures("prefect_server")
def test_rules_go_live_as_the_manual_says(tmp_path: Path, prefect_home: Path) -> None:
    site = Installation(tmp_path)
    site.run("user", "add", "me", "--role", "lead", "--os-user", getpass.getuser())
    for line in printed(BLOCKS[0])[:3]:
        report = json.loads(line)
        if report["id"] != "skull":
            site.drop(report["id"], report["text"])
    site.drop("routine", ROUTINE)
    site.take_in()
    config, mine = tmp_path / "config", tmp_path / "my-config"
    shutil.copytree(config, mine)
    lexicon = mine / "lexicon/suspicious.toml"
    start, concept, rest = lexicon.read_text().partition('id = "LYTIC"')
    lexicon.write_text(start + concept + rest.replace("forms = [\n", BLOCKS[2], 1))
    (mine / "context.toml").write_text((mine / "context.toml").read_text() + "\n" + BLOCKS[3])
    tried, forgotten, applied, replayed = blocks_of(LIVE)

    said = [
        line.replace("TEST/", "SITE/")
        for line in printed(site.run("reread", "--rules", str(mine), "--dry-run"))
    ]
    assert [line.split() for line in said] == [line.split() for line in printed(tried)]
    reason = ("--reason", "Our registrars write pepper-pot")
    refused = site.run("reread", "--rules", str(mine), *reason, status=1)
    assert printed(refused.replace(str(config), "config")) == printed(forgotten)
    for name in ("context.toml", "lexicon/suspicious.toml"):
        shutil.copy(mine / name, config / name)
    assert printed(site.run("reread", "--rules", str(config), *reason)) == printed(applied)
    assert printed(site.run("audit", "replay", "2")) == printed(replayed)
    runs = site.rows("SELECT state, kind FROM review_run ORDER BY id")
    assert runs == [("completed", "triage"), ("completed", "reread")]
    # What Prefect tells of it: whose run it is, and what came of it.
    ((identity, mac),) = site.rows(
        "SELECT prefect_flow_run, substr(mac, 1, 12) FROM review_run, review_auditrow "
        "WHERE kind = 'reread' AND number = 1"
    )
    prefect = prefect_home / "prefect.db"
    ((name, tags),) = sqlite_rows(prefect, "SELECT name, tags FROM flow_run WHERE id = ?", identity)
    number = printed(applied)[1].split()[0]
    assert name.startswith(f"run-2: {number} readings, 1 ")
    assert f"ledger:{mac}" in json.loads(tags)
    kept = "SELECT data FROM artifact WHERE flow_run_id = ? AND key = 'summary'"
    ((summary,),) = sqlite_rows(prefect, kept, identity)
    assert f"Read again with other rules: {number} readings, 1 " in summary
    assert "/runs/2/" in summary


def test_the_refusal_that_the_manual_quotes_is_what_is_said(tmp_path: Path) -> None:
    site = Installation(tmp_path)
    lexicon = tmp_path / "config/lexicon/suspicious.toml"
    start, concept, rest = lexicon.read_text().partition('id = "LYTIC"')
    lexicon.write_text(start + concept + rest.replace("forms = [\n", 'forms = ["metastasis",\n', 1))
    told = site.run("check", status=1)
    assert re.search(r"`(concept LYTIC: form .*?)`", RUN)[1] in told  # type: ignore[index]
