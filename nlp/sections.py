"""Which part of a report is what: headings in any form, or none."""

import re
from bisect import bisect_left
from collections.abc import Mapping
from itertools import pairwise

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

_LINE = re.compile(r"[^\n,]\s*\n(?=[^\na-z]*[A-Z0-9])(?![ \t]*[a-z])")  # a line that does not run on
_STOP = re.compile(r"(?<=[^\d\W][.;])\s+(?=[A-Z\d])")
_ASKED = ("historical", "indication", "recommendation", "family", "possible")


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
        last = {s.kind: s.start for s in found if s.titled}
        told = last.get("findings", -1)
        concluded = max(told, last.get("impression", -1))
        found = [
            part
            for section in found
            for part in _until_pause(page, section, section.start > told, section.start > concluded)
        ]
        return [s for s in found if s.end > s.start]


def _until_pause(page: Page, section: Section, untold: bool, alone: bool) -> list[Section]:
    """A section that asserts nothing ends at a blank line or an organ's heading; findings follow it.

    Where no heading of findings follows (`untold`), it ends at its first line; where no impression follows
    either (`alone`), before the first sentence that states a lesion: what was found must stand somewhere.
    """
    if section.kind not in _QUIET:
        return [section]
    end = _pause(page, section)
    if untold:
        told = _told(page, section) if alone else None
        end = min((e for e in (end, _line(page, section), told) if e), default=None)
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


def _line(page: Page, section: Section) -> int | None:
    """Where the heading's own line ends, if text stands on it."""
    body = re.compile(r"[ \t]*\S").match(page.text, section.body, section.end)
    line = body and _LINE.search(page.text, body.end() - 1, section.end)
    return line.end() if line else None


def _told(page: Page, section: Section) -> int | None:
    """Where the first later sentence begins that states a lesion and does not ask or remember it."""
    stops = [m.end() for m in _STOP.finditer(page.text, section.body, section.end)]
    hits = bisect_left(page.hits, section.body, key=lambda hit: hit[0])
    for start, end in pairwise([*stops, section.end]):
        while hits < len(page.hits) and (page.hits[hits][0] < start or not page.hits[hits][2].concept):
            hits += 1
        stated = hits < len(page.hits) and page.hits[hits][0] < end
        if stated and not _asks(page, start, page.hits[hits][1]):
            return start
    return None


def _asks(page: Page, start: int, end: int) -> bool:
    cues = page.vocabulary.cues.find(page.plain, start, end)
    said = "?" in page.text[start : end + 2] or "known" in page.plain[start:end]
    return said or any(cue.label in _ASKED for _, _, group in cues for cue in group)


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
