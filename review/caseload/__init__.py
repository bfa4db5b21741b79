"""The cases: how they come, how they are listed, who holds them, and what is decided."""

from review.caseload.acts import (
    RefusedError,
    claim,
    decide,
    extend,
    give_back,
    next,
    open_count,
    queue,
    release,
    reopen,
)
from review.caseload.changes import TIERS, Change, submit
from review.caseload.listing import Row, listing, rows

__all__ = [
    "TIERS",
    "Change",
    "RefusedError",
    "Row",
    "claim",
    "decide",
    "extend",
    "give_back",
    "listing",
    "next",
    "open_count",
    "queue",
    "release",
    "reopen",
    "rows",
    "submit",
]
