"""The tables of the room of people."""

from review.models.account import Account, Role
from review.models.audit import AuditHead, AuditRow
from review.models.case import Case, CaseEvent, Decision, Tier
from review.models.report import Reading, Report, ReportVersion
from review.models.run import Input, Outcome, Portion, Run, Shard
from review.models.study import Study, StudySeries

__all__ = [
    "Account",
    "AuditHead",
    "AuditRow",
    "Case",
    "CaseEvent",
    "Decision",
    "Input",
    "Outcome",
    "Portion",
    "Reading",
    "Report",
    "ReportVersion",
    "Role",
    "Run",
    "Shard",
    "Study",
    "StudySeries",
    "Tier",
]
