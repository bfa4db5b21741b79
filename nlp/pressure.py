"""Pressure said with a verb: what is pressed decides whether it is compression of the cord."""

import re

from spacy.language import Language
from spacy.tokens import Doc

from nlp.lesions import stays
from nlp.page import Mention, Page, page_of
from nlp.schema import STRUCTURES
from nlp.vocabulary import Vocabulary, Word, current

_CONCEPT = {
    ("cord", "compression"): "CORD_COMP",
    ("cauda", "compression"): "CES",
    ("sac", "compression"): "THECAL_EFF",
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
    ("cord", "shape"): "CORD_COMP",
    ("cord", "thinning"): "CORD_COMP",
    ("cord", "effect"): "CORD_COMP",
    ("cauda", "effect"): "CES",
    ("sac", "effect"): "THECAL_EFF",
    ("canal", "effect"): "CANAL_NARROW",
    ("", "effect"): "MASS_EFFECT",
    ("sac", "contact"): "THECAL_EFF",
    ("cord", "swelling"): "CORD_EXPAND",
    ("canal", "extension"): "EPI_EXTENSION",
}
_NAMED = {" cord": "cord", " conus": "cord", " conus medullaris": "cord", " cauda equina": "cauda"}
_INSIDE = ("canal", "sac")
_THINS = (
    "degenerative",
    "malignant",
    "suspicious",
    "benign_tumor",
    "cyst",
    "fracture",
    "infection",
    "haemorrhage",
)
_AHEAD, _BEHIND, _LISTED, _CARRIED, _BESIDE = 55, 40, 30, 150, 12  # characters a verb reaches
_CLAUSE_END = re.compile(
    r"[;:]|\. |, (?:with|and there|the|no)\b| (?:but|however|without|which|no|neither) "
    r"|\band (?:the )?[ctdls]\d"
)
_PASSIVE = re.compile(
    r"\b(?:is|are|was|were|be|been|being|isn't|aren't|not|appears?|seems?|looks?)\s+"
    r"(?:[^.;,:]{0,30}\band\s+)?(?:not\s+)?(?:\w+ly\s+)?$"
)
_ACTIVE = ("ing", "s", " of", " on", " upon", " with", " against", " over", " into")
# The subject goes on: "the cord was pushed aside and markedly compressed", "the conus, which is squeezed".
_GOES_ON = re.compile(
    r"\b(?:concern|suspicion|possibility|fear) (?:for|of) (?:an? )?(?:\w+ )?$"
    r"|(?:,|\band|\bor|\bbut|\bwhich|\bthat|\bthen)\s+"
    r"(?:(?:is|are|was|were|has|have|had|been|being|appears?|seems?|looks?|also|here|then|not|thus|so|now|very|\w+ly)\s+)*$"
)
_NEW_SUBJECT = re.compile(
    r"[;:]|\b(?:and|while|whereas)\s+(?!(?:is|are|was|were|has|have|then|also|now|here|thus|so|\w+ly)\b)"
    r"(?:\w+\s+){1,4}(?:is|are|was|were)\b"
)
# The subject waits behind an aside: "the cord is, because of the small canal, compressed".
_ASIDE = re.compile(r" (?:is|are|was|were|appears?|seems?|looks?), [^.;:]{0,90}, (?:\w+ly |here |also )*")
_BECOMES = re.compile(
    r"(?:\b(?:is|are|was|were|to|into|as|looks?|appears?|becomes?|made|makes) (?:an? |very |\w+ly )*"
    r"|\b(?:to|into) an? \w+ )$"
)
_THIN = re.compile(
    r"(?:[^.;:]{0,60}?\bto)? (?:(?:only|just|about|some|less than|a mere|barely|under) )*"
    r"(?:[0-4](?:[.,]\d)? ?mm\b|an? (?:\w+ ){0,2}(?:crescent|ribbon|sliver|thread|rim|slit|film|strip"
    r"|string|line|band)\b)"
)
_PARTLY = re.compile(
    r"(?:[^.;:]{0,60}?\b(?:by|to))? (?:(?:about|more than|over|a) )?(?:half|third|quarter|[3-9]0 ?%)"
)
# The cord itself is what is reduced, not a lesion beside it or in it.
_CORD = (
    r"(?:the )?(?:(?:\w+ )?(?:diameter|caliber|thickness|width) of )?(?:the )?"
    r"(?:(?:spinal|thoracic|cervical|dorsal|ventral|whole|adjacent|remaining|lower|upper) )*"
    r"(?:cord|conus|myelon)\b"
)
_REDUCED = re.compile(
    rf"(?:^|[.;:,]|\b(?:and|where|here|there|with|leav\w+|so|that|level|[ctdls]\d{{1,2}})\b)\s*{_CORD}[^.;:,]{{0,40}}$"
)
_REDUCES = re.compile(f" {_CORD}")
_SHAPED_CORD = re.compile(
    r" (?:the |remaining |residual |visible |compressed |spinal |thoracic |cervical )*cord\b"
)
_PART_OF = re.compile(r"(?:\bits\b|\bwhose\b|, the [\w ]{0,25}\bof which\b)[^.;:,]{0,60}$")
_LIST = re.compile(r"(?:and|or|both|as well as|the|left|right|[^\w;:.])*")

