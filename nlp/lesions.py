"""Which words name a lesion of the spine: lexicon forms that survive the question of place."""

from collections.abc import Iterator

from spacy.language import Language
from spacy.tokens import Doc

from nlp.levels import level_groups
from nlp.page import Hit, Mention, Page, page_of
from nlp.phrases import plain
from nlp.sentences import paragraph_before
from nlp.vocabulary import Vocabulary, current

_SILENT = ("technique", "signoff")  # sections that assert nothing
_TITLE = 160  # characters in which a report names its study
_NEAR = 60


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
        for hit in page.hits:
            start, end, term = hit
            if term.concept is None:
                continue
            index = page.sentence_at(start)
            if page.sentences[index].section in _SILENT or _ambiguous(page, hit, index):
                continue
            if is_spinal(page, start, end, index, sure=term.concept.site == "spinal"):
                page.mentions.append(Mention(start, end, term.concept, index))
        return doc


def _ambiguous(page: Page, hit: Hit, index: int) -> bool:
    """An abbreviation of three letters or fewer in a sentence of capitals, or after a number ("5 MM")."""
    start, _, term = hit
    if not term.exact:
        return False
    if page.text[max(0, start - 2) : start].strip()[-1:].isdigit():
        return True
    sentence = page.sentences[index]
    return len(term.exact) <= 3 and page.text[sentence.start : sentence.end].isupper()


def is_spinal(page: Page, start: int, end: int, index: int, sure: bool) -> bool:
    """Whether a finding at [start, end) lies at the spine; `sure` when its own words say so."""
    nearest = _nearest_site(page, start, end, index, own_words=not sure)
    if sure:
        return nearest is None or nearest[1] or nearest[0] > _NEAR or spine_study(page) is True
    if nearest is not None:
        return nearest[1]
    for before in paragraph_before(page, index)[:4]:
        sites = list(_sites(page, before))
        if sites:
            return max(sites)[2]
    return spine_study(page) is True or (spine_study(page) is None and _mostly_spine(page))


def _sites(page: Page, index: int) -> Iterator[tuple[int, int, bool]]:
    for start, end, word in page.words(index):
        if word.spine or word.elsewhere:
            yield start, end, word.spine
    for start, end, _ in level_groups(page, index):
        yield start, end, True


def _nearest_site(page: Page, start: int, end: int, index: int, own_words: bool) -> tuple[float, bool] | None:
    best: tuple[float, bool] | None = None
    for s, e, spine in _sites(page, index):
        if s < end and start < e:
            if not own_words:
                continue
            distance = 0.0
        elif s >= end:
            distance = s - end + 12 * page.text.count(",", end, s)
        else:
            distance = 1.3 * (start - e) + 12 * page.text.count(",", e, start)
        if best is None or distance < best[0]:
            best = (distance, spine)
    return best


def spine_study(page: Page) -> bool | None:
    """Whether the study is of the spine, by its description or the report's first words; None if unsaid."""
    if page.spine_study is None:
        described = " ".join(str(page.context.get(key) or "") for key in ("study_description", "body_part"))
        for words in (plain(described), page.plain[:_TITLE]):
            named = [spine for _, _, spine in page.vocabulary.studies.find(words)]
            if named:
                page.spine_study = any(named)
                break
    return page.spine_study


def _mostly_spine(page: Page) -> bool:
    balance = 0
    for index in range(min(len(page.sentences), 60)):
        balance += sum(1 if spine else -1 for _, _, spine in _sites(page, index))
    return balance >= 0


@Language.factory("spinetriage_lesions")
def _make(nlp: Language, name: str) -> Lesions:
    return Lesions(current())
