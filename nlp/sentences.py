"""Sentences fit for reports: numbered lists, headings, run-on dictation, wrapped lines."""

import dataclasses
import re

from spacy.language import Language
from spacy.tokens import Doc

from nlp.page import Page, Sentence, page_of
from nlp.vocabulary import Vocabulary, current

# A full stop ends a sentence unless it stands in a number or after one of the usual abbreviations.
# Every branch begins with the mark itself, so that the search skips the letters between.
_BREAK = re.compile(
    r"[.!?][\"')\]]?\s+(?:[\"“”•]\s*(?=[A-Z])|(?=\S))(?!(?<=\b[Cc]a\.\s)\d)"  # stop and space, not "ca. 3 cm"
    r"|\.(?:(?<=[a-z]{3}\.)(?=[A-Z][a-z])|[ \t]*\n+)"  # stop without space: "images.However"; or at the end
    r"|[\"“”•](?<=\s[\"“”•])\s*(?=[A-Z])"  # quotation marks and dots as bullets
    r"|[1-9]\)(?<=\s\d\))\s+(?=[A-Z])"  # an item in a line: "Fracture of L1 2) No compression"
    r"|\n(?:[ \t]*\n\s*"  # blank line
    r"|(?=[ \t]*(?:[-*•·–]|\(?\d{1,2}[.)]|[A-Z][A-Za-z/ ]{1,40}:))|)"  # bullet, number or heading
)
_TITLES = ("dr", "mr", "mrs", "ms", "prof", "st")
_SHORT = (
    "approx",
    "vs",
    "e.g",
    "i.e",
    "etc",
    "fig",
    "figs",
    "no",
    "lt",
    "rt",
    "cf",
    "incl",
    "resp",
    "max",
    "min",
)
_ABBREVIATIONS = frozenset((*_TITLES, *_SHORT, "sag", "ax", "a.p"))
_LIST_NUMBER = re.compile(r"\s*\(?\d{1,2}[.)]\s*")
_ITEM = re.compile(r"[\n\"“”•]")
_LONGEST = 800  # characters of a sentence; what is longer has lost its full stops
_WRAPPED = 55  # a line shorter than this was ended on purpose


class Sentences:
    """Cuts every section into sentences; a paragraph is a run of sentences on one line or block."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self.vocabulary = vocabulary

    def __call__(self, doc: Doc) -> Doc:
        """Lay out the sentences of the page."""
        page = page_of(doc, self.vocabulary)
        paragraph = first = 0
        for section in page.sections:
            start = section.start
            for match in _BREAK.finditer(page.text, section.start, section.end):
                mark = page.text[match.start()]
                end = match.start() + (1 if mark in ".!?" else 0 if mark == "\n" else -1)
                if end <= start or not _ends(page.text, start, end, match.end()):
                    continue
                first = _append(page, Sentence(start, end, section.kind, paragraph, first))
                start = match.end()
                paragraph += _ITEM.search(page.text, end, start) is not None
            first = _append(page, Sentence(start, section.end, section.kind, paragraph, first))
            paragraph += 1
        return doc


def _append(page: Page, sentence: Sentence) -> int:
    """Adds a sentence, cut where it is longer than any sentence; returns where its paragraph begins."""
    if page.sentences and page.sentences[-1].paragraph != sentence.paragraph:
        sentence.first = len(page.sentences)
    while sentence.end - sentence.start > _LONGEST:
        start = sentence.start
        cut = page.text.rfind(" ", start + 1, start + _LONGEST) + 1 or start + _LONGEST
        page.sentences.append(dataclasses.replace(sentence, end=cut))
        sentence.start = cut
    if sentence.start < sentence.end:
        page.sentences.append(sentence)
    return sentence.first


def _ends(text: str, start: int, end: int, following: int) -> bool:
    """Whether the sentence that began at `start` ends at `end`, and another begins at `following`."""
    last = text[end - 1]
    if last == "?" and (text[end - 2 : end - 1].isspace() or not text[following : following + 1].isupper()):
        return False  # a question mark before its subject: "? infective"
    gap = text[end:following]
    if gap.strip()[:1].isdigit():
        return text.count("(", start, end) <= text.count(")", start, end)  # not "(grade 2) With"
    if gap == " " or not _ITEM.search(gap):
        return last != "." or not (_abbreviated(text, start, end) or _LIST_NUMBER.fullmatch(text, start, end))
    if (
        gap.strip()
        or gap.count("\n") > 1
        or (last if not last.isspace() else text[start:end].rstrip()[-1:]) in ".:;!?"
    ):
        return True
    after = text[following : following + 2].lstrip()
    if text[start:end].rstrip().endswith(",") or after[:1].islower():
        return False
    line = end - max(text.rfind("\n", start, end) + 1, start)
    return line < _WRAPPED or not after[:1].isalpha()


def _abbreviated(text: str, start: int, end: int) -> bool:
    """Whether the full stop before `end` stands after a short form: "approx.", "Dr.", or one letter."""
    word = text[max(text.rfind(" ", start, end), text.rfind("\n", start, end), start - 1) + 1 : end - 1]
    word = word.lstrip("([\"'")
    return (len(word) == 1 and word.isalpha()) or word.lower() in _ABBREVIATIONS


@Language.factory("spinetriage_sentences")
def _make(nlp: Language, name: str) -> Sentences:
    return Sentences(current())


def paragraph_before(page: Page, index: int, limit: int = 8) -> range:
    """Indices of the earlier sentences in the same paragraph, nearest first."""
    return range(index - 1, max(page.sentences[index].first, index - limit) - 1, -1)
