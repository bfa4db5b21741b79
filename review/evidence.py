"""A report's text with what the reader found in it, as people see it; nothing is read anew here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

Finding = dict[str, Any]
AFFIRMED = ("present", "probable", "possible")
# Which class stands for a case when several were found.
CLASSES = (
    "malignant",
    "infection",
    "haemorrhage",
    "suspicious",
    "fracture",
    "vascular",
    "benign_tumor",
    "inflammatory",
    "cyst",
    "benign_other",
)
UNREADABLE = {
    "empty": "The report has no text",
    "language": "The report does not seem to be in English",
    "template": "The report is an unfilled template",
}


@dataclass(frozen=True, slots=True)
class Part:
    """A stretch of a text; `finding` is what marks it, None for plain text."""

    text: str
    finding: Finding | None = None


def headline(content: dict[str, Any]) -> Finding | None:
    """Return the finding whose words stand for the case: the chief lesion, as far as one is affirmed.

    The chief one is the surest, then the gravest, then one whose level is known, then the first in the text.
    Without a lesion it is what presses on cord or nerves, else the first affirmed thing beside the lesions.
    """
    lesions: list[Finding] = [finding for finding in content["findings"] if finding["certainty"] in AFFIRMED]
    if lesions:
        return min(lesions, key=_rank)
    beside: list[Finding] = [
        finding for finding in content["context_findings"] if finding["certainty"] in AFFIRMED
    ]
    pressing = neural(content)
    named = (finding for finding in beside if pressing.startswith(finding["name"]))
    return next(named, beside[0] if beside else None)


def neural(content: dict[str, Any]) -> str:
    """Return what the reader says of cord, cauda equina and nerve roots; "" when it says nothing of them."""
    said = (str(reason["text"]) for reason in content["reasons"] if reason["rule"] == "N")
    return next(said, "").removesuffix(", present")


def _rank(finding: Finding) -> tuple[int, int, bool, int]:
    kind = finding["class"]
    grave = CLASSES.index(kind) if kind in CLASSES else len(CLASSES)
    return AFFIRMED.index(finding["certainty"]), grave, not finding["levels"], finding["start"]


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
    return before, text[start:end], after.rstrip()


def marked(text: str, findings: list[Finding]) -> list[Part]:
    """Cut a text into parts so that each finding is marked; of overlapping ones the first has the words."""
    parts: list[Part] = []
    at = 0
    for finding in sorted(findings, key=lambda f: (f["start"], -f["end"])):
        start, end = max(finding["start"], at), finding["end"]
        if start >= end:
            continue
        if start > at:
            parts.append(Part(text[at:start]))
        parts.append(Part(text[start:end], finding))
        at = end
    if at < len(text):
        parts.append(Part(text[at:]))
    return parts
