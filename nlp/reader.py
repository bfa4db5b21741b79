"""The door of the reading room: a report's text in, a reading out."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from typing import Any

import spacy
from spacy.language import Language
from spacy.tokens import Doc

# Importing a component registers its factory.
from nlp import certainty as certainty_rules
from nlp import (  # noqa: F401
    compartments,
    conflicts,
    diagnoses,
    lesions,
    levels,
    neural,
    pressure,
    priority,
    red_flags,
    sections,
    sentences,
    sizes,
    trends,
)
from nlp.page import Mention, Page, new_page
from nlp.priority import NOTHING, Verdict
from nlp.reading import Finding, Reading, Reason
from nlp.schema import LESION_CLASSES
from nlp.unreadable import unreadable
from nlp.vocabulary import current

PIPELINE = (
    "sections",
    "sentences",
    "lesions",
    "pressure",
    "certainty",
    "levels",
    "trends",
    "sizes",
    "compartments",
    "diagnoses",
    "neural",
    "conflicts",
    "red_flags",
    "priority",
)


@cache
def language() -> Language:
    """The spaCy pipeline, built once a process from the configured rules."""
    built = spacy.blank("en")
    for name in PIPELINE:
        built.add_pipe(f"spinetriage_{name}")
    return built


def read(text: str, **context: Any) -> Reading:
    """Read one report.

    Parameters
    ----------
    text
        The report as received. Any string is read; none makes this fail.
    **context
        `modality`, `body_part`, `study_description`, `contrast`, `indication`, `patient_age` (a DICOM age
        such as '067Y', or years), `patient_sex`, `patient_class`, `study_date`. Others are ignored.

    Returns
    -------
    Reading
        `to_dict()` is the object of the JSON contract; offsets count characters of `text`.
    """
    vocabulary = current()
    page = new_page(text, context, vocabulary)
    if page.hits:
        _run(page, PIPELINE)
    verdict: Verdict = page.result or NOTHING
    reason = unreadable(page, vocabulary)
    if reason:
        floor = vocabulary.rules.priority.floors["U"]
        extra = Reason("U", f"{floor.text} ({reason})", tier=floor.tier)
        if verdict.tier == "routine":
            verdict = Verdict(floor.tier, verdict.score, verdict.neural, "U", (*verdict.reasons, extra))
        else:
            verdict = Verdict(
                verdict.tier, verdict.score, verdict.neural, verdict.decided_by, (*verdict.reasons, extra)
            )
    findings = [(m.concept.cls in LESION_CLASSES and not m.effect, _finding(page, m)) for m in page.mentions]
    return Reading(
        suspicious=verdict.tier != "routine",
        tier=verdict.tier,
        score=verdict.score,
        neural=verdict.neural,
        unreadable=reason,
        decided_by=verdict.decided_by,
        reasons=verdict.reasons,
        findings=tuple(f for lesion, f in findings if lesion),
        context_findings=tuple(f for lesion, f in findings if not lesion),
        red_flags=tuple(page.red_flags),
        conflicts=tuple(page.conflicts),
        rules_version=vocabulary.rules.version,
    )


def read_many(items: Iterable[tuple[str, Mapping[str, Any]]]) -> Iterator[Reading]:
    """Read (text, context) pairs one after the other, in order, holding one at a time."""
    for text, context in items:
        yield read(text, **context)


def certainty_of(text: str, spans: Sequence[tuple[int, int]]) -> list[tuple[str, str | None]]:
    """Certainty and cue of spans that somebody else marked.

    Parameters
    ----------
    text
        The report or sentence.
    spans
        (start, end) offsets in characters.

    Raises
    ------
    ValueError
        If a span lies outside the text or is empty.
    """
    for start, end in spans:
        if not 0 <= start < end <= len(text):
            raise ValueError(f"span ({start}, {end}) does not fit a text of {len(text)} characters")
    page = new_page(text, {}, current())
    _run(page, ("sections", "sentences"))
    return [certainty_rules.certainty_at(page, start, end) for start, end in spans]


def rules_version() -> str:
    """'sha256:…' over the loaded rule files and the code of this room."""
    return current().rules.version


def _run(page: Page, names: Iterable[str]) -> None:
    """Send a page through components of the pipeline; they need the page only, not spaCy's tokens."""
    pipeline = language()
    doc = Doc(pipeline.vocab, user_data={"spinetriage": page})
    for name in names:
        doc = pipeline.get_pipe(f"spinetriage_{name}")(doc)


def _finding(page: Page, m: Mention) -> Finding:
    return Finding(
        concept=m.concept.id,
        name=m.concept.name,
        cls=m.concept.cls,
        quote=page.text[m.start : m.end],
        start=m.start,
        end=m.end,
        certainty=m.certainty,
        cue=m.cue,
        compartments=m.compartments,
        compartment_basis=m.basis,
        levels=m.levels,
        size_mm=m.size_mm,
        trend=m.trend,
        section=page.sentences[m.sentence].section,
    )
