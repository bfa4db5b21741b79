"""What requirements.lock installs: which known vulnerabilities it has, and a list of it all (CycloneDX).

It runs in .venv-tools, where pip-audit and cyclonedx-bom are, and looks at .venv from outside.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
LOCK = ROOT / "requirements.lock"
BOM = ROOT / "build" / "sbom.cdx.json"
SERVICES = ("pypi", "osv")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=("audit", "sbom"))
    parser.add_argument("--service", choices=SERVICES, default="pypi", help="who is asked by `audit`")
    chosen = parser.parse_args()
    if chosen.what == "audit":
        sys.exit(audit(chosen.service))
    sys.exit(sbom())


def audit(service: str) -> int:
    """Ask for known vulnerabilities of the lock: 0 = none known, 1 = some, 2 = not asked for all."""
    done = subprocess.run(
        [
            *(sys.executable, "-m", "pip_audit", "--requirement", str(LOCK), "--require-hashes"),
            *("--disable-pip", "--vulnerability-service", service, "--progress-spinner", "off"),
            *("--format", "json"),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    try:
        packages = json.loads(done.stdout)["dependencies"]
    except ValueError:  # it broke off
        said = done.stderr.strip().splitlines() or ["it said nothing"]
        print(f"Not known: pip-audit broke off ({said[-1]}).\n{way_out(service)}")
        return 2
    status, lines = verdict(packages, service)
    print("\n".join(lines))
    return status


def verdict(packages: list[dict[str, Any]], service: str) -> tuple[int, list[str]]:
    """Judge what pip-audit says of each package; it passes those that nobody knows, which is no all-clear."""
    lines = [
        f"{one['name']} {one['version']}: {flaw['id']}, {mended(flaw)}"
        for one in packages
        for flaw in one.get("vulns", [])
    ]
    if unknown := [one["name"] for one in packages if "skip_reason" in one]:
        lines.append(
            f"Not known: no data of {len(unknown)} of {len(packages)} packages could be had "
            f"({', '.join(unknown[:3])}{' ...' if len(unknown) > 3 else ''}).\n{way_out(service)}"
        )
    if not packages:
        return 2, ["Not known: pip-audit looked at no package at all."]
    if len(lines) > bool(unknown):
        return 1, lines
    return (2, lines) if unknown else (0, [f"No known vulnerability in {len(packages)} packages."])


def mended(flaw: dict[str, Any]) -> str:
    return f"mended in {' or '.join(flaw['fix_versions'])}" if flaw["fix_versions"] else "not mended yet"


def way_out(service: str) -> str:
    other = SERVICES[not SERVICES.index(service)]
    return (
        f"Run this where {service}'s data of vulnerabilities can be reached (a mirror of packages has none), "
        f"or ask the other service: make audit-deps SERVICE={other}"
    )


def sbom() -> int:
    """Write the list of what the lock has installed, with licences: 2 = .venv is not as locked."""
    done = subprocess.run(
        [
            *(sys.executable, "-m", "cyclonedx_py", "environment", str(ROOT / ".venv" / "bin" / "python")),
            *("--pyproject", str(ROOT / "pyproject.toml"), "--output-reproducible"),
        ],
        capture_output=True,
        text=True,
        check=True,
    )
    try:
        bom = only_locked(json.loads(done.stdout), LOCK.read_text())
    except ValueError as error:
        print(error)
        return 2
    text = json.dumps(bom, indent=1) + "\n"
    if fault := invalid(text):
        print(f"The list is no valid CycloneDX: {fault}")
        return 2
    BOM.parent.mkdir(exist_ok=True)
    BOM.write_text(text)
    print(f"{len(bom['components'])} packages are listed in {BOM.relative_to(ROOT)}")
    return 0


def only_locked(bom: dict[str, Any], lock: str) -> dict[str, Any]:
    """Leave out what the lock does not name, such as the test tools.

    Raises
    ------
    ValueError
        When another version is installed than the lock names.
    """
    locked = {plain(name): version for name, version in re.findall(r"^([\w.-]+)==(\S+)", lock, re.MULTILINE)}
    parts = [one for one in bom["components"] if plain(one["name"]) in locked]
    if others := [one["bom-ref"] for one in parts if locked[plain(one["name"])] != one["version"]]:
        raise ValueError(f".venv is not as requirements.lock says ({', '.join(others)}): make clean setup")
    kept = {one["bom-ref"] for one in parts} | {bom["metadata"]["component"]["bom-ref"]}
    needs = [
        {**one, "dependsOn": [ref for ref in one.get("dependsOn", []) if ref in kept]}
        for one in bom["dependencies"]
        if one["ref"] in kept
    ]
    return {**bom, "components": parts, "dependencies": needs}


def plain(name: str) -> str:
    """Return a package's name as indexes compare it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def invalid(text: str) -> str:
    """Say what is wrong with a list, by CycloneDX' own schema; "" when nothing is."""
    from cyclonedx.schema import SchemaVersion
    from cyclonedx.validation.json import JsonStrictValidator

    return str(JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) or "")


if __name__ == "__main__":
    main()
