"""Which part of a report is what: headings in any form, or none."""

import re
from bisect import bisect_left
from itertools import pairwise

from spacy.language import Language
from spacy.tokens import Doc

from nlp.page import Page, Section, page_of
from nlp.vocabulary import Vocabulary, current

_QUIET = ("indication", "history", "technique", "comparison")
_ORGAN = re.compile(r"(?:[.;]\s+|\n[ \t]*)([A-Z][A-Za-z/&\- ]{2,30}):")  # "Liver:", "Bone marrow:"
_PAUSES = (
    # A blank line, or a heading in capitals.
    re.compile(r"\n(?:[ \t]*\r?\n\s*|(?=[A-Z][A-Z /&\-]{2,40}:))"),
    # A sentence that tells what is seen, in a report run together on one line.
    re.compile(
        r"[.;]\s+(?=(?:There (?:is|are)"
        r" (?!(?:a )?(?:concern|suspicion|clinical|history|question|weakness|numbness|pain))"
        r"|No evidence of|The (?:vertebra|cord|spinal|conus|alignment|marrow)"
        r"|Vertebra|Alignment|Normal (?:align|vert)))"
    ),
)

# What follows a heading: a colon, a dash, or nothing on its line.
_MARK = re.compile(r"[ \t*_]*(?:\([^)\n]{1,40}\))?(?:[:\]]|[ \t]-[ \t]|[ \t]*(?=[\r\n]))")
_BODY = re.compile(r"\s*\S")
_LINE = re.compile(r"\n(?=[^\na-z]*[A-Z0-9])(?![ \t]*[a-z])")  # what follows does not run on
_STOP = re.compile(r"[.;](?<=[^\d\W].)\s+(?=[A-Z\d])")
_ASKED = ("historical", "indication", "recommendation", "family", "possible")


class Sections:
    """Cuts the text at its headings.

    A heading stands at the start of a line or after a full stop, and is followed by a colon or dash,
    or alone on its line. Text before the first heading counts as findings.
    """

    def __init__(self, vocabulary: Vocabulary) -> None:
        self.vocabulary = vocabulary

    def __call__(self, doc: Doc) -> Doc:
        """Lay out the sections of the page."""
        page = page_of(doc, self.vocabulary)
        page.sections = self.cut(page)
        return doc

    def cut(self, page: Page) -> list[Section]:
        """The sections in order, without gaps."""
        found = [Section(0, len(page.text), "findings", 0, titled=False)]
        for start, end, kind in page.around[1]:
            mark = _MARK.match(page.text, end)
            if mark and _begins(page.text, start):
                found[-1].end = start
                found.append(Section(start, len(page.text), kind, mark.end()))
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
    body = _BODY.match(page.text, section.body, section.end)
    if not body:
        return None
    ends = [m.end() for m in (p.search(page.text, body.end() - 1, section.end) for p in _PAUSES) if m]
    for match in _ORGAN.finditer(page.text, section.body, section.end):
        first, last = match.span(1)
        named = (word for s, e, word in page.around[0] if first <= s and e <= last)
        if any(word.spine or word.weak or word.elsewhere for word in named):
            ends.append(match.start(1))
            break
    return min(ends, default=None)


def _line(page: Page, section: Section) -> int | None:
    """Where the heading's own line ends, if text stands on it."""
    body = _BODY.match(page.text, section.body, section.end)
    if not body or "\n" in body.group():
        return None
    lines = _LINE.finditer(page.text, body.end() - 1, section.end)
    return next(
        (m.end() for m in lines if not page.text[body.start() : m.start()].rstrip().endswith(",")), None
    )


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


def _begins(text: str, at: int) -> bool:
    """Whether a line or a statement begins here, bullets and marks before it aside.

    Several spaces stand for the line break that some exports lose.
    """
    before = at
    while at and text[at - 1] in " \t>*#_-[":
        at -= 1
    return before - at > 2 or not at or text[at - 1] in "\n\r.;!?]"


@Language.factory("spinetriage_sections")
def _make(nlp: Language, name: str) -> Sections:
    return Sections(current())
