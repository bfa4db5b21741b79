"""Who did what: one chain of rows, and its proof."""

from review.audit.chain import SYSTEM, Action, key_fits, record
from review.audit.verification import verify

__all__ = ["SYSTEM", "Action", "key_fits", "record", "verify"]
