"""The house: verbs, locks, and documents that say what is there."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from typer.main import get_command

from flows.cli import app

ROOT = Path(__file__).parents[1]
OLD_PYTHON = """#!/bin/sh
exec {python} -c "import sys; sys.version_info = (3, 9, 2); $2"
"""


def make(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    for name in ("Makefile", "pyproject.toml", *(lock.name for lock in ROOT.glob("requirements*.lock"))):
        shutil.copy(ROOT / name, folder)
    command = ["make", "--no-print-directory", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def test_help_lists_every_verb(tmp_path: Path) -> None:
    verbs = re.findall(r"^\.PHONY: (.*)$", (ROOT / "Makefile").read_text(), re.MULTILINE)[0].split()
    shown = make(tmp_path, "help").stdout
    assert len(verbs) > 5
    assert [verb for verb in verbs if f"make {verb}" not in shown] == []


def test_a_missing_python_is_told_in_one_line(tmp_path: Path) -> None:
    done = make(tmp_path, "setup", "PYTHON=no-such-python")
    assert done.returncode != 0
    told = [line for line in done.stderr.splitlines() if not line.startswith("make")]
    assert len(told) == 1
    assert "3.11 or newer" in told[0]


def test_a_python_that_is_too_old_is_told_in_one_line(tmp_path: Path) -> None:
    old = tmp_path / "python"
    old.write_text(OLD_PYTHON.format(python=sys.executable))
    old.chmod(0o755)
    done = make(tmp_path, "setup", f"PYTHON={old}")
    assert done.returncode != 0
    told = [line for line in done.stderr.splitlines() if not line.startswith("make")]
    assert len(told) == 1
    assert "3.11 or newer" in told[0]
    assert "is 3.9" in told[0]


@pytest.mark.parametrize("name", ["requirements.lock", "requirements-dev.lock"])
def test_a_lock_pins_every_package_with_hashes_and_names_no_index(name: str) -> None:
    text = (ROOT / name).read_text()
    packages = re.findall(
        r"^([a-z0-9][\w.-]*(?:\[[\w,-]+\])?)(==[^ ]+)? \\\n    --hash=sha256:", text, re.MULTILINE
    )
    assert len(packages) > 100
    assert all(version for _, version in packages)
    assert "://" not in text
    assert not re.search(r"^--", text, re.MULTILINE)


def test_each_setting_of_the_environment_is_in_the_manual() -> None:
    code = [path.read_text() for room in ("flows", "nlp", "review") for path in (ROOT / room).rglob("*.py")]
    used = {name for text in code for name in re.findall(r"\bSPINETRIAGE_[A-Z_]+", text)}
    manual = (ROOT / "docs/operations.md").read_text()
    assert len(used) > 5
    assert {name for name in used if f"| `{name}` |" not in manual} == set()


def test_each_command_is_in_the_readme() -> None:
    commands = get_command(app).commands  # type: ignore[attr-defined]
    readme = (ROOT / "README.md").read_text()
    assert len(commands) > 8
    assert {name for name in commands if f"`spinetriage {name}" not in readme} == set()


@pytest.mark.parametrize(
    "document", ["README.md", *(f"docs/{path.name}" for path in sorted((ROOT / "docs").glob("*.md")))]
)
def test_links_of_a_document_lead_somewhere(document: str) -> None:
    path = ROOT / document
    links = re.findall(r"\]\(([^)#]+)", path.read_text())
    local = [link for link in links if "://" not in link]
    assert [link for link in local if not (path.parent / link).exists()] == []
