"""The record that counts: what came in, what became of it, and by which run.

Every function that writes does so in one transaction, may be called again after a crash at any moment,
and then changes nothing that was already recorded.
"""

from review.conservation import conservation
from review.ledger.explanation import explain
from review.ledger.held import HeldReading, count_held, held_readings
from review.ledger.history import outcome_rows, runs, summary
from review.ledger.intake import Intake, Waiting, intake
from review.ledger.requests import (
    DueInput,
    Kept,
    ask_retry,
    claim_requests,
    close_requests,
    due,
    kept,
    kept_bytes,
)
from review.ledger.rereads import (
    RereadError,
    open_reread,
    reread_counts,
    reread_progress,
    reread_rules,
    reread_texts,
    resume_reread,
    store_reread,
)
from review.ledger.rules import apply_rules, keep_rules, kept_rules
from review.ledger.running import (
    beat,
    close_run,
    count_unchanged,
    name_prefect_run,
    open_run,
    scope,
    scopes,
    take_over,
)
from review.ledger.shards import (
    FailedPortion,
    TakenPortion,
    add_shard,
    fail_shard,
    failed,
    known,
    poison,
    progress,
    run_of,
    shard_portions,
    unfinished,
)
from review.ledger.storing import OvertakenError, change_of, holdings, new_reading, store_shard
from review.ledger.studies import HeldStudy, store_studies, studies_for
from review.versions import Holding

__all__ = [
    "DueInput",
    "FailedPortion",
    "HeldReading",
    "HeldStudy",
    "Holding",
    "Intake",
    "Kept",
    "OvertakenError",
    "RereadError",
    "TakenPortion",
    "Waiting",
    "add_shard",
    "apply_rules",
    "ask_retry",
    "beat",
    "change_of",
    "claim_requests",
    "close_requests",
    "close_run",
    "conservation",
    "count_held",
    "count_unchanged",
    "due",
    "explain",
    "fail_shard",
    "failed",
    "held_readings",
    "holdings",
    "intake",
    "keep_rules",
    "kept",
    "kept_bytes",
    "kept_rules",
    "known",
    "name_prefect_run",
    "new_reading",
    "open_reread",
    "open_run",
    "outcome_rows",
    "poison",
    "progress",
    "reread_counts",
    "reread_progress",
    "reread_rules",
    "reread_texts",
    "resume_reread",
    "run_of",
    "runs",
    "scope",
    "scopes",
    "shard_portions",
    "store_reread",
    "store_shard",
    "store_studies",
    "studies_for",
    "summary",
    "take_over",
    "unfinished",
]
