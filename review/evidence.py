"""What a reading says, in the words of the pages; nothing is read anew here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from review.stretches import TURNING

Finding = dict[str, Any]
AFFIRMED = ("present", "probable", "possible")
UNSPECIFIC = "suspicious"  # the class of a lesion that nothing is said of but that it is there
DIAGNOSES = ("malignant", "benign_tumor", "infection", "haemorrhage", "vascular", "cyst")  # that name it
SINS_ELEMENTS = 6
NAMED = {  # kinds of details that people call otherwise
    "prior_size": "earlier size",
    "escc": "Bilsky (ESCC) grade",
    "sins": "SINS as stated",
    "fracture_age": "age of the fracture",
    "communication": "told",
}
UNREADABLE = {
    "empty": "The report has no text",
    "language": "The report does not seem to be in English",
    "template": "The report is an unfilled template",
}


def headline(content: dict[str, Any]) -> Finding | None:
    """Return the finding whose words stand for the case: the lesion that the reader scored, when affirmed.

    Without a lesion it is what presses on cord or nerves, else the first affirmed thing beside the lesions.
    """
    lesion = _chief(content["findings"], _scored(content, "B"))
    if lesion is not None and lesion["class"] == UNSPECIFIC:
        lesion = _called(content["findings"], lesion)
    return lesion or _chief(content["context_findings"], _scored(content, "N"))


def telling(content: dict[str, Any]) -> Finding | None:
    """Return the finding whose sentence a list shows: what presses on the cord, when that was scored."""
    scored = _scored(content, "N")
    pressing = [finding for finding in content["context_findings"] if scored.startswith(finding["name"])]
    return (_chief(pressing, scored) if scored else None) or headline(content)


def neural(content: dict[str, Any]) -> str:
    """Return what the reader says of cord, cauda equina and nerve roots; "" when it says nothing of them."""
    return _scored(content, "N").removesuffix(", present")


def in_a_line(content: dict[str, Any]) -> str:
    """Say in a line what the reading found: the lesion, and what presses on cord or nerves."""
    chief, pressing = headline(content), neural(content)
    said = [spoken(chief)] if chief is not None and (chief in content["findings"] or not pressing) else []
    if pressing and not any(part.startswith(pressing) for part in said):
        said.append(pressing)
    return " + ".join(said)


def _scored(content: dict[str, Any], rule: str) -> str:
    """Return the words of the term of the score that has this letter; they begin with a finding's name."""
    return next((str(reason["text"]) for reason in content["reasons"] if reason["rule"] == rule), "")


def _chief(findings: list[Finding], scored: str) -> Finding | None:
    """Return the affirmed finding that was scored, the surest, the one with a level, the first."""

    def rank(finding: Finding) -> tuple[bool, int, bool, int]:
        sure = AFFIRMED.index(finding["certainty"])
        return not scored.startswith(finding["name"]), sure, not finding["levels"], finding["start"]

    affirmed = [finding for finding in findings if finding["certainty"] in AFFIRMED]
    return min(affirmed, key=rank, default=None)


def _called(findings: list[Finding], lesion: Finding) -> Finding:
    """Return what the report calls a lesion that it first only describes: an abscess, not a collection.

    It must be affirmed as surely, for the same levels and in a common compartment.
    """
    for finding in findings:
        if (
            finding["certainty"] == lesion["certainty"]
            and finding["class"] in DIAGNOSES
            and finding["levels"]
            and finding["levels"] == lesion["levels"]
            and set(finding["compartments"]) & set(lesion["compartments"])
        ):
            return finding
    return lesion


def in_words(code: str) -> str:
    """Return a code such as `intradural_extramedullary` as people write it."""
    return code.replace("_", " ")


def spoken(finding: Finding) -> str:
    """Say a finding in words: what, how sure, at which level, in which compartment."""
    certainty = finding["certainty"]
    words = [finding["name"] if certainty == "present" else f"{finding['name']} ({certainty})"]
    words += [", ".join(finding["levels"])]
    words += [", ".join(map(in_words, finding["compartments"]))]
    return " · ".join(word for word in words if word)


@dataclass(frozen=True, slots=True)
class Told:
    """A detail as people read it, with the words of the report."""

    name: str
    value: str
    quote: str


def told(found: dict[str, Any]) -> list[Told]:
    """Return what the report says of a finding, or beside its findings; readings of old have no details."""
    lines = [
        Told(NAMED.get(detail["kind"], in_words(detail["kind"])), detail["value"], detail["quote"])
        for detail in found.get("details", ())
    ]
    elements = found.get("sins", ())
    if elements:
        points = sum(element["points"] for element in elements)
        known = (
            f"{len(elements)} of {SINS_ELEMENTS} known, {points} point{'' if points == 1 else 's'} so far: "
        )
        values = ", ".join(f"{e['kind']} {e['value']} ({e['points']})" for e in elements)
        lines.append(Told("SINS", known + values, "; ".join(e["quote"] for e in elements)))
    return lines


def sentence(text: str, start: int, end: int, reach: int = 160) -> tuple[str, str, str]:
    """Return the words before, at and after `text[start:end]` within their sentence or line.

    At most `reach` characters stand before and after; an ellipsis says that there is more.
    """
    # The end of a sentence is a full stop before a space: that leaves 3.5 cm whole.
    begin = max(
        text.rfind(mark, 0, start) + len(mark) if mark in text[:start] else 0 for mark in ("\n", ". ")
    )
    ends = [at + len(mark) - 1 for mark in ("\n", ". ") if (at := text.find(mark, end)) >= 0]
    before, after = text[begin:start].lstrip(), text[end : min(ends, default=len(text))]
    if len(before) > reach:
        before = "… " + before[-reach:].partition(" ")[2]
    if len(after) > reach:
        after = after[:reach].rpartition(" ")[0] + " …"
    # Without what turns the direction of writing around, in which 12 would read as 21.
    return TURNING.sub("", before), TURNING.sub("", text[start:end]), TURNING.sub("", after.rstrip())
