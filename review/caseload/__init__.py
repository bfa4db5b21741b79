"""The cases: how they come, how they are listed, who holds them, and what is decided."""

from review.caseload.acts import RefusedError, queue
from review.caseload.assignments import assign, colleagues, hand_over, unassign
from review.caseload.changes import TIERS, Change, submit
from review.caseload.claims import claim, extend, give_back, next, release, take_over
from review.caseload.comments import comment
from review.caseload.communications import Telling, tell_result
from review.caseload.corrections import Said, correct
from review.caseload.counts import Counts, News, counts, news
from review.caseload.deadlines import Depth, depths, escalate, escalate_untold, overdue, release_expired
from review.caseload.decisions import NewerVersionError, decide, reopen
from review.caseload.export import as_csv
from review.caseload.filters import FilterError, listed, narrow
from review.caseload.labels import labels
from review.caseload.leaving import leave
from review.caseload.listing import Row, Showing, listing, rows_of, show, total
from review.caseload.rereading import reread
from review.caseload.sample import Drawn, draw

__all__ = [
    "TIERS",
    "Change",
    "Counts",
    "Depth",
    "Drawn",
    "FilterError",
    "NewerVersionError",
    "News",
    "RefusedError",
    "Row",
    "Said",
    "Showing",
    "Telling",
    "as_csv",
    "assign",
    "claim",
    "colleagues",
    "comment",
    "correct",
    "counts",
    "decide",
    "depths",
    "draw",
    "escalate",
    "escalate_untold",
    "extend",
    "give_back",
    "hand_over",
    "labels",
    "leave",
    "listed",
    "listing",
    "narrow",
    "news",
    "next",
    "overdue",
    "queue",
    "release",
    "release_expired",
    "reopen",
    "reread",
    "rows_of",
    "show",
    "submit",
    "take_over",
    "tell_result",
    "total",
    "unassign",
]
