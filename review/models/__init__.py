"""The tables of the room of people."""

from review.models.account import Account, Role, SavedView, Use
from review.models.audit import AuditHead, AuditRow
from review.models.case import (
    Case,
    CaseEvent,
    CaseMark,
    Choice,
    Communication,
    Correction,
    Decision,
    Escalation,
    QualitySample,
    SampleHead,
    Tier,
)
from review.models.report import Reading, Report, ReportVersion
from review.models.run import Input, Outcome, Portion, Run, Shard
from review.models.study import Study, StudySeries

__all__ = [
    "Account",
    "AuditHead",
    "AuditRow",
    "Case",
    "CaseEvent",
    "CaseMark",
    "Choice",
    "Communication",
    "Correction",
    "Decision",
    "Escalation",
    "Input",
    "Outcome",
    "Portion",
    "QualitySample",
    "Reading",
    "Report",
    "ReportVersion",
    "Role",
    "Run",
    "SampleHead",
    "SavedView",
    "Shard",
    "Study",
    "StudySeries",
    "Tier",
    "Use",
]
