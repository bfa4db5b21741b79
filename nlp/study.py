"""What part of the body a sentence, and the study as a whole, is about."""

from nlp.labels import level_groups
from nlp.page import Page, Site
from nlp.vocabulary import Word

_SAMPLE = 60  # sentences that show what a text is about
_TITLE = 160  # characters in which a report names its study
_OTHER_CORDS = ("umbilical cord", "spermatic cord", "vocal cord")
_LEVEL, _ELSEWHERE = Word(spine=True), Word(elsewhere=True)


def sites(page: Page, index: int) -> list[Site]:
    """The words of place in a sentence, those of the body's other parts too."""
    sentence = page.sentences[index]
    if sentence.sites is None:
        foreign = _other_cord(page)
        sentence.sites = [
            (s, e, _ELSEWHERE if foreign and "cord" in page.plain[s:e] else word)
            for s, e, word in page.words(index)
            if word.spine or word.elsewhere or word.weak
        ]
        sentence.sites += [(s, e, _LEVEL) for s, e, _ in level_groups(page, index)]
    return sentence.sites


def _other_cord(page: Page) -> bool:
    """Whether "the cord" is that of a navel, groin or larynx."""
    if page.other_cord is None:
        other = any(cord in page.plain for cord in _OTHER_CORDS)
        page.other_cord = other and spine_study(page) is not True
    return page.other_cord


def spine_study(page: Page) -> bool | None:
    """Whether the study is of the spine, by its description or the report's first words; None if unsaid."""
    if page.spine_study is None:
        for words in (page.study, page.plain[:_TITLE]):
            named = [spine for _, _, spine in page.vocabulary.studies.find(words) if spine is not None]
            if named:
                page.spine_study = any(named)
                break
    return page.spine_study


def balance(page: Page) -> int:
    """Words of the spine less words of other places, counted once a page; above 0 it speaks of the spine."""
    if page.balance is None:
        page.balance = _count(page)
    return page.balance


def _count(page: Page) -> int:
    total = sum(1 for _, _, term in page.hits if term.concept and term.concept.spinal)
    for index in range(min(len(page.sentences), _SAMPLE)):
        for _, _, word in sites(page, index):
            total += word.spine - word.elsewhere
    return total


def head_only(page: Page) -> bool:
    """Whether the text speaks of the head anywhere in its first sentences."""
    sample = range(min(len(page.sentences), _SAMPLE))
    return any(word.head for index in sample for _, _, word in sites(page, index))
