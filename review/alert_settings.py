"""Who is told of what is wrong: `config/alerts.toml`, read once at start and strictly."""

from __future__ import annotations

import importlib.util
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from review.keys import given
from review.site import SiteError, config_folder, has_host, is_here, read_toml, same_keys, table
from review.strict import count, record

ADDRESS = re.compile(r"[^@\s<>,;]+@[^@\s<>,;]+")
TLS = ("starttls", "tls", "none")
DOTTED = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)+", re.ASCII)


@dataclass(frozen=True, slots=True)
class Plain:
    """A cause that has no limits."""

    on: bool


@dataclass(frozen=True, slots=True)
class ForMinutes:
    """A cause that counts after some minutes."""

    on: bool
    minutes: int


@dataclass(frozen=True, slots=True)
class Rejected:
    """So many new ones within hours, or one that waits for longer."""

    on: bool
    new: int
    hours: int
    waiting_hours: int


@dataclass(frozen=True, slots=True)
class Drift:
    """How much must have been read, and how sure a change must be."""

    on: bool
    days: int
    texts: int
    chance: float


@dataclass(frozen=True, slots=True)
class Causes:
    """What is looked for, under the names of `Alert.Cause`."""

    run_failed: Plain
    no_run: ForMinutes
    overdue: ForMinutes
    rejected: Rejected
    drift: Drift
    rules: Plain
    audit: Plain


@dataclass(frozen=True, slots=True)
class Email:
    """The hospital's mail server, and who gets the mail."""

    enabled: bool
    to: tuple[str, ...]
    sender: str
    host: str
    port: int
    tls: str
    user: str
    password: str


@dataclass(frozen=True, slots=True)
class Webhook:
    """Where JSON is posted to."""

    enabled: bool
    url: str
    token: str
    secret: str


@dataclass(frozen=True, slots=True)
class Alerts:
    """What `config/alerts.toml` says, with the secrets that belong to it."""

    pages: str
    remind_hours: int
    settle_minutes: int
    causes: Causes
    email: Email
    webhook: Webhook
    own: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Mail:
    enabled: bool
    to: tuple[str, ...]
    host: str
    port: int
    tls: str
    user: str


@dataclass(frozen=True, slots=True)
class _Hook:
    enabled: bool
    url: str


@dataclass(frozen=True, slots=True)
class _Own:
    classes: tuple[str, ...]


def load_alerts() -> Alerts:
    """Read `alerts.toml`.

    Raises
    ------
    SiteError
        When a key is unknown, missing or has a value that cannot be used.
    """
    file = config_folder() / "alerts.toml"
    values = read_toml(file)
    same_keys(file, "", values, Alerts.__dataclass_fields__)
    pages = values["pages"]
    if not isinstance(pages, str) or (pages and not has_host(pages, "https", "http")):
        raise SiteError(
            f'{file}: pages is {pages!r}; an address such as "https://triage.example.org" was expected, or ""'
        )
    return Alerts(
        pages=pages.rstrip("/"),
        remind_hours=count(file, "remind_hours", values["remind_hours"]),
        settle_minutes=count(file, "settle_minutes", values["settle_minutes"]),
        causes=_causes(file, values["causes"]),
        email=_email(file, values["email"]),
        webhook=_webhook(file, values["webhook"]),
        own=_own(file, values["own"]),
    )


def _causes(file: Path, value: object) -> Causes:
    values = table(file, "causes", value)
    kinds: dict[str, Any] = {
        "run_failed": Plain,
        "no_run": ForMinutes,
        "overdue": ForMinutes,
        "rejected": Rejected,
        "drift": Drift,
        "rules": Plain,
        "audit": Plain,
    }
    same_keys(file, "causes.", values, kinds)
    return Causes(
        **{name: record(file, f"causes.{name}", values[name], kind) for name, kind in kinds.items()}
    )


def _email(file: Path, value: object) -> Email:
    values = dict(table(file, "email", value))
    sender = values.pop("from", None)  # no name for a field
    mail = record(file, "email", values, _Mail)
    if mail.tls not in TLS:
        raise SiteError(f"{file}: email.tls is {mail.tls!r}; expected one of {', '.join(TLS)}")
    if sender is None or not isinstance(sender, str):
        raise SiteError(f"{file}: email.from is {sender!r}; a text in quotes was expected")
    password = given("SPINETRIAGE_SMTP_PASSWORD", "smtp") if mail.user else ""
    if mail.enabled:
        _check_addresses(file, sender, mail.to)
        if not mail.host:
            raise SiteError(f"{file}: email.host is empty, but email.enabled is true")
        if mail.user and not password:
            raise SiteError(
                f"{file}: email.user is {mail.user!r}, but there is no password: set "
                "SPINETRIAGE_SMTP_PASSWORD, or write it into secrets/smtp of the data folder"
            )
        if mail.user and mail.tls == "none" and not is_here(mail.host):
            raise SiteError(
                f"{file}: email.tls is 'none', so the password would travel in clear; 'starttls' or "
                "'tls' was expected"
            )
    return Email(
        enabled=mail.enabled,
        to=mail.to,
        sender=sender,
        host=mail.host,
        port=mail.port,
        tls=mail.tls,
        user=mail.user,
        password=password,
    )


def _check_addresses(file: Path, sender: str, to: tuple[str, ...]) -> None:
    if not to:
        raise SiteError(f"{file}: email.to is empty, but email.enabled is true")
    for key, address in (("from", sender), *(("to", address) for address in to)):
        if not ADDRESS.fullmatch(address):
            raise SiteError(
                f"{file}: email.{key} has {address!r}; an address such as 'on-call@example.org' was expected"
            )


def _webhook(file: Path, value: object) -> Webhook:
    hook = record(file, "webhook", value, _Hook)
    if hook.enabled and not (
        has_host(hook.url, "https") or (has_host(hook.url, "http") and is_here(urlsplit(hook.url).hostname))
    ):
        raise SiteError(
            f"{file}: webhook.url is {hook.url!r}; an address that starts with https:// was expected"
        )
    return Webhook(
        enabled=hook.enabled,
        url=hook.url,
        token=os.environ.get("SPINETRIAGE_WEBHOOK_TOKEN", ""),
        secret=os.environ.get("SPINETRIAGE_WEBHOOK_SECRET", ""),
    )


def _own(file: Path, value: object) -> tuple[str, ...]:
    classes = record(file, "own", value, _Own).classes
    for path in classes:
        if not DOTTED.fullmatch(path) or not _is_there(path.rpartition(".")[0]):
            raise SiteError(
                f"{file}: own.classes has {path!r}; the dotted path of a class was expected, such as "
                "'hospital.pager.Pager', whose module Python finds (PYTHONPATH)"
            )
    return classes


def _is_there(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is not None
    except ImportError:  # of a package above it
        return False
