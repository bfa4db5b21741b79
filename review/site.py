"""What a hospital sets for the room of people: `config/site.toml` and `config/deadlines.toml`.

Read once at start and strictly: an unknown, missing or wrong key refuses the start.
"""

from __future__ import annotations

import os
import re
import string
import tomllib
import zoneinfo
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from review.clock import EXPECTED, Clock

ROOT = Path(__file__).resolve().parents[1]
VIEWER_FIELDS = {"study_uid", "accession"}
TIERS = ("stat", "urgent", "soon", "unread")
YEAR = 525_600  # minutes
HOST = re.compile(r"\.?[\w-]+(\.[\w-]+)*|\[[0-9a-fA-F:.]+\]")  # a first dot: all names below it
CLOCKED = ("nightly", "housekeeping")
FLOWS = ("triage", "deadlines", "quality_sample", "alerts")
CENTURY = 36_525  # days


class SiteError(ValueError):
    """A file of `config/` or a variable says what cannot be used; the text names it and the way out."""


@dataclass(frozen=True, slots=True)
class Quality:
    """What `[quality]` of `config/site.toml` says; the file explains it."""

    share: float
    seed: str
    blind_soon_share: float


@dataclass(frozen=True, slots=True)
class Retention:
    """What `[retention_days]` of `config/site.toml` says: days, 0 = for ever; the file explains them."""

    routine_reports: int
    decided_cases: int
    settled_bytes: int
    studies: int
    outcome_tables: int
    prefect_history: int


@dataclass(frozen=True, slots=True)
class Site:
    """What `config/site.toml` says."""

    name: str
    time_zone: str
    allowed_hosts: tuple[str, ...]
    claim_minutes: int
    late_minutes: int
    viewer_link: str
    every_minutes: dict[str, int]
    at: dict[str, Clock]
    quality: Quality
    retention_days: Retention


class Deadlines(NamedTuple):
    """What `config/deadlines.toml` says: minutes by tier, the last two counted from the end of the first.

    `rejected` are the minutes that a rejected input may wait for a person.
    """

    waiting: dict[str, int]
    again: dict[str, int]
    lead: dict[str, int]
    rejected: int


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
    values = read_toml(file)
    same_keys(file, "", values, Site.__dataclass_fields__)
    for key in ("name", "time_zone", "viewer_link"):
        if not isinstance(values[key], str):
            raise SiteError(f"{file}: {key} is {values[key]!r}; a text in quotes was expected")
    hosts = values["allowed_hosts"]
    if (
        not isinstance(hosts, list)
        or not hosts
        or not all(isinstance(h, str) and HOST.fullmatch(h) for h in hosts)
    ):
        raise SiteError(
            f"{file}: allowed_hosts is {hosts!r}; a list of names without https:// and port was expected, "
            'such as ["triage.example.org"]'
        )
    try:
        zoneinfo.ZoneInfo(values["time_zone"])
    except (ValueError, OSError, zoneinfo.ZoneInfoNotFoundError):  # OSError: a folder of zones
        raise SiteError(
            f"{file}: time_zone is {values['time_zone']!r}; a name such as 'Europe/London' was expected"
        ) from None
    _check_viewer(file, values["viewer_link"])
    every = _table_of_minutes(file, "every_minutes", values["every_minutes"], FLOWS)
    late = _minutes(file, "late_minutes", values["late_minutes"])
    if late <= every["triage"]:
        raise SiteError(
            f"{file}: late_minutes is {late}; more than every_minutes.triage ({every['triage']}) was "
            "expected, else intake would always be late"
        )
    return Site(
        name=values["name"],
        time_zone=values["time_zone"],
        allowed_hosts=tuple(hosts),
        claim_minutes=_minutes(file, "claim_minutes", values["claim_minutes"]),
        late_minutes=late,
        viewer_link=values["viewer_link"],
        every_minutes=every,
        at=_times(file, values["at"]),
        quality=_quality(file, values["quality"]),
        retention_days=_retention(file, values["retention_days"]),
    )


def _times(file: Path, value: object) -> dict[str, Clock]:
    values = table(file, "at", value)
    same_keys(file, "at.", values, dict.fromkeys(CLOCKED))
    for key, text in values.items():
        try:
            values[key] = Clock(text)
        except (TypeError, ValueError):
            raise SiteError(f"{file}: at.{key} is {text!r}; expected {EXPECTED}") from None
    return values


def _retention(file: Path, value: object) -> Retention:
    values = table(file, "retention_days", value)
    same_keys(file, "retention_days.", values, Retention.__dataclass_fields__)
    for key, days in values.items():
        if not isinstance(days, int) or isinstance(days, bool) or not 0 <= days <= CENTURY:
            raise SiteError(
                f"{file}: retention_days.{key} is {days!r}; a whole number of days was expected, at most a "
                f"century's ({CENTURY}); 0 = for ever"
            )
    return Retention(**values)


