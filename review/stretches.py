"""A text cut into stretches, so that every mark on it shows, whatever marks lie over each other."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import pairwise

from django.utils.html import escape
from django.utils.safestring import SafeString

# A heading stands at the start of a line or sentence: in capitals, or one of the usual words.
_USUAL = (
    "indications?|(?:past |clinical )*(?:medical )?history|clinical (?:details|information|"
    "indication|question)|reason for (?:exam|study)|technique|comparison|findings|"
    "impression|conclusion|opinion|summary|recommendations?|addendum|report"
)
_HEADING = re.compile(
    rf"(?:^[ \t]*|(?<=\. ))((?:[A-Z][A-Z]+(?:[ /&-][A-Z]+){{0,5}}|(?i:{_USUAL}))[ \t]*:)", re.MULTILINE
)

TURNING = re.compile("[\u202a-\u202e\u2066-\u2069]")  # Unicode's characters for bidirectional formatting


@dataclass(frozen=True, slots=True)
class Mark:
    """Something said of `text[start:end]`.

    `anchor` is the element's id, `kind` its class, `badge` the words behind it, `leads_to` the id of the
    element that tells more, `title` the whole of it in words.
    """

    start: int
    end: int
    anchor: str
    kind: str
    badge: str
    leads_to: str
    title: str = ""


@dataclass(frozen=True, slots=True)
class Stretch:
    """A piece of the text under the same marks from its first to its last character."""

    text: str
    marks: tuple[tuple[Mark, bool], ...] = ()  # the outer first; and whether the mark begins here
    ending: tuple[Mark, ...] = field(default=())  # the marks whose badge stands behind this piece
    is_heading: bool = False

    @property
    def exact(self) -> SafeString:
        """The text for a page, character by character: a browser would turn a bare CR into a line feed.

        What turns the direction of writing around stands in the page but does nothing: 12 would read as 21.
        """
        text = escape(self.text).replace("\r", "&#13;")
        return SafeString(TURNING.sub(r'<span class="turning">\g<0></span>', text))  # escaped above


def fitting(text: str, marks: Iterable[Mark]) -> list[Mark]:
    """Return the marks that have words in the text; others cannot be shown in it."""
    return [mark for mark in marks if 0 <= mark.start < mark.end <= len(text)]


def stretches(text: str, marks: Iterable[Mark]) -> list[Stretch]:
    """Cut a text at the ends of its marks and headings; joined, the pieces are the text."""
    begins: dict[int, list[Mark]] = defaultdict(list)
    cuts = {0, len(text)}
    for mark in fitting(text, marks):
        begins[mark.start].append(mark)
        cuts |= {mark.start, mark.end}
    headings = [match.span(1) for match in _HEADING.finditer(text)]
    for span in headings:
        cuts.update(span)
    starts = [start for start, _ in headings]
    pieces: list[Stretch] = []
    over: list[Mark] = []
    for start, end in pairwise(sorted(cuts)):
        over = [mark for mark in over if mark.end > start]
        over += begins.get(start, [])
        over.sort(key=lambda mark: (mark.start, -mark.end))
        at = bisect_right(starts, start) - 1
        pieces.append(
            Stretch(
                text[start:end],
                tuple((mark, mark.start == start) for mark in over),
                tuple(mark for mark in reversed(over) if mark.end == end),
                at >= 0 and start < headings[at][1],
            )
        )
    return pieces
