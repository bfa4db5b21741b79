"""Which words name a lesion of the spine: lexicon forms that survive the question of place."""

import re
from bisect import bisect_right

from spacy.language import Language
from spacy.tokens import Doc

from nlp.page import Hit, Mention, Page, Site, page_of
from nlp.schema import LESION_CLASSES, TUMOURS
from nlp.sentences import paragraph_before
from nlp.study import balance, head_only, sites, spine_study
from nlp.terms import Term
from nlp.vocabulary import Vocabulary, current

_SILENT = ("technique", "signoff")  # sections that assert nothing
_OWN = 30  # distance from which a place is no longer that of blood, where the head is named too
_LIST = re.compile(r"(?:[\w ]{0,25}(?:,| and | or | & |/)){1,4}[\w ]{0,25}")
_CONCLUDED = re.compile(
    r"[^.;,]{0,25}\b(?:is|are) (?:the )?(?:most |more )?(?:likely|favou?red|suspected|probable)"
)
# "metastasis from breast cancer", "of the gastric primary", "carcinoma of the lung": not where it is.
_NEXT = 40  # characters between a finding and the place that it is said to lie in
_IN = re.compile(
    r" (?:(?:is|are|was|were|also|now|seen|noted|present|found|visible|located|situated|again|new) )*"
    r"(?:in|at|within|inside|of) (?:(?:the|left|right|upper|lower|posterior|anterior) )*"
)
_OF = ("of ", "from ", " to ")
_CAME = re.compile(r"\b(?:from|of|secondary to|due to)\s+(?:\w+\s+){0,3}$")
_ORIGIN = re.compile(
    r"\W+(?:\w+\W+){0,2}?(?:cancer|carcinoma|adenocarcinoma|primary|ca|malignancy|neoplasm|melanoma|sarcoma)\b"
)
_SEEDED = re.compile(
    r"(?:(?:metasta\w+|deposits?|spread|tumou?rs?) (?:is |are )?from|(?:cancer|carcinoma|primary) of)"
    r" (?:(?:the|an?|known|primary|right|left) )*$"
)
_ACTS = re.compile(r"(?:ing|erodes|destroys|invades|infiltrates|eats into|eaten into)$")
_NAMED_AFTER = re.compile(r" (?:cell |cancer |carcinoma |ca |primary )?")
_DENIED = re.compile(r"\b(?:no|not|without|nor|never)\b")
_OBJECT = 40  # characters between what is done and to what
_DIAGNOSED = re.compile(
    r"consistent with|compatible with|keeping with|suspicious for|suggest\w* of|likely|represent\w*"
    r"|favou?r\w*"
    r"|concern\w* for|probable|possible"
)


class Lesions:
    """Turns the hits of the scan into mentions.

    A bare word ("mass", "metastasis") is a spinal finding when the nearest place word of its sentence is
    one of the spine's, else of the sentences before it in the paragraph, else when the study is a spinal one.
    """

    def __init__(self, vocabulary: Vocabulary) -> None:
        self.vocabulary = vocabulary

    def __call__(self, doc: Doc) -> Doc:
        """Fill the mentions of the page."""
        page = page_of(doc, self.vocabulary)
        found: list[Mention] = []
        told = False
        for start, end, alone in page.hits:
            if alone.concept is None and not alone.pictures:
                continue
            index = page.sentence_at(start)
            hit = start, end, _in_sentence(page, (start, end, alone), index)
            concept = hit[2].concept
            if concept is None:
                continue
            if page.sentences[index].section in _SILENT or _ambiguous(page, hit, index):
                continue
            if page.text[end : end + 5].lower() == "-like" or _disc_collapse(page, hit, index):
                continue
            # Porosis and wear are of all bones; after a spinal tumour, "bone metastases" are the spine's too.
            bones = told or concept.cls not in LESION_CLASSES
            if is_spinal(page, hit, index, bones):
                found.append(Mention(start, end, concept, index))
                told = told or concept.cls in TUMOURS
        page.add(found)
        return doc


def _in_sentence(page: Page, hit: Hit, index: int) -> Term:
    """What a phrase means beside the other words of its sentence."""
    start, end, term = hit
    if not term.pictures:
        return term
    sentence = page.sentences[index]
    return term.pictured(page.plain, start, end, sentence.start, sentence.end)


