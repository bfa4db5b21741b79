"""Pressure said with a verb: what is pressed decides whether it is compression of the cord."""

import re

from spacy.language import Language
from spacy.tokens import Doc

from nlp.page import Mention, Page, page_of
from nlp.schema import STRUCTURES
from nlp.vocabulary import Vocabulary, Word, current

_CONCEPT = {
    ("cord", "compression"): "CORD_COMP",
    ("cauda", "compression"): "CES",
    ("sac", "compression"): "THECAL_EFF",
    ("other", "compression"): "THECAL_EFF",
    ("cord", "draping"): "CORD_COMP",
    ("cauda", "draping"): "CORD_ABUT",
    ("cord", "contact"): "CORD_ABUT",
    ("cauda", "contact"): "CORD_ABUT",
    ("cord", "displacement"): "CORD_ABUT",
    ("cauda", "displacement"): "CORD_ABUT",
    ("sac", "displacement"): "THECAL_EFF",
    ("canal", "compression"): "CANAL_NARROW",
    ("canal", "filling"): "CANAL_CROWD",
    ("sac", "filling"): "CANAL_CROWD",
    ("cauda", "filling"): "CANAL_CROWD",
    ("cord", "swelling"): "CORD_EXPAND",
    ("canal", "extension"): "EPI_EXTENSION",
}
_NAMED = {" cord": "cord", " conus": "cord", " conus medullaris": "cord", " cauda equina": "cauda"}
_AHEAD, _BEHIND, _LISTED = 55, 40, 30  # characters a verb reaches
_CLAUSE_END = re.compile(r"[;:]|\. |, (?:with|and there|the|no)\b| (?:but|however|without|which|no) ")
_PASSIVE = re.compile(
    r"\b(?:is|are|was|were|be|been|being|isn't|aren't|not|appears?|seems?)\s+(?:[^.;,:]{0,30}\band\s+)?(?:not\s+)?(?:\w+ly\s+)?$"
)
_PART_OF = re.compile(r"(?:\bits\b|\bwhose\b|, the [\w ]{0,25}\bof which\b)[^.;:,]{0,60}$")
_LIST = re.compile(r"\W*(?:and|or|both|as well as|&|/|the|left|right|,|\s)*\W*")


class Pressure:
    """Joins verbs of pressing to what they press, and adds the result as a mention."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self.vocabulary = vocabulary

    def __call__(self, doc: Doc) -> Doc:
        """Add mentions of compression and contact."""
        page = page_of(doc, self.vocabulary)
        added = []
        for start, end, term in page.hits:
            if term.grade:
                index = page.sentence_at(start)
                if page.sentences[index].section in ("technique", "signoff"):
                    continue
                structure = (
                    _entered(page, end, index)
                    if term.grade == "extension"
                    else _pressed(page, start, end, index)
                )
                concept = _CONCEPT.get((structure, term.grade))
                if concept:
                    added.append(Mention(start, end, self.vocabulary.concepts[concept], index))
        page.add(added)
        return doc


def _entered(page: Page, end: int, index: int) -> str:
    """ "canal" when the next place after a verb of growth is the canal or the epidural space."""
    for s, _, word in page.words(index):
        if s >= end and (word.place or word.elsewhere):
            return "canal" if word.place and word.place.canal and s - end <= _BEHIND else ""
    return ""


def _pressed(page: Page, start: int, end: int, index: int) -> str:
    """The structure pressed by the verb at [start, end): cord, cauda, sac, other, or "" for none near."""
    targets: list[tuple[int, int, str]] = [
        (s, e, structure)
        for s, e, word in page.words(index)
        if not (s < end and start < e) and (structure := word.target or _named(word, page.plain[s:e]))
    ]
    passive = (
        page.plain[start:end].split()[0].endswith("ed")
        and _PASSIVE.search(page.plain[max(0, start - 60) : start])
        and page.plain[end : end + 3] != " by"
    )
    ahead = [] if passive else [t for t in targets if t[0] >= end]
    if ahead and ahead[0][0] - end <= _AHEAD and not _CLAUSE_END.search(page.plain, end, ahead[0][0]):
        listed = [ahead[0]]
        for target in ahead[1:]:
            if target[0] - listed[-1][1] > _LISTED or not _LIST.fullmatch(
                page.plain[listed[-1][1] : target[0]]
            ):
                break
            listed.append(target)
        return min((t[2] for t in listed), key=STRUCTURES.index)
    behind = [t for t in targets if t[1] <= start]
    if behind and start - behind[-1][1] <= 2 * _BEHIND:
        gap = page.plain[behind[-1][1] : start]
        part = _PART_OF.search(gap)  # "the conus is displaced and its surface is effaced"
        if part:
            gap = gap[: part.start()]
        elif len(gap) > _BEHIND:
            return ""
        if gap == ": " or not _CLAUSE_END.search(gap):  # "Spinal cord: compressed by ..."
            return behind[-1][2]
    return ""


def _named(word: Word, words: str) -> str:
    """What a phrase of place ends with: "of the cord", "on the cauda equina"."""
    ends = (structure for name, structure in _NAMED.items() if words.endswith(name))
    return "" if word.elsewhere else next(ends, "")


@Language.factory("spinetriage_pressure")
def _make(nlp: Language, name: str) -> Pressure:
    return Pressure(current())
