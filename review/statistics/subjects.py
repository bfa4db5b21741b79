"""The subjects in the order of the page: name, and what makes the table of it."""

from __future__ import annotations

from collections.abc import Callable

from review.statistics.communicated import communicated
from review.statistics.confirmed import by_concept, by_rule, by_tier
from review.statistics.corrected import corrected
from review.statistics.depth import depth
from review.statistics.drift import drift
from review.statistics.missed import missed
from review.statistics.period import Scope
from review.statistics.table import Table
from review.statistics.times import claim, decision
from review.statistics.volume import cases, inputs

SUBJECTS: dict[str, Callable[[Scope], Table]] = {
    "inputs": inputs,
    "cases": cases,
    "depth": depth,
    "claim": claim,
    "decision": decision,
    "communicated": communicated,
    "confirmed-tier": by_tier,
    "confirmed-rule": by_rule,
    "confirmed-concept": by_concept,
    "missed": missed,
    "drift": drift,
    "corrected": corrected,
}
# What is drawn too, and how.
PICTURES = {
    "inputs": "panels",
    "cases": "panels",
    "depth": "levels",
    "claim": "shares",
    "decision": "shares",
    "communicated": "shares",
    "confirmed-tier": "shares",
    "confirmed-rule": "shares",
    "confirmed-concept": "shares",
    "drift": "ratios",
    "corrected": "shares",
}


def tables(scope: Scope) -> list[Table]:
    """Return all subjects, in the order in which people read them."""
    return [make(scope) for make in SUBJECTS.values()]
