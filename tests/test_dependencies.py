"""What is said of the packages that the lock names: an all-clear only when all were asked for."""

from __future__ import annotations

from typing import Any

import pytest

from bench.dependencies import only_locked, verdict

CLEAN = {"name": "django", "version": "5.2.19", "vulns": []}
UNKNOWN = {"name": "rich", "skip_reason": "Dependency not found on PyPI and could not be audited"}
FLAWED = {
    "name": "pydicom",
    "version": "3.0.1",
    "vulns": [{"id": "CVE-2026-32711", "fix_versions": ["3.0.2"], "aliases": [], "description": "long"}],
}
LOCK = "django==5.2.19 \\\n    --hash=sha256:00\nahocorasick-rs==1.0.3 \\\n    --hash=sha256:11\n"


def test_packages_without_a_known_vulnerability_pass() -> None:
    assert verdict([CLEAN], "pypi") == (0, ["No known vulnerability in 1 packages."])


def test_a_vulnerability_is_named_with_the_version_that_mends_it() -> None:
    status, lines = verdict([CLEAN, FLAWED], "pypi")
    assert (status, lines) == (1, ["pydicom 3.0.1: CVE-2026-32711, mended in 3.0.2"])


def test_a_vulnerability_counts_more_than_packages_nobody_knows() -> None:
    status, lines = verdict([UNKNOWN, FLAWED], "pypi")
    assert status == 1
    assert len(lines) == 2


@pytest.mark.parametrize("packages", [[], [UNKNOWN, CLEAN]])
def test_what_could_not_be_asked_for_is_no_all_clear(packages: list[dict[str, Any]]) -> None:
    status, lines = verdict(packages, "pypi")
    assert status == 2
    assert lines[0].startswith("Not known: ")


def bom(**versions: str) -> dict[str, Any]:
    parts = [
        {"name": name, "version": version, "bom-ref": f"{name}=={version}"}
        for name, version in versions.items()
    ]
    refs = [part["bom-ref"] for part in parts]
    return {
        "metadata": {"component": {"bom-ref": "root-component"}},
        "components": parts,
        "dependencies": [{"ref": "root-component", "dependsOn": refs}, *({"ref": ref} for ref in refs)],
    }


def test_the_list_holds_what_the_lock_names_and_no_test_tools() -> None:
    kept = only_locked(bom(Django="5.2.19", ahocorasick_rs="1.0.3", pytest="9.2.0"), LOCK)
    refs = ["Django==5.2.19", "ahocorasick_rs==1.0.3"]
    assert [part["bom-ref"] for part in kept["components"]] == refs
    assert kept["dependencies"][0] == {"ref": "root-component", "dependsOn": refs}
    assert [one["ref"] for one in kept["dependencies"][1:]] == refs


def test_another_version_than_the_lock_names_is_refused() -> None:
    with pytest.raises(ValueError, match=r"Django==5\.1.*make clean setup"):
        only_locked(bom(Django="5.1"), LOCK)
