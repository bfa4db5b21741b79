"""Who did what: one chain of rows, and its proof."""

from review.audit.chain import SYSTEM, Action, identity, key_fits, record
from review.audit.origin import by_command, coming_from, of_run
from review.audit.verification import verify

__all__ = [
    "SYSTEM",
    "Action",
    "by_command",
    "coming_from",
    "identity",
    "key_fits",
    "of_run",
    "record",
    "verify",
]
