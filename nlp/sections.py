"""Which part of a report is what: headings in any form, or none."""

import re
from collections.abc import Mapping

from spacy.language import Language
from spacy.tokens import Doc

from nlp.page import Page, Section, page_of
from nlp.schema import Heading
from nlp.vocabulary import Vocabulary, current

_QUIET = ("indication", "history", "technique", "comparison")
_ORGAN = re.compile(r"(?:[.;]\s+|\n[ \t]*)([A-Z][A-Za-z/&\- ]{2,30}):")  # "Liver:", "Bone marrow:"
_PAUSES = (
    # A blank line, or a heading in capitals.
    re.compile(r"\S[ \t]*\r?\n(?:[ \t]*\r?\n\s*|(?=[A-Z][A-Z /&\-]{2,40}:))"),
    # A sentence that tells what is seen, in a report run together on one line.
    re.compile(
        r"[.;]\s+(?=(?:There (?:is|are)"
        r" (?!(?:a )?(?:concern|suspicion|clinical|history|question|weakness|numbness|pain))"
        r"|No evidence of|The (?:vertebra|cord|spinal|conus|alignment|marrow)"
        r"|Vertebra|Alignment|Normal (?:align|vert)))"
    ),
)


class Sections:
    """Cuts the text at its headings.

    A heading stands at the start of a line or after a full stop, and is followed by a colon or dash,
    or alone on its line. Text before the first heading counts as findings.
    """

    def __init__(self, vocabulary: Vocabulary) -> None:
        self.vocabulary = vocabulary
        self.kinds, self.regex = _heading_regex(vocabulary.rules.sections)

    def __call__(self, doc: Doc) -> Doc:
        """Lay out the sections of the page."""
        page = page_of(doc, self.vocabulary)
        page.sections = self.cut(page)
        return doc

    def cut(self, page: Page) -> list[Section]:
        """The sections in order, without gaps."""
        found = [Section(0, len(page.text), "findings", 0, titled=False)]
        for match in self.regex.finditer(page.text):
            kind = self.kinds[" ".join(match.group(1).lower().split())]
            found[-1].end = match.start(1)
            found.append(Section(match.start(1), len(page.text), kind, match.end()))
        found = [part for section in found for part in _until_pause(page, section)]
        return [s for s in found if s.end > s.start]


def _until_pause(page: Page, section: Section) -> list[Section]:
    """A section that asserts nothing ends at a blank line or an organ's heading; findings follow it."""
    if section.kind not in _QUIET:
        return [section]
    end = _pause(page, section)
    if end is None or not page.text[end : section.end].strip():
        return [section]
    return [
        Section(section.start, end, section.kind, section.body),
        Section(end, section.end, "findings", end, titled=False),
    ]


def _pause(page: Page, section: Section) -> int | None:
    ends = [m.end() for m in (p.search(page.text, section.body, section.end) for p in _PAUSES) if m]
    for match in _ORGAN.finditer(page.text, section.body, section.end):
        places = page.vocabulary.words.find(page.plain, match.start(1), match.end(1))
        if any(word.spine or word.weak or word.elsewhere for _, _, word in places):
            ends.append(match.start(1))
            break
    return min(ends, default=None)


def _heading_regex(sections: Mapping[str, Heading]) -> tuple[dict[str, str], re.Pattern[str]]:
    kinds = {name: kind for kind, heading in sections.items() for name in heading.headings}
    names = "|".join(re.escape(n).replace(r"\ ", r"[ \t]+") for n in sorted(kinds, key=len, reverse=True))
    # The first branch is a heading with a mark after it, the second one alone on its line.
    start, bracket = r"(?:^|[\n\r.;!?\]])[ \t>*#_\-]*", r"[ \t*_]*(?:\([^)\n]{1,40}\))?"
    regex = rf"{start}({names}){bracket}(?::|[ \t]-[ \t]|[ \t]*(?=[\r\n]))"
    return kinds, re.compile(regex, re.IGNORECASE)


@Language.factory("spinetriage_sections")
def _make(nlp: Language, name: str) -> Sections:
    return Sections(current())
