"""The rules that readings were made with: still what their version says, and let go live by an act."""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterator
from typing import Any

from review.audit.chain import Action
from review.digests import UNREADABLE, applied_digest, rules_version
from review.models import AuditRow, RuleSet

Fault = dict[str, Any]


def rule_faults() -> Iterator[Fault]:
    """Find rules that were changed, removed, or went live without an act."""
    applied: dict[str, tuple[int, str]] = {}
    acts = AuditRow.objects.filter(action=Action.RULES_APPLIED).order_by("number")
    for number, detail in acts.values_list("number", "detail").iterator():
        applied[detail["rules_version"]] = number, detail["digest"]
    there = set()
    for rules in RuleSet.objects.order_by("first_used", "version").iterator(chunk_size=20):
        there.add(rules.version)
        if _version(rules) != rules.version:
            yield {"row": None, "what": f"the rules {rules.version} were changed"}
        act = applied.get(rules.version)
        if (applied_digest(rules) if rules.applied_at else None) != (act and act[1]):
            yield {"row": act and act[0], "what": f"the rules {rules.version} did not go live as they say"}
    for version, (number, _) in applied.items():
        if version not in there:
            yield {"row": number, "what": f"the rules {version} went live, but are not there"}
    opened = AuditRow.objects.filter(action=Action.RUN_OPENED, detail__rules_kept=True)
    for number, detail in opened.order_by("number").values_list("number", "detail").iterator():
        if detail["rules_version"] not in there:
            yield {"row": number, "what": f"the rules {detail['rules_version']} were kept, but are not there"}


def _version(rules: RuleSet) -> str:
    """Return the version that the content has; "" when it cannot be read at all."""
    try:
        files = json.loads(zlib.decompress(bytes(rules.files)))
        return rules_version(files, rules.program, rules.libraries)
    except UNREADABLE:
        return ""
