"""Findings and impression that disagree; the more urgent side counts, and a person is told."""

import re
from collections.abc import Iterator

from spacy.language import Language
from spacy.tokens import Doc

from nlp.page import Mention, Page, page_of
from nlp.vocabulary import Vocabulary, current

_LATE = ("impression", "addendum")
_SURE = ("present", "probable")
_CLASSES = ("compression", "infection", "haemorrhage", "malignant", "suspicious", "benign_tumor")
_TUMOURS = ("malignant", "suspicious", "benign_tumor")
_URGENT = ("CORD_COMP", "CES", "MSCC", "CONUS_SYN", "EPI_ABSC", "EPI_HEMAT", "DISCITIS")
_NEAR = 25  # characters in which a side speaks of a lesion
_SIDE = re.compile(r"\b(left|right)\b")
_CLEAR = re.compile(
    r"\bno (?:acute |significant )?abnormalit|\bnormal (?:mri|ct|study|examination|spine)"
    r"|\bunremarkable (?:mri|ct|study)"
)


class Conflicts:
    """Compares what findings and impression say of the same concept."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self.vocabulary = vocabulary

    def __call__(self, doc: Doc) -> Doc:
        """Set the conflicts of the page."""
        page = page_of(doc, self.vocabulary)
        by_concept: dict[str, list[Mention]] = {}
        for m in page.mentions:
            if m.concept.cls in _CLASSES and _section(page, m) in ("findings", *_LATE):
                by_concept.setdefault(m.concept.id, []).append(m)
        for mentions in by_concept.values():
            early = [m for m in mentions if _section(page, m) == "findings"]
            late = [m for m in mentions if _section(page, m) in _LATE]
            if early and late:
                page.conflicts += [
                    *_denied(page, early, late),
                    *_moved(early, late),
                    *_crossed(page, early, late),
                ]
        page.conflicts += [*_misplaced(page), *_all_clear(page)]
        return doc


def _denied(page: Page, early: list[Mention], late: list[Mention]) -> Iterator[str]:
    """Present in one part and absent in the other."""
    if not early[0].concept.spinal:
        return
    for one, other in ((early, late), (late, early)):
        if any(m.certainty in _SURE for m in one) and all(m.certainty == "absent" for m in other):
            yield (
                f"{one[0].concept.name}: said to be there in {_section(page, one[0])}, "
                f"absent in {_section(page, other[0])}"
            )


def _moved(early: list[Mention], late: list[Mention]) -> Iterator[str]:
    """One lesion, told at two different levels."""
    one, other = ({m.levels for m in part if m.affirmed and m.levels} for part in (early, late))
    if len(one) == len(other) == 1:
        here, there = one.pop(), other.pop()
        if len(here) == len(there) == 1 and "-" not in here[0] + there[0] and here != there:
            yield f"{early[0].concept.name}: {here[0]} in findings, {there[0]} in impression"


def _crossed(page: Page, early: list[Mention], late: list[Mention]) -> Iterator[str]:
    """One lesion, told on two sides."""
    one, other = ({side for m in part if m.affirmed for side in _sides(page, m)} for part in (early, late))
    if {*one, *other} == {"left", "right"} and len(one) == len(other) == 1:
        yield f"{early[0].concept.name}: {one.pop()} in findings, {other.pop()} in impression"


def _sides(page: Page, m: Mention) -> list[str]:
    sentence = page.sentences[m.sentence]
    return _SIDE.findall(page.plain, max(sentence.start, m.start - _NEAR), min(sentence.end, m.end + _NEAR))


def _misplaced(page: Page) -> Iterator[str]:
    """Tumours of one level that the findings put elsewhere than the impression: inside the dura, outside."""
    told: dict[str, tuple[set[str], set[str]]] = {}
    for m in page.mentions:
        if m.sure and m.basis == "explicit" and m.concept.cls in _TUMOURS and not m.absorbed:
            for level in m.levels:
                early, late = told.setdefault(level, (set(), set()))
                (late if _section(page, m) in _LATE else early).update(m.compartments)
    for level, (early, late) in told.items():
        if early and late and early.isdisjoint(late):
            names = (" and ".join(sorted(part)).replace("_", "-") for part in (early, late))
            yield "lesion at {}: {} in findings, {} in impression".format(level, *names)


def _all_clear(page: Page) -> Iterator[str]:
    """An impression that calls everything normal after findings that do not."""
    serious = [m for m in page.mentions if m.certainty in _SURE and m.concept.cls in _CLASSES]
    late = [s for s in page.sections if s.kind in _LATE]
    if any(m.concept.id in _URGENT for m in serious) and not any(_section(page, m) in _LATE for m in serious):
        for section in late:
            if _CLEAR.search(page.plain, section.start, section.end):
                yield f"{serious[0].concept.name} in findings, nothing acute in {section.kind}"


def _section(page: Page, m: Mention) -> str:
    return page.sentences[m.sentence].section


@Language.factory("spinetriage_conflicts")
def _make(nlp: Language, name: str) -> Conflicts:
    return Conflicts(current())
