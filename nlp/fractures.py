"""Kind, age, loss of height and retropulsion of each fracture."""

import re

from spacy.language import Language
from spacy.tokens import Doc

from nlp.described import Said, Words
from nlp.details import beside, denial, put
from nlp.owners import earlier, gap, is_effect, lesions_of, nearest
from nlp.page import Mention, Page, page_of
from nlp.vocabulary import Vocabulary, current

_KINDS = frozenset(("fracture", "fracture_age", "oedema", "height", "retropulsion"))
_BEFORE = re.compile(r"[\s,]*(?:(?:and|or|type)[\s,]*)*")
_BREAKS = ("fracture", "malignant", "suspicious", "benign_tumor", "infection")  # what takes height
_MORE_LOSS = re.compile(r"\b(?:further|additional|new|interval|progress\w*|significant change)\b")
_OLD = ("chronic", "old", "healed")
_AGE_FAR, _HEIGHT_FAR = 45, 40  # characters
_PERCENT = re.compile(
    r"(?:(greater than|more than|over|at least|exceeding|>|≥|less than|under|below|<|≤|up to)\s*)?"
    r"(?<![\d.])(\d{1,3})(?:\s*%?\s*(?:-|–|to|\s)\s*(\d{1,3}))?\s*(?:%|percent|per cent)"
)
_MORE = ("greater than", "more than", "over", "at least", "exceeding", ">", "≥")
_PUSHED = re.compile(
    r"(\d{1,2}(?:[.,]\d)?)[\s-]*mm[\s-]*(?:of )?(?:\w+ )?retropul"
    r"|retropul\w*(?: \w+){0,2}?(?: of| by| measuring| up to| approximately)* (\d{1,2}(?:[.,]\d)?)[\s-]*mm"
)


class Fractures:
    """Adds the details of fractures, and of lesions whose vertebra lost height."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self.vocabulary = vocabulary

    def __call__(self, doc: Doc) -> Doc:
        """Fill `details` of mentions."""
        page = page_of(doc, self.vocabulary)
        if not page.has_lesion:
            return doc
        for index, said in page.said().items():
            if not _KINDS.isdisjoint(said):
                lesions = [m for m in lesions_of(page, index) if m.affirmed]
                if lesions:
                    _kinds(page, index, said, lesions)
                    _ages(page, index, said, lesions)
                    _heights(page, index, said, lesions)
                    _retropulsion(page, index, said, lesions)
        return doc


def _broken(said: Said, lesions: list[Mention]) -> list[Mention]:
    return [m for m in lesions if m.concept.cls == "fracture" and not is_effect(m, said)]


def _kinds(page: Page, index: int, said: Said, lesions: list[Mention]) -> None:
    """The words of kind inside a fracture's own words or right before them."""
    for m in _broken(said, lesions):
        kinds = [
            words
            for words in said.get("fracture", ())
            if words[0] < m.end and (words[1] > m.start or _BEFORE.fullmatch(page.plain, words[1], m.start))
        ]
        if kinds:
            value = " ".join(dict.fromkeys(v for _, _, v in kinds))
            put(m, page, "fracture", value, kinds[0][0], max(e for _, e, _ in kinds))


def _ages(page: Page, index: int, said: Said, lesions: list[Mention]) -> None:
    """Age by words, else by oedema; never against what counts as old for the urgency."""
    for kind in ("fracture_age", "oedema"):
        for start, end, value in said.get(kind, ()):
            m = nearest(page, _broken(said, lesions), start, end)
            if m is None or any(d.kind == "fracture_age" for d in m.details):
                continue
            denied = denial(page, index, start, end)
            told = value if denied is None else "chronic" if kind == "oedema" else ""
            near = kind == "oedema" or gap(page, m.start, m.end, start, end) < _AGE_FAR
            if told and near and (told in _OLD) == m.old:
                put(m, page, "fracture_age", told, start if denied is None else denied, end)


def _principal(page: Page, said: Said, lesions: list[Mention], start: int, end: int) -> Mention | None:
    """The lesion that lost height: the nearest one that is not the loss itself, a fracture first."""
    named = [m for m in lesions if not is_effect(m, said)] or earlier(page, lesions[0].sentence)
    named = [m for m in named if m.concept.cls in _BREAKS]
    return nearest(page, _broken(said, lesions) or named or lesions, start, end)


def _heights(page: Page, index: int, said: Said, lesions: list[Mention]) -> None:
    heads = said.get("height", [])
    if not heads:
        return
    shares = _shares(page, index, said)
    if not shares:
        _height_words(page, index, said, lesions)
    rivals = [*((words, True) for words in heads), *((words, False) for words in said.get("no_height", ()))]
    for start, end, value in shares:
        owner, is_height = min(rivals, key=lambda r: gap(page, r[0][0], r[0][1], start, end))
        if is_height and gap(page, owner[0], owner[1], start, end) < _HEIGHT_FAR:
            lesion = _principal(page, said, lesions, start, end)
            put(lesion, page, "height_loss", value, min(start, owner[0]), max(end, owner[1]))


def _height_words(page: Page, index: int, said: Said, lesions: list[Mention]) -> None:
    """Loss of height in words: mild, moderate, none."""
    for start, end, value in said["height"]:
        denied = denial(page, index, start, end)
        first, last, told = beside(page, said.get("height_how", []), start, end)
        if value != "present":
            first, last, told = start, end, [value]
        elif denied is not None:
            # "No further loss" says nothing of what is lost.
            first, last, told = denied, end, [] if _MORE_LOSS.search(page.plain, denied, end) else ["none"]
        if told:
            lesion = _principal(page, said, lesions, start, end)
            put(lesion, page, "height_loss", " ".join(dict.fromkeys(told)), first, last)


def _shares(page: Page, index: int, said: Said) -> list[Words]:
    """Percentages and fractions of a sentence."""
    found = list(said.get("share", ()))
    sentence = page.sentences[index]
    for m in _PERCENT.finditer(page.plain, sentence.start, sentence.end):
        sign = "" if not m[1] else "> " if m[1] in _MORE else "< "
        found.append((m.start(), m.end(), f"{sign}{m[2]}{'-' + m[3] if m[3] else ''} %"))
    return found


def _retropulsion(page: Page, index: int, said: Said, lesions: list[Mention]) -> None:
    for start, end, value in said.get("retropulsion", ()):
        lesion = _principal(page, said, lesions, start, end)
        denied = denial(page, index, start, end)
        sentence = page.sentences[index]
        measured = _PUSHED.search(page.plain, sentence.start, sentence.end)
        if denied is not None:
            put(lesion, page, "retropulsion", "none", denied, end)
        elif measured:
            told = (measured[1] or measured[2]).replace(",", ".")
            put(lesion, page, "retropulsion", f"{told} mm", *measured.span())
        else:
            put(lesion, page, "retropulsion", value, start, end)


@Language.factory("spinetriage_fractures")
def _make(nlp: Language, name: str) -> Fractures:
    return Fractures(current())
