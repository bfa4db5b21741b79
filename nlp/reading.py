"""What the reading room hands out: plain frozen records, as tuples, which are made quickest."""

from typing import Any, NamedTuple


class Reason(NamedTuple):
    """A term that gave points, or a floor or cap that set a tier (then `tier` is given instead)."""

    rule: str
    text: str
    points: int | None = None
    tier: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """The reason as JSON has it: points or tier, never both."""
        if self.tier is None:
            return {"rule": self.rule, "points": self.points, "text": self.text}
        return {"rule": self.rule, "tier": self.tier, "text": self.text}


class Detail(NamedTuple):
    """One thing said of a lesion or in a report, with the words it came from: `text[start:end] == quote`."""

    kind: str
    value: str
    quote: str
    start: int
    end: int
    points: int | None = None

    def to_dict(self) -> dict[str, Any]:
        """The detail as JSON has it; points only where the kind has some (SINS)."""
        told = {
            "kind": self.kind,
            "value": self.value,
            "quote": self.quote,
            "start": self.start,
            "end": self.end,
        }
        return told if self.points is None else told | {"points": self.points}


class Finding(NamedTuple):
    """One mention of a lesion (or of its context), with the words that make it.

    `start` and `end` are offsets in characters of the text as given: `text[start:end] == quote`.
    Sizes are in millimetres. `sins` holds the elements of SINS that the report tells of the lesion, with
    their points; those it does not tell are left out.
    """

    concept: str
    name: str
    cls: str
    quote: str
    start: int
    end: int
    certainty: str
    cue: str | None
    compartments: tuple[str, ...]
    compartment_basis: str
    levels: tuple[str, ...]
    size_mm: tuple[float, ...]
    trend: str
    section: str
    details: tuple[Detail, ...] = ()
    sins: tuple[Detail, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """The finding as JSON has it."""
        found = self._asdict()
        found = {"class" if key == "cls" else key: value for key, value in found.items()}
        found |= {key: [detail.to_dict() for detail in found[key]] for key in ("details", "sins")}
        return {key: list(value) if isinstance(value, tuple) else value for key, value in found.items()}


class Reading(NamedTuple):
    """All that was read in one report."""

    suspicious: bool
    tier: str
    score: int
    neural: str
    unreadable: str | None
    decided_by: str
    reasons: tuple[Reason, ...]
    findings: tuple[Finding, ...]
    context_findings: tuple[Finding, ...]
    red_flags: tuple[str, ...]
    conflicts: tuple[str, ...]
    rules_version: str
    details: tuple[Detail, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """The reading as JSON has it, in the order of the contract."""
        return {
            "suspicious": self.suspicious,
            "tier": self.tier,
            "score": self.score,
            "neural": self.neural,
            "unreadable": self.unreadable,
            "decided_by": self.decided_by,
            "reasons": [reason.to_dict() for reason in self.reasons],
            "findings": [finding.to_dict() for finding in self.findings],
            "context_findings": [finding.to_dict() for finding in self.context_findings],
            "red_flags": list(self.red_flags),
            "conflicts": list(self.conflicts),
            "rules_version": self.rules_version,
            "details": [detail.to_dict() for detail in self.details],
        }
