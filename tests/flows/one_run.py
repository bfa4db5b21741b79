"""One batch in this process, without Prefect: the same steps in the same order."""

from __future__ import annotations

from flows import batch, places, shard
from review import audit, ledger


def one_run() -> dict[str, int]:
    """Carry out one batch, and prove the record; return its counts that are not 0."""
    places.named.cache_clear()
    number = batch.open_run("command")
    for found in batch.find(number, "studies"):
        shard.store_studies(found)
    for found in batch.find(number, "reports"):
        shard.read_reports(found)
    ledger.close_run(number, "completed")
    proof = audit.verify()
    assert proof["ok"], proof["faults"]
    return {name: count for name, count in ledger.summary(number)["outcomes"].items() if count}
