"""Sentences fit for reports: numbered lists, headings, run-on dictation, wrapped lines."""

import dataclasses
import re

from spacy.language import Language
from spacy.tokens import Doc

from nlp.page import Page, Sentence, page_of
from nlp.vocabulary import Vocabulary, current

_SHORT = (
    "dr mr mrs ms prof st",
    "approx vs e.g i.e etc fig figs no cf incl resp max min",
    "lt rt sag ax a.p",
)


def _after_short_forms() -> str:
    """Lookbehinds that refuse a stop after "approx.", "Dr." or one letter; each is of one length."""
    lengths: dict[int, list[str]] = {1: ["[A-Za-z]"]}
    for word in " ".join(_SHORT).split():
        lengths.setdefault(len(word), []).append(re.escape(word))
    return "".join(rf"(?<![\s(\[\"'](?i:{'|'.join(words)})\.)" for words in lengths.values())


# A full stop ends a sentence unless it stands in a number or after one of the usual abbreviations.
# Every branch begins with the mark itself, so that the search skips the letters between.
_BREAK = re.compile(
    # Stop and space, not "ca. 3 cm".
    rf"[.!?]{_after_short_forms()}[\"')\]]?\s+(?:[\"“”•]\s*(?=[A-Z])|(?=\S))(?!(?<=\b[Cc]a\.\s)\d)"
    # Stop without space: "images.However", "at T9.2.No compression"; or at the end.
    r"|\.(?:(?<=[a-z]{3}\.)(?=[A-Z][a-z])|(?=[1-9]\.[A-Z])|[ \t]*\n+)"
    r"|[\"“”•](?<=\s[\"“”•])\s*(?=[A-Z])"  # quotation marks and dots as bullets
    r"|[1-9]\)(?<=\s\d\))\s+(?=[A-Z])"  # an item in a line: "Fracture of L1 2) No compression"
    r"|\n(?:[ \t]*\n\s*"  # blank line
    r"|(?=[ \t]*(?:[-*•·–]|\(?\d{1,2}[.)]|[A-Z][A-Za-z/ ]{1,40}:))|)"  # bullet, number or heading
)
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
        text = page.text
        paragraph = 0
        for section in page.sections:
            paragraph, start = paragraph + 1, section.start
            first = len(page.sentences)
            for match in _BREAK.finditer(text, start, section.end):
                at, following = match.span()
                mark = text[at]
                end = at + (1 if mark in ".!?" else 0 if mark == "\n" else -1)
                if end <= start or not _ends(text, start, end, following):
                    continue
                _append(page, Sentence(start, end, section.kind, paragraph, first))
                start = following
                if _ITEM.search(text, end, following):
                    paragraph, first = paragraph + 1, len(page.sentences)
            _append(page, Sentence(start, section.end, section.kind, paragraph, first))
        return doc


def _append(page: Page, sentence: Sentence) -> None:
    """Adds a sentence, cut where it is longer than any sentence."""
    while sentence.end - sentence.start > _LONGEST:
        start = sentence.start
        cut = page.text.rfind(" ", start + 1, start + _LONGEST) + 1 or start + _LONGEST
        page.sentences.append(dataclasses.replace(sentence, end=cut))
        sentence.start = cut
    if sentence.start < sentence.end:
        page.sentences.append(sentence)


def _ends(text: str, start: int, end: int, following: int) -> bool:
    """Whether the sentence that began at `start` ends at `end`, and another begins at `following`."""
    last, gap = text[end - 1], text[end:following]
    if last == "?" and (text[end - 2 : end - 1].isspace() or not text[following : following + 1].isupper()):
        return False  # a question mark before its subject: "? infective"
    said = gap.strip()
    if said[:1].isdigit():
        return text.count("(", start, end) <= text.count(")", start, end)  # not "(grade 2) With"
    if gap == " " or not _ITEM.search(gap):
        return last != "." or end - start > 4 or not _LIST_NUMBER.fullmatch(text, start, end)
    before = text[start:end].rstrip()[-1:]
    if said or gap.count("\n") > 1 or before in ".:;!?":
        return True
    after = text[following : following + 2].lstrip()
    if before == "," or after[:1].islower():
        return False
    line = end - max(text.rfind("\n", start, end) + 1, start)
    return line < _WRAPPED or not after[:1].isalpha()


@Language.factory("spinetriage_sentences")
def _make(nlp: Language, name: str) -> Sentences:
    return Sentences(current())


def paragraph_before(page: Page, index: int, limit: int = 8) -> range:
    """Indices of the earlier sentences in the same paragraph, nearest first."""
    return range(index - 1, max(page.sentences[index].first, index - limit) - 1, -1)
