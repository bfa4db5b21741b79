"""Sizes in millimetres, up to three axes; a size told of an earlier study is left out."""

import re

from spacy.language import Language
from spacy.tokens import Doc

from nlp.page import Mention, Page, page_of
from nlp.vocabulary import Vocabulary, current

_NUMBER = r"(\d{1,3}(?:[.,]\d{1,2})?)"
_UNIT = r"(mm|cm|millimet(?:er|re)s?|centimet(?:er|re)s?)"
_AXIS = r"(?:\s*\(?(?:AP|TR|CC|SI|transverse|craniocaudal|long|wide)\)?)?"
_SIZE = re.compile(
    rf"(?<![\w.]){_NUMBER}[\s-]*{_UNIT}?{_AXIS}"
    rf"(?:\s*(?:x|×|by|\*)\s*{_NUMBER}[\s-]*{_UNIT}?{_AXIS})?"
    rf"(?:\s*(?:x|×|by|\*)\s*{_NUMBER}[\s-]*{_UNIT}?{_AXIS})?",
    re.IGNORECASE,
)
_PRIOR = re.compile(r"(?:previously|was|prior|from|compared (?:with|to)|versus|earlier|before)[^.;)]{0,15}$")
_FAR = 120


class Sizes:
    """Gives each size to the nearest mention of its sentence."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self.vocabulary = vocabulary

    def __call__(self, doc: Doc) -> Doc:
        """Set `size_mm`."""
        page = page_of(doc, self.vocabulary)
        for index, mentions in page.by_sentence().items():
            sentence = page.sentences[index]
            if (
                "mm" not in page.plain[sentence.start : sentence.end]
                and "cm" not in page.plain[sentence.start : sentence.end]
            ):
                continue
            for match in _SIZE.finditer(page.text, sentence.start, sentence.end):
                size = _millimetres(match)
                if not size or _PRIOR.search(page.plain[max(0, match.start() - 30) : match.start()]):
                    continue
                _give(page, mentions, match.start(), match.end(), size)
        return doc


def _give(page: Page, mentions: list[Mention], start: int, end: int, size: tuple[float, ...]) -> None:
    nearest = min(mentions, key=lambda m: _gap(page, m, start, end))
    if not nearest.size_mm and _gap(page, nearest, start, end) < _FAR:
        nearest.size_mm = size


def _gap(page: Page, mention: Mention, start: int, end: int) -> int:
    """Characters between size and mention; a mention that follows must follow at once ("12 mm lesion")."""
    if mention.start < end:
        return max(start - mention.end, 0)
    gap = page.plain[end : mention.start]
    return len(gap) + (80 if len(gap) > 30 or " with " in gap or "," in gap else 0)


def _millimetres(match: re.Match[str]) -> tuple[float, ...]:
    numbers, units = match.groups()[::2], match.groups()[1::2]
    unit = next((u for u in reversed(units) if u), None)
    if unit is None:
        return ()
    # The unit stands once at the end, or with each axis.
    scales = [10.0 if (u or unit).lower().startswith("c") else 1.0 for u in units]
    return tuple(
        round(float(n.replace(",", ".")) * scale, 1) for n, scale in zip(numbers, scales, strict=True) if n
    )


@Language.factory("spinetriage_sizes")
def _make(nlp: Language, name: str) -> Sizes:
    return Sizes(current())
