"""Making what the room of people is handed, as the corridor would."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as site_settings
from django.test import Client

from review import accounts, ledger
from review.models import Account, Case
from review.records import NewOutcome, NewPortion, NewVersion
from review.site import Quality

Make = Callable[..., Any]
_numbers = itertools.count(1)
TEXT = "FINDINGS: Large epidural mass at T6.\nIMPRESSION: Epidural mass."


@pytest.fixture(autouse=True)
def anchor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Each test has its own file for the heads of its own chain."""
    file = tmp_path / "audit-heads.log"
    monkeypatch.setattr(site_settings, "AUDIT_ANCHOR", str(file))
    return file


@pytest.fixture
def finding() -> Make:
    def make(text: str = TEXT, quote: str = "epidural mass", **other: Any) -> dict[str, Any]:
        start = text.index(quote)
        return {
            "concept": "EPI_MASS",
            "name": "epidural mass",
            "class": "suspicious",
            "quote": quote,
            "start": start,
            "end": start + len(quote),
            "certainty": "present",
            "cue": None,
            "compartments": ["extradural"],
            "compartment_basis": "explicit",
            "levels": ["T6"],
            "size_mm": [21.0],
            "trend": "unknown",
            "section": "findings",
        } | other

    return make


@pytest.fixture
def reading(finding: Make) -> Make:
    def make(tier: str = "stat", **other: Any) -> dict[str, Any]:
        return {
            "suspicious": tier != "routine",
            "tier": tier,
            "score": 74,
            "neural": "none",
            "unreadable": None,
            "decided_by": "R1",
            "reasons": [{"rule": "B", "points": 30, "text": "epidural mass, present"}],
            "findings": [] if tier == "routine" else [finding()],
            "context_findings": [],
            "red_flags": [],
            "conflicts": [],
            "rules_version": "sha256:abc",
        } | other

    return make


@pytest.fixture
def version(reading: Make) -> Make:
    """Make a version; `tier` is a tier, `unread`, or None for a version that needs no reading."""

    def make(key: str = "A1", tier: str | None = "stat", status: str = "final", **other: Any) -> NewVersion:
        text = other.pop("text", TEXT)
        read = None
        if tier == "unread":
            read = reading("soon", unreadable="empty", findings=[], reasons=[])
        elif tier is not None:
            read = reading(tier)
        values = {
            "key": key,
            "status": status,
            "text": text,
            "text_digest": hashlib.sha256(f"{text}{next(_numbers)}".encode()).hexdigest(),
            "reading": read,
        }
        return NewVersion(**values | other)

    return make


@pytest.fixture
def run() -> Make:
    def make(**other: Any) -> int:
        values = {"trigger": "command", "rules_version": "sha256:abc", "code_version": "1", "actor": "system"}
        return ledger.open_run(**values | other)

    return make


@pytest.fixture
def shard(run: Make) -> Make:
    """Take `items` one-item portions in a new run; return the shard and its portions' ids."""

    def make(items: int = 1, source: str = "inbox", run_id: int = 0) -> tuple[int, list[int]]:
        new = [
            NewPortion(kind="reports", source=source, path=f"r{next(_numbers):06}.txt", fingerprint="f")
            for _ in range(items)
        ]
        number = ledger.add_shard(run_id or run(), new)
        assert number is not None
        return number, [portion.id for portion in ledger.shard_portions(number)]

    return make


@pytest.fixture
def deliver(shard: Make) -> Make:
    """Store versions, or rejections given as their reason, as one shard; return the counts."""

    def make(*items: NewVersion | str, source: str = "inbox", run_id: int = 0) -> dict[str, int]:
        number, portions = shard(len(items), source, run_id)
        outcomes = [
            NewOutcome(portion=portion, item=0, reason=item, raw=b"\0junk%d" % next(_numbers))
            if isinstance(item, str)
            else NewOutcome(portion=portion, item=0, version=item)
            for portion, item in zip(portions, items, strict=True)
        ]
        return ledger.store_shard(number, outcomes)

    return make


@pytest.fixture
def person(settings: Any) -> Make:
    # The hasher that people get is slow on purpose.
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]

    def make(role: str = "radiologist", name: str = "", sources: tuple[str, ...] = ()) -> Account:
        name = name or f"{role}{next(_numbers)}"
        accounts.add_user(name, role, sources=sources)
        account = Account.objects.get(username=name)
        account.must_change_password = False
        account.save()
        return account

    return make


@pytest.fixture
def enter(person: Make) -> Make:
    """Log a person of a role in; return the browser."""

    def make(role: str = "radiologist", **other: Any) -> Client:
        client = Client()
        client.force_login(person(role, **other))
        return client

    return make


@pytest.fixture
def case_of() -> Callable[[str], Case]:
    def find(key: str) -> Case:
        return Case.objects.select_related("reading").get(report__key=key)

    return find


@pytest.fixture(autouse=True)
def no_sample(settings: Any) -> None:
    """Nothing is read blind by chance; a test of blind reading sets the shares that it needs."""
    settings.SITE = replace(settings.SITE, quality=Quality(share=0.0, seed="test", blind_soon_share=0.0))