def _quality(file: Path, value: object) -> Quality:
    values = table(file, "quality", value)
    same_keys(file, "quality.", values, Quality.__dataclass_fields__)
    seed = values["seed"]
    if not isinstance(seed, str) or not seed.strip():
        raise SiteError(f"{file}: quality.seed is {seed!r}; a text in quotes that is not empty was expected")
    shares = {key: _share(file, f"quality.{key}", values[key]) for key in ("share", "blind_soon_share")}
    return Quality(seed=seed, **shares)


def _share(file: Path, key: str, value: object) -> float:
    # A share of the whole: not NaN, and no percentage such as 5.
    if not isinstance(value, (int, float)) or isinstance(value, bool) or not 0 <= value <= 1:
        raise SiteError(f"{file}: {key} is {value!r}; a share from 0 to 1 was expected, such as 0.005")
    return float(value)


def load_deadlines() -> Deadlines:
    """Read `deadlines.toml`: how long a case of each tier may wait, and when an overdue one is called out.

    Raises
    ------
    SiteError
        When a table or tier is unknown or missing, minutes are not a whole number above 0, or the order makes
        no sense: a graver tier waits no longer, and the leads hear after everybody did.
    """
    file = config_folder() / "deadlines.toml"
    values = read_toml(file)
    names = [f"{name}_minutes" for name in Deadlines._fields]
    same_keys(file, "", values, dict.fromkeys(names))
    waiting, again, lead = (_table_of_minutes(file, name, values[name], TIERS) for name in names[:3])
    found = Deadlines(waiting, again, lead, _minutes(file, names[3], values[names[3]]))
    for graver, milder in (("stat", "urgent"), ("urgent", "soon")):
        if found.waiting[graver] > found.waiting[milder]:
            raise SiteError(
                f"{file}: waiting_minutes.{graver} is {found.waiting[graver]}; no more than "
                f"waiting_minutes.{milder} ({found.waiting[milder]}) was expected"
            )
    for tier in TIERS:
        if found.lead[tier] <= found.again[tier]:
            raise SiteError(
                f"{file}: lead_minutes.{tier} is {found.lead[tier]}; more than again_minutes.{tier} "
                f"({found.again[tier]}) was expected"
            )
    return found


def has_host(address: str, *schemes: str) -> bool:
    """Tell whether a text is an address of one of these schemes that names a machine."""
    try:
        parts = urlsplit(address)
        return parts.scheme in schemes and bool(parts.hostname) and not re.search(r"\s", address)
    except ValueError:  # "https://["
        return False


def is_here(host: str | None) -> bool:
    """Tell whether a name is that of this machine, so that what is sent there does not travel."""
    return host in {"localhost", "127.0.0.1", "::1"}


def read_toml(file: Path) -> dict[str, Any]:
    """Return what a file of the configuration says, or refuse it as a SiteError."""
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


def same_keys(file: Path, prefix: str, values: dict[str, Any], expected: dict[str, Any]) -> None:
    """Refuse a table with a key that is unknown or missing, as a SiteError."""
    for key in values.keys() - expected.keys():
        raise SiteError(f"{file}: unknown key {prefix}{key}; known are {', '.join(sorted(expected))}")
    for key in expected.keys() - values.keys():
        raise SiteError(f"{file}: the key {prefix}{key} is missing")


def table(file: Path, key: str, value: object) -> dict[str, Any]:
    """Return a value that must be a table, or refuse it as a SiteError."""
    if not isinstance(value, dict):
        raise SiteError(f"{file}: {key} is {value!r}; a table [{key}] was expected")
    return value


def _table_of_minutes(file: Path, name: str, value: object, keys: tuple[str, ...]) -> dict[str, int]:
    """Return a table of minutes that has exactly these keys."""
    values = table(file, name, value)
    same_keys(file, f"{name}.", values, dict.fromkeys(keys))
    return {key: _minutes(file, f"{name}.{key}", values[key]) for key in keys}


def _minutes(file: Path, key: str, value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 < value <= YEAR:
        raise SiteError(
            f"{file}: {key} is {value!r}; a whole number of minutes above 0 was expected, "
            f"at most a year's ({YEAR})"
        )
    return value


def _check_viewer(file: Path, link: str) -> None:
    try:
        parts = [part[1:] for part in string.Formatter().parse(link) if part[1] is not None]
        # A field stands there bare: what else a format may ask for ("!r", ":>9") makes no address.
        is_good = all(name in VIEWER_FIELDS and not (form or change) for name, form, change in parts)
    except ValueError:  # a lone brace
        is_good = False
    if not is_good or (link and not has_host(link, "https", "http")):
        raise SiteError(
            f"{file}: viewer_link is {link!r}; expected an address that starts with https:// or http:// "
            "and has no other fields than {study_uid} and {accession}"
        )