Target = tuple[int, int, str]


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
                if term.grade == "extension":
                    structure = _entered(page, end, index)
                elif term.grade in _TOLD_OF_CORD and not _TOLD_OF_CORD[term.grade](page, start, end):
                    continue
                else:
                    structure = _pressed(page, start, end, index)
                if structure == "medulla":  # of the spine where the head is not near
                    structure = "cord" if stays(page, start, end, index) else "other"
                if structure == "spine":
                    structure = "cord" if _in_canal(page, start, index) else "other"
                concept = _CONCEPT.get((structure, term.grade))
                if concept:
                    added.append(Mention(start, end, self.vocabulary.concepts[concept], index))
        page.add(added)
        return doc


def _of_cord(page: Page, start: int, end: int) -> bool:
    """Whether a shape is told of the cord: "the cord is crescentic", "a sliver of remaining cord"."""
    told = _BECOMES.search(page.plain, max(0, start - 40), start)
    return bool(told or _SHAPED_CORD.match(page.plain, end))


def _thinned(page: Page, start: int, end: int) -> bool:
    """Whether the cord is reduced to a few millimetres or a shape, or thinned beside what can press it.

    A lesion in the cord may be reduced too, and a cord thinned by nothing is atrophic.
    """
    index, text = page.sentence_at(start), page.plain
    first = page.sentences[index].start
    no_cause = page.vocabulary.rules.priority.groups["no_cause"]
    caused = any(
        m.concept.cls in _THINS and m.concept.id not in no_cause and not text.endswith("no ", first, m.start)
        for m in page.in_sentence(index)
    )
    if caused and text.startswith("thin", start):
        return True
    if not (_THIN.match(text, end) or (caused and _PARTLY.match(text, end))):
        return False
    if text.startswith(("reduces", "reducing"), start):
        return bool(_REDUCES.match(text, end))
    own = start + 4 if text.startswith("cord ", start) else start
    return bool(_REDUCED.search(text[first:own]))


def _in_canal(page: Page, start: int, index: int) -> bool:
    """Whether what presses is said to lie in the canal."""
    return any(word.place and word.place.canal for s, _, word in page.words(index) if s < start)


_TOLD_OF_CORD = {"shape": _of_cord, "thinning": _thinned}


def _entered(page: Page, end: int, index: int) -> str:
    """ "canal" when growth reaches the canal or the epidural space, through a foramen or straight."""
    for s, e, word in page.words(index):
        if e > end and (word.place or word.elsewhere or word.target):
            # A root or the lateral recess is pressed like the sac, but is no canal to grow into.
            target = bool(word.target) and "root" not in page.plain[s:e]
            canal = word.place.canal if word.place else target
            if canal and word.target in ("", *_INSIDE):
                return "canal" if s - end <= _BEHIND else ""
            if "foram" not in page.plain[s:e]:
                return ""
    return ""


def _pressed(page: Page, start: int, end: int, index: int) -> str:
    """The structure pressed by the verb at [start, end), one of STRUCTURES, or "" for none near."""
    targets: list[Target] = [
        (max(s, end) if s > start else s, e, structure)  # "compromise of" and "of the cord" share a word
        for s, e, word in page.words(index)
        if (e <= start or e > end) and (structure := word.target or _named(word, page.plain[s:e]))
    ]
    ahead = [t for t in targets if t[0] >= end]
    behind = [t for t in targets if t[1] <= start and t[2] != "spine"]
    words = page.plain[start:end]
    if words.startswith("cord "):  # "cord measures"
        return "cord"
    if words.split()[0].endswith("ed") or not words.endswith(_ACTIVE):
        passive = _PASSIVE.search(page.plain, max(0, start - 60), start)
        beside = behind and ahead and start - behind[-1][1] <= _BESIDE
        if passive or (beside and "," in page.plain[end : ahead[0][0]]):  # "sac indented, cord free"
            return _behind(page, behind, start)
    return _ahead(page, ahead, end) or _behind(page, behind, start)


def _ahead(page: Page, targets: list[Target], end: int) -> str:
    """What the verb takes as its object; of a list the most delicate."""
    if not targets or targets[0][0] - end > _AHEAD or _CLAUSE_END.search(page.plain, end, targets[0][0]):
        return ""
    listed = [targets[0]]
    for target in targets[1:]:
        gap = page.plain[listed[-1][1] : target[0]]
        if len(gap) > _LISTED or not _LIST.fullmatch(gap):
            break
        listed.append(target)
    return min((t[2] for t in listed), key=STRUCTURES.index)


def _behind(page: Page, targets: list[Target], start: int) -> str:
    """What stands before the verb as its subject, if nothing else comes between."""
    if not targets or start - targets[-1][1] > _CARRIED:
        return ""
    for _, stop, subject in reversed(targets):
        if start - stop <= _CARRIED and _ASIDE.fullmatch(page.plain, stop, start):
            return subject
    gap, structure = page.plain[targets[-1][1] : start], targets[-1][2]
    goes_on = _GOES_ON.search(gap)
    if goes_on and not _NEW_SUBJECT.search(gap):
        return structure
    part = _PART_OF.search(gap)  # "the conus is displaced and its surface is effaced"
    if part:
        gap = gap[: part.start()]
    near = len(gap) <= _BEHIND and (
        gap == ": " or not _CLAUSE_END.search(gap)
    )  # "Spinal cord: compressed by"
    return structure if near else ""


def _named(word: Word, words: str) -> str:
    """What a phrase of place ends with: "of the cord", "on the cauda equina"."""
    ends = (structure for name, structure in _NAMED.items() if words.endswith(name))
    return "" if word.elsewhere else next(ends, "")


@Language.factory("spinetriage_pressure")
def _make(nlp: Language, name: str) -> Pressure:
    return Pressure(current())
