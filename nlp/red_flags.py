"""Clinical warning words of indication and history, and age."""

import re
from collections.abc import Iterator

from spacy.language import Language
from spacy.tokens import Doc

from nlp.page import Page, page_of
from nlp.phrases import plain
from nlp.vocabulary import Vocabulary, current

_DENIED = re.compile(
    r"\b(?:no|not|without|denies|denied|nil|negative for|family history of|fhx of|mother|father|aunt|uncle"
    r"|brother"
    r"|sister|grandfather|grandmother|cousin)\b[^.;:]{0,50}$"
)
_CLINICAL = ("indication", "history")
_AGE = re.compile(r"^\s*0*(\d{1,3})\s*([YMWD]?)\s*$", re.IGNORECASE)
_HEAD = 600  # characters of a report without headings that may hold the clinical story


class RedFlags:
    """Collects the names of the red flags, in the order of the configuration."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self.vocabulary = vocabulary

    def __call__(self, doc: Doc) -> Doc:
        """Set the red flags of a page that holds any finding; elsewhere they would add nothing."""
        page = page_of(doc, self.vocabulary)
        if not page.mentions:
            return doc
        found = {name for text in _stories(page) for name in self.flags_in(text)}
        if (age := years(page.context.get("patient_age"))) is not None:
            limit = self.vocabulary.rules.priority.clinical.age_over
            found |= {"age_over_50"} if age > limit else set()
        page.red_flags = [name for name in (*self.vocabulary.rules.red_flags, "age_over_50") if name in found]
        return doc

    def flags_in(self, text: str) -> Iterator[str]:
        """Names of the flags said, and not denied, in a clinical text."""
        for start, _, names in self.vocabulary.red_flags.find(text):
            if not _DENIED.search(text[max(0, start - 60) : start]):
                yield from names


def _stories(page: Page) -> Iterator[str]:
    """The clinical texts: the sections, else the start of the report, and the context's own indication."""
    if indication := page.context.get("indication"):
        yield plain(str(indication))
    titled = [s for s in page.sections if s.kind in _CLINICAL]
    for section in titled:
        yield page.plain[section.start : section.end]
    if not titled and not any(s.titled for s in page.sections):
        yield page.plain[:_HEAD]


def years(age: object) -> float | None:
    """Age in years from a number or a DICOM age string such as '067Y', '018M'; None if unknown."""
    if isinstance(age, int | float) and not isinstance(age, bool):
        return float(age)
    match = _AGE.match(age) if isinstance(age, str) else None
    if match is None:
        return None
    return int(match.group(1)) / {"M": 12, "W": 52, "D": 365}.get(match.group(2).upper(), 1)


@Language.factory("spinetriage_red_flags")
def _make(nlp: Language, name: str) -> RedFlags:
    return RedFlags(current())