def _ambiguous(page: Page, hit: Hit, index: int) -> bool:
    """An abbreviation of three letters or fewer in a sentence of capitals, or after a number ("5 MM")."""
    start, _, term = hit
    if not term.exact:
        return False
    if page.text[max(0, start - 2) : start].strip()[-1:].isdigit():
        return True
    sentence = page.sentences[index]
    return len(term.exact) <= 3 and page.text[sentence.start : sentence.end].isupper()


def _disc_collapse(page: Page, hit: Hit, index: int) -> bool:
    """Collapse or loss of height of a disc is no fracture."""
    start, end, term = hit
    return bool(term.concept and term.concept.cls == "fracture") and any(
        word.disc and (0 <= start - e < 25 or 0 <= s - end < 12) for s, e, word in page.words(index)
    )


def is_spinal(page: Page, hit: Hit, index: int, bones: bool) -> bool:
    """Whether a finding lies at the spine, by what the site of its concept needs.

    `bones` says that the bones as a whole, if they are named, are known to include the spine.
    """
    start, end, term = hit
    site = term.concept.site if term.concept else ""
    if site in ("always", "spinal"):
        bleeds = term.concept is not None and term.concept.cls == "haemorrhage"
        in_head = bleeds and _nearer_the_head(page, start, end, index)
        return site == "always" or (stays(page, start, end, index) and not in_head)
    places = sites(page, index)
    inside = [p for p in places if p[0] < end and start < p[1]]
    found = [p for p in places if p not in inside] if inside else places
    if any(word.spine for _, _, word in inside) or any(
        word.spine and _lies_in(page, end, s) for s, _, word in found
    ):
        return True
    decided = [p for p in found if p[2].spine or (p[2].elsewhere and not _is_origin(page, p))]
    if any(p[2].spine for p in decided):
        decided = [p for p in decided if not _named_after(page, p, start)]
    if _ACTS.search(page.plain, start, end):  # "eroding the front of L3": done to what follows
        decided = [p for p in decided if 0 <= p[0] - end < _OBJECT] or decided
    if decided:
        nearest = min(decided, key=lambda p: _distance(page, p, start, end))
        return (
            nearest[2].spine
            or _listed_with_spine(page, nearest, decided, start, end)
            or _grows_to_spine(page, end, index, decided)
        )
    if any(word.skeleton for _, _, word in places):
        return (bones or _among_bones(page, index)) and not head_only(page)
    if site == "beside" and not any(word.neuraxis for _, _, word in inside):
        return _diagnosed(page, start, end)
    return _by_context(page, index, places)


def _nearer_the_head(page: Page, start: int, end: int, index: int) -> bool:
    """Whether blood lies in the head though the spine is named: "epidural haematoma and skull fracture"."""
    places = [p for p in sites(page, index) if p[2].head or p[2].spine]
    if not any(p[2].head for p in places):
        return False
    nearest = min(places, key=lambda p: _distance(page, p, start, end))
    return nearest[2].head or _distance(page, nearest, start, end) > _OWN


def _among_bones(page: Page, index: int) -> bool:
    """Whether the bones as a whole mean the spine: by the study, if all are meant, or by a sentence beside.

    "Sclerotic lesions in the bone structures" of a chest CT may all lie in ribs and sternum.
    """
    if spine_study(page) or any(word.whole for _, _, word in page.words(index)) or balance(page) > 0:
        return True
    beside = (i for i in (index - 1, index + 1) if 0 <= i < len(page.sentences))
    return any(word.spine for i in beside for _, _, word in sites(page, i))


def _lies_in(page: Page, end: int, place: int) -> bool:
    """Whether the very next words put a finding into a place: "a metastasis is seen in L4"."""
    return 0 < place - end <= _NEXT and bool(_IN.fullmatch(page.plain, end, place))


def _is_origin(page: Page, place: Site) -> bool:
    """Whether an organ is named as the source of a metastasis."""
    before = page.plain[max(0, place[0] - 60) : place[0]]
    if not any(word in before for word in _OF):
        return False
    came = _CAME.search(before) and _ORIGIN.match(page.plain, place[1])
    return bool(came or _SEEDED.search(before))


