"""How fast the record is proven: fills a database of its own, then times `audit verify` and its parts.

    python bench/verifying.py [ROWS] [REPORTS]

SQLite in a scratch folder, or the empty database named by SPINETRIAGE_DATABASE_URL.
"""

from __future__ import annotations

import hashlib
import os
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from typing import Any

os.environ["SPINETRIAGE_VAR"] = tempfile.mkdtemp(prefix="spinetriage-verifying-")

from review.setup import migrate, setup

setup()

# ruff: noqa: E402 - Django must be set up before its models can be imported
from django.conf import settings
from django.utils import timezone

from review import audit, ledger
from review.audit.anchor import Anchors
from review.audit.chain import ROW, mac_of
from review.audit.rows import chain_faults
from review.audit.shards import shard_faults
from review.models import AuditHead, AuditRow
from review.records import NewOutcome, NewPortion, NewVersion

SHARD = 250
TEXT = "FINDINGS: Vertebral bodies keep their height. There is no epidural mass. " * 25  # as long as a report
READING = {
    "suspicious": False, "tier": "routine", "score": 0, "neural": "none", "unreadable": None,
    "decided_by": "", "reasons": [], "findings": [],
    "context_findings": [{"certainty": "absent", "quote": "epidural mass"}] * 8,
    "red_flags": [], "conflicts": [], "rules_version": "sha256:bench",
}  # fmt: skip


def store(reports: int) -> None:
    """Store so many routine reports, the product's own way."""
    run = ledger.open_run(trigger="command", rules_version="sha256:bench", code_version="1", actor="system")
    for first in range(0, reports, SHARD):
        numbers = range(first, min(first + SHARD, reports))
        new = [NewPortion(kind="reports", source="b", path=f"{n}.txt", fingerprint="f") for n in numbers]
        shard = ledger.add_shard(run, new) or 0
        there = zip(numbers, ledger.shard_portions(shard), strict=True)
        ledger.store_shard(shard, [NewOutcome(portion=p.id, item=0, version=_version(n)) for n, p in there])
    ledger.close_run(run, "completed")


def _version(number: int) -> NewVersion:
    text = f"{TEXT}{number}"
    digest = hashlib.sha256(text.encode()).hexdigest()
    context = {"modality": "MR", "body_part": "SPINE", "patient_age": "067Y"}
    return NewVersion(
        key=f"B|{number}", status="final", text=text, text_digest=digest, reading=READING, context=context
    )


def act(rows: int) -> None:
    """Let the chain grow to so many rows, as if somebody had looked at case after case."""
    head, key = AuditHead.objects.get(), settings.AUDIT_KEY.encode()
    batch: list[AuditRow] = []
    for number in range(head.number + 1, rows + 1):
        detail = {"version": number, "tier": 1, "state": "waiting", "event": number, "digest": head.mac}
        values = (number, timezone.now(), "account:7", "case.read", f"case:{number}", detail, "web 10.0.0.1")
        head.mac = mac_of(values, head.mac, key)
        batch.append(AuditRow(**dict(zip(ROW, values, strict=True)), mac=head.mac))
        if len(batch) == 5000 or number == rows:
            AuditRow.objects.bulk_create(batch)
            batch.clear()
    head.number = AuditRow.objects.count()
    head.save()


def timed(what: str, count: int, faults: Iterable[Any]) -> None:
    """Print how long a part of the proof takes."""
    begin = time.perf_counter()
    found = list(faults)
    took = time.perf_counter() - begin
    if found:
        sys.exit(f"{what}: {found[:3]}")
    sys.stdout.write(f"{what:28}{count:>10,}{took:>10.1f} s{count / took:>12,.0f} a second\n")


def main() -> None:
    """Fill and measure."""
    rows, reports = (int(one) for one in (*sys.argv[1:], "1000000", "200000")[:2])
    migrate()
    begin = time.perf_counter()
    store(reports)
    act(rows)
    sys.stdout.write(f"filled in {time.perf_counter() - begin:.0f} s\n")
    timed("rows of the chain", rows, chain_faults(Anchors()))
    timed("reports of all shards", reports, shard_faults())
    timed("all of `audit verify`", rows, _verified())


def _verified() -> Iterator[Any]:
    yield from audit.verify()["faults"]


main()
