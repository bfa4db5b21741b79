"""Rows of the audit as FHIR R4 AuditEvents: who, when, what, on what; no name and no text."""

from __future__ import annotations

from typing import Any

from review.models import AuditRow

DCM = "http://dicom.nema.org/resources/ontology/DCM"
OWN = "urn:spinetriage"
# By the beginning of an action: the kind of event, and what was done (Create, Read, Update, Delete, Execute).
KINDS = {
    "account.logged": ("110114", "User Authentication", "E"),
    "account.lo": ("110114", "User Authentication", "E"),
    "account.": ("110113", "Security Alert", "U"),
    "audit.verified": ("110100", "Application Activity", "E"),
    "audit.": ("110101", "Audit Log Used", "R"),
    "exported": ("110106", "Export", "R"),
    "list.": ("110112", "Query", "E"),
    "case.read": ("110110", "Patient Record", "R"),
    "case.": ("110110", "Patient Record", "U"),
    "report.": ("110110", "Patient Record", "R"),
    "input.raw_read": ("110110", "Patient Record", "R"),
    "input.": ("110107", "Import", "U"),
    "shard.": ("110107", "Import", "C"),
    "text.": ("110110", "Patient Record", "D"),
    "data.": ("110110", "Patient Record", "D"),
    "": ("110100", "Application Activity", "E"),
}


def audit_event(row: AuditRow) -> dict[str, Any]:
    """Return a row as an AuditEvent; what stands in its detail goes along as its digest by the chain."""
    code, display, did = next(kind for begins, kind in KINDS.items() if row.action.startswith(begins))
    is_person = row.actor.startswith("account:")
    agent: dict[str, Any] = {
        "who": {"identifier": {"system": f"{OWN}:actor", "value": row.actor}},
        "requestor": is_person,
    }
    if row.origin:
        agent["network"] = {"address": row.origin, "type": "5"}
    return {
        "resourceType": "AuditEvent",
        "id": f"row-{row.number}",
        "type": {"system": DCM, "code": code, "display": display},
        "subtype": [{"system": f"{OWN}:action", "code": row.action}],
        "action": did,
        "recorded": row.at.isoformat(timespec="milliseconds"),
        "outcome": "8" if row.action.endswith(("login_failed", "locked")) else "0",
        "agent": [agent],
        "source": {"observer": {"display": "spinetriage"}},
        "entity": [
            {
                "what": {"identifier": {"system": f"{OWN}:subject", "value": row.subject}},
                "detail": [{"type": "mac", "valueString": row.mac}],
            }
        ],
    }
