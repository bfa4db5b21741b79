"""The door of the reading room: a report's text in, a reading out."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
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
    details,
    diagnoses,
    fractures,
    lesions,
    levels,
    neural,
    notes,
    pressure,
    priority,
    red_flags,
    sections,
    sentences,
    sizes,
    stability,
    summary,
    trends,
)
from nlp.page import Page, new_page
from nlp.reading import Reading
from nlp.summary import summarize
from nlp.vocabulary import current

PIPELINE = (
    "sections",
    "sentences",
    "lesions",
    "pressure",
    "certainty",
    "levels",
    "trends",
    "compartments",
    "diagnoses",
    "neural",
    "sizes",
    "details",
    "fractures",
    "stability",
    "notes",
    "conflicts",
    "red_flags",
    "priority",
    "summary",
)


@cache
def language() -> Language:
    """The spaCy pipeline, built once a process from the configured rules.

    It reads like any other: `language().pipe([(text, context)], as_tuples=True, n_process=2)` gives documents
    whose `user_data["spinetriage"]` is the object of the JSON contract.
    """
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
    page = new_page(text, context, current())
    if page.hits:
        _run(page, PIPELINE[:-1])
    return summarize(page)


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


@cache
def _components() -> dict[str, Callable[[Doc], Doc]]:
    return {name.removeprefix("spinetriage_"): component for name, component in language().pipeline}


def _run(page: Page, names: Iterable[str]) -> None:
    """Send a page through components of the pipeline; they need the page only, not spaCy's tokens."""
    doc = Doc(language().vocab, user_data={"spinetriage": page})
    components = _components()
    for name in names:
        components[name](doc)