def _named_after(page: Page, place: Site, start: int) -> bool:
    """Whether an organ is the first half of a name: "thyroid metastasis", not "at the level of T7"."""
    return place[2].primary and bool(_NAMED_AFTER.fullmatch(page.plain, place[1], start))


def _grows_to_spine(page: Page, end: int, index: int, decided: list[Site]) -> bool:
    """Whether a tumour of another place is told to grow into the spine ("invades the foramina")."""
    last = page.sentences[index].end
    at = bisect_right(page.hits, end - 1, key=lambda hit: hit[0])
    for s, e, term in page.hits[at:]:
        if s >= last:
            break
        if term.grade == "extension" and not _DENIED.search(page.plain, max(end, s - 25), s):
            ahead = [p for p in decided if p[0] >= e]
            if ahead and ahead[0][2].spine and ahead[0][0] - e < _OBJECT:
                return True
    return False


def stays(page: Page, start: int, end: int, index: int) -> bool:
    """Whether words that mean the spine by themselves do so here: not beside the head or another place."""
    words = [word for s, e, word in sites(page, index) if not (s < end and start < e)]
    if any(word.spine for word in words) or not any(word.elsewhere for word in words):
        return True
    return not any(word.head for word in words) and (spine_study(page) is True or balance(page) > 0)


def _diagnosed(page: Page, start: int, end: int) -> bool:
    """Whether a disease of the whole body is the diagnosis of a spinal study ("consistent with myeloma")."""
    before, after = page.plain[max(0, start - 40) : start], page.plain[end : end + 60]
    concluded = _DIAGNOSED.search(before) or _CONCLUDED.match(after)
    return bool(concluded) and (spine_study(page) is True or balance(page) > 0)


def _by_context(page: Page, index: int, places: list[Site]) -> bool:
    """Where a sentence without a deciding word belongs: to the one before, else to the whole study."""
    for before in _context_sentences(page, index):
        words = [word for _, _, word in sites(page, before) if word.spine or word.elsewhere]
        if words:
            return any(word.spine for word in words)
    study = spine_study(page)
    if study is None:
        return balance(page) > 0 or (
            any(word.neuraxis for _, _, word in places) and balance(page) == 0 and not head_only(page)
        )
    return study or (bool(places) and not head_only(page))


def _context_sentences(page: Page, index: int) -> list[int]:
    """The sentence before, or the whole paragraph back to its heading ("Bones: ...")."""
    before = paragraph_before(page, index)
    if not before:
        return []
    first = page.sentences[page.sentences[index].first]
    titled = ":" in page.text[first.start : min(first.start + 35, first.end)]
    return list(before) if titled else [before[0]]


def _listed_with_spine(page: Page, nearest: Site, decided: list[Site], start: int, end: int) -> bool:
    """Metastases "in the liver, lung and spine": the spine is one of a list of places."""
    for place in decided:
        if not place[2].spine or _named_already(page, place):
            continue
        low, high = (nearest, place) if nearest[0] <= place[0] else (place, nearest)
        same_side = low[0] >= end or high[1] <= start
        gap = page.plain[low[1] : high[0]]
        if same_side and _LIST.fullmatch(gap) and "level" not in gap:
            return True
    return False


def _named_already(page: Page, place: Site) -> bool:
    """Whether a place word belongs to another form of the lexicon ("vertebral fracture")."""
    at = bisect_right(page.hits, place[0], key=lambda hit: hit[0]) - 1
    near = page.hits[max(0, at) : at + 2]
    return any(term.concept and s < place[1] and place[0] < e for s, e, term in near)


def _distance(page: Page, place: Site, start: int, end: int) -> float:
    """Characters between a finding and a place; commas put it further, what follows is a little nearer."""
    if place[0] >= end:
        return place[0] - end + 12 * page.text.count(",", end, place[0])
    return 1.3 * (start - place[1]) + 12 * page.text.count(",", place[1], start)


@Language.factory("spinetriage_lesions")
def _make(nlp: Language, name: str) -> Lesions:
    return Lesions(current())
