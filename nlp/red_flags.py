"""Clinical warning words of indication and history, and age."""

import re
from collections.abc import Iterator

from spacy.language import Language
from spacy.tokens import Doc

from nlp.page import Page, page_of
from nlp.phrases import plain
from nlp.vocabulary import Vocabulary, current

# A denial before the words, until the patient's own story goes on; or another person.
_DENIED = re.compile(
    r"\b(?:no|not|nor|without|never|denies|denied|denying|nil|negative for|absence of|free of)\b"
    r"(?:(?!\b(?:but|however|although|has|have|had|who|now|presents?|presented|presenting|complains?)\b"
    r"|[,)] (?:with|known|history|hx|h o|previous|prior|new|and)\b)[^.;:]){0,60}$"
    r"|\b(?:family history of|fhx of|mother|father|parents?|aunt|uncle|brother|sister|grandfather|grandmother"
    r"|cousin)\b[^.;:]{0,60}$"
)
_GONE = re.compile(
    r"^[^.;:,]{0,25}\b(?:resolved|recovered|subsided|disappeared|absent|denied|excluded|ruled out)\b"
)
_CLINICAL = ("indication", "history")
_AGE = re.compile(r"^\s*0*(\d{1,3})\s*([YMWD]?)\s*$", re.IGNORECASE)
_BLANK = re.compile(r"\n[ \t]*\n")
_HEAD = 600  # characters of a report without headings that may hold the clinical story


class RedFlags:
    """Collects the names of the red flags, in the order of the configuration."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self.vocabulary = vocabulary
        self.names = (*vocabulary.rules.red_flags, "age_over_50")

    def __call__(self, doc: Doc) -> Doc:
        """Set the red flags of a page that holds any finding; elsewhere they would add nothing."""
        page = page_of(doc, self.vocabulary)
        if not page.mentions:
            return doc
        found = {name for start, end in _stories(page) for name in self._said(page.plain, start, end, page)}
        if indication := page.context.get("indication"):
            words = plain(str(indication))
            found |= set(self._said(words, 0, len(words)))
        age = years(page.context.get("patient_age"))
        if age is not None and age > self.vocabulary.rules.priority.clinical.age_over:
            found.add("age_over_50")
        page.red_flags = [name for name in self.names if name in found] if found else []
        return doc

    def _said(self, text: str, start: int, end: int, page: Page | None = None) -> Iterator[str]:
        """Names of the flags that a clinical text says and does not deny."""
        hits = self.vocabulary.red_flags.find(text, start, end)
        for s, e, names in hits:
            denied = _DENIED.search(text, max(start, s - 80), s)
            if denied and not any(a <= denied.start() < b for a, b, _ in hits):  # "not relieved by rest"
                continue
            if _GONE.match(text[e : e + 50]):
                continue
            if page and any(m.affirmed and m.start < e and s < m.end for m in page.mentions):
                continue  # "myelopathic cord signal", "metastatic deposit": what is seen is no history
            yield from names


def _stories(page: Page) -> Iterator[tuple[int, int]]:
    """Where the clinical story stands: in its sections, else at the start of what no heading names."""
    told = False
    for section in page.sections:
        if section.kind in _CLINICAL:
            told = True
            yield section.start, section.end
    first = page.sections[0]
    if not told and not first.titled:
        titled = len(page.sections) > 1
        paragraph = _BLANK.search(page.text, len(page.text) - len(page.text.lstrip())) if titled else None
        yield 0, min(_HEAD, first.end, paragraph.start() if paragraph else first.end)


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
