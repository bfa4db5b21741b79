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
from review.caseload.deadlines import escalate, escalate_untold, overdue, release_expired
from review.caseload.listing import Row, listing, rows
from review.caseload.sample import Drawn, draw

__all__ = [
    "TIERS",
    "Change",
    "Drawn",
    "RefusedError",
    "Row",
    "claim",
    "decide",
    "draw",
    "escalate",
    "escalate_untold",
    "extend",
    "give_back",
    "listing",
    "next",
    "open_count",
    "overdue",
    "queue",
    "release",
    "release_expired",
    "reopen",
    "rows",
    "submit",
]
