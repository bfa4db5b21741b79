"""The door of the reading room: a report's text in, a reading out."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cache
from typing import Any

import spacy
from spacy.language import Language
from spacy.tokens import Doc
from spacy.vocab import Vocab

# Importing a component registers its factory.
from nlp.certainty import Certainty, certainty_at
from nlp.compartments import Compartments
from nlp.conflicts import Conflicts
from nlp.details import Details
from nlp.diagnoses import Diagnoses
from nlp.fractures import Fractures
from nlp.lesions import Lesions
from nlp.levels import Levels
from nlp.neural import Neural
from nlp.notes import Notes
from nlp.page import Page, new_page
from nlp.pressure import Pressure
from nlp.priority import Priority
from nlp.reading import Reading
from nlp.red_flags import RedFlags
from nlp.sections import Sections
from nlp.sentences import Sentences
from nlp.sizes import Sizes
from nlp.stability import Stability
from nlp.summary import Summary, summarize
from nlp.trends import Trends
from nlp.vocabulary import Vocabulary, current

# The parts of a reading in their order; spaCy knows each by the name `spinetriage_…`.
COMPONENTS: dict[str, Callable[[Vocabulary], Callable[[Doc], Doc]]] = {
    "sections": Sections,
    "sentences": Sentences,
    "lesions": Lesions,
    "pressure": Pressure,
    "certainty": Certainty,
    "levels": Levels,
    "trends": Trends,
    "compartments": Compartments,
    "diagnoses": Diagnoses,
    "neural": Neural,
    "sizes": Sizes,
    "details": Details,
    "fractures": Fractures,
    "stability": Stability,
    "notes": Notes,
    "conflicts": Conflicts,
    "red_flags": RedFlags,
    "priority": Priority,
    "summary": Summary,
}
PIPELINE = tuple(COMPONENTS)


class Reader:
    """Reads by one set of rules; several readers may stand side by side, each with rules of its own.

    Parameters
    ----------
    vocabulary
        As `nlp.vocabulary.compile_rules` makes it.
    """

    def __init__(self, vocabulary: Vocabulary) -> None:
        self.vocabulary = vocabulary
        self._components = [make(vocabulary) for make in COMPONENTS.values()]
        self._words = Vocab()  # spaCy wants one; no component looks at its words

    def read(self, text: str, **context: Any) -> Reading:
        """Read one report, as the function `read` says."""
        page = new_page(text, context, self.vocabulary)
        if page.hits:
            self._run(page, len(COMPONENTS) - 1)
        return summarize(page)

    def certainty_of(self, text: str, spans: Sequence[tuple[int, int]]) -> list[tuple[str, str | None]]:
        """Tell certainty and cue of spans, as the function `certainty_of` says."""
        for start, end in spans:
            if not 0 <= start < end <= len(text):
                raise ValueError(f"span ({start}, {end}) does not fit a text of {len(text)} characters")
        page = new_page(text, {}, self.vocabulary)
        self._run(page, PIPELINE.index("sentences") + 1)
        return [certainty_at(page, start, end) for start, end in spans]

    def _run(self, page: Page, components: int) -> None:
        """Send a page through the first components; they need the page only, not spaCy's tokens."""
        doc = Doc(self._words, user_data={"spinetriage": page})
        for component in self._components[:components]:
            component(doc)


@cache
def _usual() -> Reader:
    return Reader(current())


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
    return _usual().read(text, **context)


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
    return _usual().certainty_of(text, spans)


def rules_version() -> str:
    """'sha256:…' over the loaded rule files and the code of this room."""
    return current().rules.version
