"""The cases: how they come, how they are listed, who holds them, and what is decided."""

from review.caseload.acts import RefusedError, open_count, queue
from review.caseload.assignments import assign, colleagues, hand_over, unassign
from review.caseload.changes import TIERS, Change, submit
from review.caseload.claims import claim, extend, give_back, next, release, take_over
from review.caseload.comments import comment
from review.caseload.communications import Telling, tell_result
from review.caseload.corrections import Said, correct
from review.caseload.deadlines import escalate, escalate_untold, overdue, release_expired
from review.caseload.decisions import NewerVersionError, decide, reopen
from review.caseload.labels import labels
from review.caseload.listing import Row, listing, rows
from review.caseload.sample import Drawn, draw

__all__ = [
    "TIERS",
    "Change",
    "Drawn",
    "NewerVersionError",
    "RefusedError",
    "Row",
    "Said",
    "Telling",
    "assign",
    "claim",
    "colleagues",
    "comment",
    "correct",
    "decide",
    "draw",
    "escalate",
    "escalate_untold",
    "extend",
    "give_back",
    "hand_over",
    "labels",
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
    "take_over",
    "tell_result",
    "unassign",
]
