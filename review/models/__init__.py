"""The tables of the room of people."""

from review.models.account import Account, Role, SavedView, Use
from review.models.alert import Alert, Notice
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
from review.models.desk import Discard, Reject, Request
from review.models.erasure import ErasedRow, Erasure, LegalHold
from review.models.report import Reading, Report, ReportVersion
from review.models.rules import RuleSet
from review.models.run import Input, Outcome, Portion, Run, Shard
from review.models.study import Study, StudySeries

__all__ = [
    "Account",
    "Alert",
    "AuditHead",
    "AuditRow",
    "Case",
    "CaseEvent",
    "CaseMark",
    "Choice",
    "Communication",
    "Correction",
    "Decision",
    "Discard",
    "ErasedRow",
    "Erasure",
    "Escalation",
    "Input",
    "LegalHold",
    "Notice",
    "Outcome",
    "Portion",
    "QualitySample",
    "Reading",
    "Reject",
    "Report",
    "ReportVersion",
    "Request",
    "Role",
    "RuleSet",
    "Run",
    "SampleHead",
    "SavedView",
    "Shard",
    "Study",
    "StudySeries",
    "Tier",
    "Use",
]
