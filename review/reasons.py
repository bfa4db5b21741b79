"""Why a case is where it is, in plain words: the terms of its score, and the rules that set its tier."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

TERMS = {
    "B": "what the lesion is",
    "N": "pressure on cord and nerves",
    "S": "stability of the spine",
    "T": "change over time",
    "C": "clinical words",
    "M": "where the patient comes from",
}
_CAP = re.compile(r"C\d")


@dataclass(frozen=True, slots=True)
class Reason:
    """One reason as people read it."""

    rule: str
    about: str  # what kind of reason it is
    text: str
    effect: str  # points, or the tier that it sets
    decided: bool


def reasons(content: dict[str, Any]) -> list[Reason]:
    """Return the reasons of a reading; the one that decided the tier is marked."""
    return [_reason(reason, content["decided_by"]) for reason in content["reasons"]]


def decided(content: dict[str, Any]) -> str:
    """Say what decided the tier."""
    rule = content["decided_by"]
    if rule in ("", "points"):
        return f"the points, {content['score']} in all"
    text = next((reason["text"] for reason in content["reasons"] if reason["rule"] == rule), "")
    return f"rule {rule}, {text}" if text else f"rule {rule}"


def _reason(reason: dict[str, Any], decided_by: str) -> Reason:
    rule, tier = reason["rule"], reason.get("tier")
    is_cap = bool(_CAP.match(rule))
    if tier:
        about = "limits the priority" if is_cap else "lifts the priority"
        effect = f"at {'most' if is_cap else 'least'} {tier}"
    else:
        about, effect = TERMS.get(rule, ""), f"{reason['points']:+d} points"
    return Reason(rule, about, reason["text"], effect, rule == decided_by)
