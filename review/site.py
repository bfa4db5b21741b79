"""What a hospital sets for the room of people: `config/site.toml` and `config/deadlines.toml`.

Read once at start and strictly: an unknown, missing or wrong key refuses the start.
"""

from __future__ import annotations

import os
import string
import tomllib
import zoneinfo
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
VIEWER_FIELDS = {"study_uid", "accession"}
TIERS = ("stat", "urgent", "soon", "unread")


class SiteError(ValueError):
    """A file of `config/` or a variable says what cannot be used; the text names it and the way out."""


@dataclass(frozen=True, slots=True)
class Site:
    """What `config/site.toml` says."""

    name: str
    time_zone: str
    allowed_hosts: tuple[str, ...]
    claim_minutes: int
    viewer_link: str


def config_folder() -> Path:
    """Return the folder of the configuration: SPINETRIAGE_CONFIG, else `config/` beside the packages."""
    return Path(os.environ.get("SPINETRIAGE_CONFIG") or ROOT / "config")


def var_folder() -> Path:
    """Return the folder of the data (SPINETRIAGE_VAR, else `var/` beside the packages), made private.

    Raises
    ------
    SiteError
        When it cannot be made or written to.
    """
    folder = Path(os.environ.get("SPINETRIAGE_VAR") or ROOT / "var")
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        fault = "" if os.access(folder, os.W_OK | os.X_OK) else "it cannot be written to"
    except OSError as error:
        fault = f"it cannot be made: {error.strerror}"
    if fault:
        raise SiteError(
            f"The data cannot be kept in {folder}, {fault}. Name a folder of your own in SPINETRIAGE_VAR."
        )
    return folder


def load_site() -> Site:
    """Read `site.toml`.

    Raises
    ------
    SiteError
        When a key is unknown, missing or has a value that cannot be used.
    """
    file = config_folder() / "site.toml"
    values = _read(file)
    _same_keys(file, "", values, Site.__dataclass_fields__)
    for key in ("name", "time_zone", "viewer_link"):
        if not isinstance(values[key], str):
            raise SiteError(f"{file}: {key} is {values[key]!r}; a text in quotes was expected")
    hosts = values["allowed_hosts"]
    if not isinstance(hosts, list) or not hosts or not all(isinstance(h, str) and h for h in hosts):
        raise SiteError(
            f'{file}: allowed_hosts is {hosts!r}; a list of names was expected, such as ["localhost"]'
        )
    try:
        zoneinfo.ZoneInfo(values["time_zone"])
    except (ValueError, OSError, zoneinfo.ZoneInfoNotFoundError):  # OSError: a folder of zones
        raise SiteError(
            f"{file}: time_zone is {values['time_zone']!r}; a name such as 'Europe/London' was expected"
        ) from None
    _check_viewer(file, values["viewer_link"])
    return Site(
        name=values["name"],
        time_zone=values["time_zone"],
        allowed_hosts=tuple(hosts),
        claim_minutes=_minutes(file, "claim_minutes", values["claim_minutes"]),
        viewer_link=values["viewer_link"],
    )


def load_deadlines() -> dict[str, int]:
    """Read `deadlines.toml`: the minutes that a case of each tier may wait.

    Raises
    ------
    SiteError
        When a tier is unknown or missing, or its minutes are not a whole number above 0.
    """
    file = config_folder() / "deadlines.toml"
    values = _read(file)
    _same_keys(file, "", values, {"waiting_minutes": None})
    limits = values["waiting_minutes"]
    if not isinstance(limits, dict):
        raise SiteError(f"{file}: waiting_minutes is {limits!r}; a table [waiting_minutes] was expected")
    _same_keys(file, "waiting_minutes.", limits, dict.fromkeys(TIERS))
    return {tier: _minutes(file, f"waiting_minutes.{tier}", limits[tier]) for tier in TIERS}


def _read(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise SiteError(f"{file} is missing; take the one that came with the program") from None
    except OSError as error:
        raise SiteError(
            f"{file} cannot be read ({error.strerror}); SPINETRIAGE_CONFIG names the configuration's folder"
        ) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SiteError(f"{file} cannot be read as TOML: {error}") from None


def _same_keys(file: Path, prefix: str, values: dict[str, Any], expected: dict[str, Any]) -> None:
    for key in values.keys() - expected.keys():
        raise SiteError(f"{file}: unknown key {prefix}{key}; known are {', '.join(sorted(expected))}")
    for key in expected.keys() - values.keys():
        raise SiteError(f"{file}: the key {prefix}{key} is missing")


def _minutes(file: Path, key: str, value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise SiteError(f"{file}: {key} is {value!r}; a whole number of minutes above 0 was expected")
    return value


def _check_viewer(file: Path, link: str) -> None:
    try:
        fields = {name for _, name, _, _ in string.Formatter().parse(link) if name is not None}
    except ValueError:
        fields = {"a lone brace"}
    if fields - VIEWER_FIELDS or (link and not link.startswith(("https://", "http://"))):
        raise SiteError(
            f"{file}: viewer_link is {link!r}; expected an address that starts with https:// or http:// "
            "and has no other fields than {study_uid} and {accession}"
        )
