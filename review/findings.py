"""The findings of a reading as pages list them: the heaviest first, each with its words."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from review.evidence import AFFIRMED, Finding, Told, headline, in_words, spoken, telling, told
from review.models import Correction
from review.stretches import Mark

COMPARTMENTS = {"extradural": "ED", "intradural_extramedullary": "IDEM", "intramedullary": "IM"}
TRENDS = {
    "new": "+ new",
    "progressed": "↑ progressed",
    "stable": "= stable",
    "regressed": "↓ regressed",
    "resolved": "✓ resolved",
}
BASES = {"explicit": "said in words", "inferred": "inferred"}
CERTAINTIES = {
    "historical": "in the past",
    "indication": "asked about",
    "recommendation": "only recommended",
}
# What weighs more comes first; a class that is not named here comes last.
_WEIGHT = (
    "compression",
    "malignant",
    "infection",
    "haemorrhage",
    "suspicious",
    "fracture",
    "benign_tumor",
    "inflammatory",
    "vascular",
    "crowding",
    "cyst",
    "benign_other",
    "syndrome",
)
LISTED = 200  # findings in the table: a report has some ten
_SIZES = ("size", "prior_size")


@dataclass(frozen=True, slots=True)
class Found:
    """One mention of a lesion, or of what belongs to it, as a row of the table."""

    number: int  # its place in findings + context_findings
    finding: Finding
    correction: Correction | None  # the newest of these words
    is_listed: bool = True  # in the table; of very many only the heaviest are, and all are marked in the text

    @property
    def is_affirmed(self) -> bool:
        """Whether the report says that it is there, however surely."""
        return self.finding["certainty"] in AFFIRMED

    @property
    def kind(self) -> str:
        """The class in words."""
        return in_words(self.finding["class"])

    @property
    def certainty(self) -> str:
        """How sure the report is, in words."""
        return certainty(self.finding["certainty"])

    @property
    def places(self) -> str:
        """The compartments in words."""
        return ", ".join(map(in_words, self.finding["compartments"]))

    @property
    def basis(self) -> str:
        """Where the compartment comes from; "" when there is none."""
        return BASES.get(self.finding["compartment_basis"], "")

    @property
    def letters(self) -> str:
        """The compartments in letters; brackets where they are inferred."""
        letters = "/".join(COMPARTMENTS.get(name, name) for name in self.finding["compartments"])
        return f"({letters})" if letters and self.finding["compartment_basis"] == "inferred" else letters

    @property
    def size(self) -> str:
        """The size with its unit: as the report has it, else as it was measured out."""
        return self._measured("size") or sizes(self.finding["size_mm"])

    @property
    def earlier_size(self) -> str:
        """The size that the report gives from before."""
        return self._measured("prior_size")

    @property
    def trend(self) -> str:
        """The change in a sign and a word; "" when the report does not say."""
        return TRENDS.get(self.finding["trend"], "")

    @property
    def details(self) -> list[Told]:
        """What else is said of it; sizes stand in a column of their own."""
        details = [detail for detail in self.finding.get("details", ()) if detail["kind"] not in _SIZES]
        return told(self.finding | {"details": details})

    @property
    def mark(self) -> Mark:
        """How its words are marked in the text."""
        place = self.letters if self.is_affirmed else ""
        badge = " · ".join(word for word in (self.certainty, place) if word)
        kind = self.finding["certainty"]
        if self.correction is not None:
            badge, kind = f"✎ {corrected(self.correction)}", f"{kind} corrected"
        return Mark(
            start=self.finding["start"],
            end=self.finding["end"],
            anchor=f"finding-{self.number}",
            kind=kind,
            badge=badge,
            leads_to=f"row-{self.number}" if self.is_listed else "unlisted",
            title=spoken(self.finding),
        )

    def _measured(self, kind: str) -> str:
        details = self.finding.get("details", ())
        return "; ".join(
            detail["value"].replace(" x ", " × ") for detail in details if detail["kind"] == kind
        )


def found(content: dict[str, Any], corrections: dict[tuple[int, int], Correction]) -> list[Found]:
    """Return the findings of a reading, the heaviest first.

    Affirmed ones come before the rest; first of all what the case is called after and what presses on the
    cord; mentions of one thing stand together, in the order of the text.
    """
    rows = [
        Found(number, finding, corrections.get((finding["start"], finding["end"])))
        for number, finding in enumerate([*content["findings"], *content["context_findings"]])
    ]
    first = [finding for finding in (telling(content), headline(content)) if finding is not None]
    best: dict[tuple[bool, str], tuple[int, ...]] = {}
    for row in rows:
        group = (row.is_affirmed, row.finding["concept"])
        best[group] = min(best.get(group, (99,)), _weight(row, first))

    def order(row: Found) -> tuple[bool, tuple[int, ...], str, int, int]:
        concept = row.finding["concept"]
        return (
            not row.is_affirmed,
            best[row.is_affirmed, concept],
            concept,
            row.finding["start"],
            row.number,
        )

    ordered = sorted(rows, key=order)
    return [*ordered[:LISTED], *(replace(row, is_listed=False) for row in ordered[LISTED:])]


def _weight(row: Found, first: list[Finding]) -> tuple[int, ...]:
    finding = row.finding
    leads = first.index(finding) if finding in first else len(first)
    weight = _WEIGHT.index(finding["class"]) if finding["class"] in _WEIGHT else len(_WEIGHT)
    return leads, weight, AFFIRMED.index(finding["certainty"]) if row.is_affirmed else len(AFFIRMED)


def certainty(code: str) -> str:
    """Say how sure a report is, in words."""
    return CERTAINTIES.get(code, code)


def sizes(millimetres: list[float]) -> str:
    """Return measures as people write them: 21 × 14 mm."""
    return " × ".join(f"{size:g}" for size in millimetres) + " mm" if millimetres else ""


def corrected(correction: Correction) -> str:
    """Say in a few words what a person says of a stretch of the text."""
    said = [certainty(correction.certainty), *map(in_words, correction.compartments), *correction.levels]
    if correction.kind == Correction.Kind.MISSED:
        said.insert(0, in_words(correction.category))
    told = ", ".join(word for word in said if word)
    return told or str(correction.get_kind_display())
