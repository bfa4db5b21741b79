"""Which lesion a describing word belongs to: the nearest of its sentence, else the one still spoken of."""

import re
from collections.abc import Iterable

from nlp.described import Said
from nlp.page import Mention, Page
from nlp.schema import LESION_CLASSES

_GOES_ON = (
    "it ",
    "its ",
    "this ",
    "these ",
    "they ",
    "the lesion",
    "the mass",
    "the tum",
    "the collection",
    "the nod",
)
_NEW = re.compile(r"\b(?:and|with|without|but|no)\b|[,;]")
_APART = 40  # characters that a new part of the sentence counts as
_OTHER = re.compile(r"\b(?:new|another|additional\w*|second|separate|further|also|elsewhere|others?)\b")
_OPENING = 60  # characters in which a sentence says that it speaks of something else
_LOSSES = ("HEIGHT_LOSS", "MINOR_HEIGHT_LOSS")
_BACK = 2  # sentences that go on about one lesion


def lesions_of(page: Page, index: int) -> list[Mention]:
    """The lesions of a sentence, or the last one of the sentences before when it only goes on about that.

    Denied lesions are among them, so that "no rim-enhancing collection" describes nothing else.
    """
    if index not in page.spoken_of:
        page.spoken_of[index] = _lesions_of(page, index)
    return page.spoken_of[index]


def _lesions_of(page: Page, index: int) -> list[Mention]:
    here = _lesions(page, index) or [m for m in page.in_sentence(index) if m.effect]
    signs = page.vocabulary.rules.priority.groups["signal"]
    if any(m.affirmed or not (m.concept.cls == "fracture" or m.concept.id in signs) for m in here):
        return here
    return earlier(page, index) if _goes_on(page, index) else []


def earlier(page: Page, index: int) -> list[Mention]:
    """The affirmed lesion last spoken of in the sentences before, of the same section."""
    section = page.sentences[index].section
    for before in range(index - 1, max(index - 1 - _BACK, -1), -1):
        there = _lesions(page, before)
        if page.sentences[before].section != section:
            return []
        if there:
            return [m for m in there if m.affirmed][-1:]
    return []


def _lesions(page: Page, index: int) -> list[Mention]:
    """The lesions of a sentence; signal beside one describes it and is none."""
    return [m for m in page.in_sentence(index) if m.concept.cls in LESION_CLASSES and not m.effect]


def _goes_on(page: Page, index: int) -> bool:
    """Whether a sentence without a lesion names no other place, or begins by pointing back."""
    sentence = page.sentences[index]
    if page.plain.startswith(_GOES_ON, sentence.start):
        return True
    if _OTHER.search(page.plain, sentence.start, min(sentence.end, sentence.start + _OPENING)):
        return False
    if any(m.concept.cls not in (*LESION_CLASSES, "compression") for m in page.in_sentence(index)):
        return False
    return not any(w.elsewhere or w.disc for _, _, w in page.words(index))


def is_effect(m: Mention, said: Said) -> bool:
    """Whether a mention of a fracture is only what it did: "loss of height", "collapse", "retropulsion"."""
    effects = (*said.get("height", ()), *said.get("retropulsion", ()))
    return m.concept.id in _LOSSES or any(s <= m.start and m.end <= e for s, e, _ in effects)


def nearest(page: Page, mentions: Iterable[Mention], start: int, end: int) -> Mention | None:
    """The mention nearest to the words at [start, end); of "lytic metastases" it is the noun."""
    there = list(mentions)
    found = min(there, key=lambda m: gap(page, m.start, m.end, start, end), default=None)
    return noun(there, found) if found else None


def noun(mentions: Iterable[Mention], mention: Mention) -> Mention:
    """The mention that follows at once, which a describing one only qualifies: "lytic metastasis"."""
    return next((m for m in mentions if m.start == mention.end + 1), mention)


def gap(page: Page, one: int, one_end: int, start: int, end: int) -> int:
    """Characters between two stretches; commas count as some, a semicolon as many."""
    if one < end and start < one_end:
        return 0
    low, high = (one_end, start) if one_end <= start else (end, one)
    # What follows is meant only when nothing is said between: "rim enhancement and a dural tail".
    apart = _APART if low == end and _NEW.search(page.plain, low, high) else 0
    return apart + high - low + 12 * page.plain.count(",", low, high) + 60 * page.plain.count(";", low, high)
