"""Compression of cord and cauda equina: how bad, and from wear or from something else."""

from collections.abc import Iterable

from spacy.language import Language
from spacy.tokens import Doc

from nlp.page import Mention, Page, page_of
from nlp.schema import LESION_CLASSES
from nlp.vocabulary import Vocabulary, current


class Neural:
    """Sets severity and cause of each compression."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self.vocabulary = vocabulary

    def __call__(self, doc: Doc) -> Doc:
        """Set `severe` and `degenerative` of compressions."""
        page = page_of(doc, self.vocabulary)
        causes = _ends(
            m for m in page.mentions if _is_cause(page, m) and not m.old and m.concept.route not in ("B", "M")
        )
        worn = _ends(m for m in page.mentions if m.concept.cls == "degenerative" and m.affirmed)
        for mention in page.mentions:
            if mention.concept.cls == "compression" and mention.affirmed:
                mention.signal = _signal(page, mention)
                mention.severe = mention.signal or _severe(page, mention)
                mention.degenerative = _degenerative(page, mention, causes, worn)
        return doc


def _ends(mentions: Iterable[Mention]) -> set[str]:
    """The vertebrae that the levels of mentions name; "" stands for a mention without level."""
    return {end for m in mentions for label in m.levels or ("",) for end in label.split("-")}


def _signal(page: Page, mention: Mention) -> bool:
    """Whether signal in the cord is told in the sentence of a compression, or the next."""
    here = page.sentences[mention.sentence].section
    indices = [mention.sentence, mention.sentence + 1]
    return any(
        m.affirmed
        and (
            m.concept.id in ("CORD_SIGNAL", "MYELOMALACIA")
            or (m.concept.id == "SIGNAL_NOS" and i == mention.sentence)
        )
        for i in indices
        if i < len(page.sentences) and page.sentences[i].section == here
        for m in page.in_sentence(i)
    )


def _severe(page: Page, mention: Mention) -> bool:
    return any(
        w.severe and abs(s - mention.start) < 60 and not _denied(page, s)
        for s, _, w in page.words(mention.sentence)
    )


def _denied(page: Page, start: int) -> bool:
    return any(word in page.plain[max(0, start - 14) : start].split() for word in ("no", "without", "not"))


def _degenerative(page: Page, mention: Mention, causes: set[str], worn: set[str]) -> bool:
    """Wear is the cause when wear stands beside the compression and no other cause does.

    Looks in the sentence, then at the same level anywhere, then in the sentences before it, then in the
    whole report; an unstated cause is not degenerative.
    """
    if mention.concept.id == "MSCC":
        return False
    here = _cause_in(page, mention.sentence, mention)
    if here is not None:
        return here
    level = _ends([mention]) - {""}
    if level & (causes | worn):
        return not level & causes
    section = page.sentences[mention.sentence].section
    for index in range(mention.sentence - 1, max(-1, mention.sentence - 3), -1):
        cause = _cause_in(page, index, mention) if page.sentences[index].section == section else None
        if cause is not None:
            return cause
    return bool(worn) and not causes


def _is_cause(page: Page, mention: Mention) -> bool:
    return (
        mention.affirmed
        and not mention.absorbed
        and mention.concept.cls in LESION_CLASSES
        and mention.concept.id not in page.vocabulary.rules.priority.groups["no_cause"]
    )


def _cause_in(page: Page, index: int, mention: Mention) -> bool | None:
    """True for wear, False for another cause, None for neither."""
    here = page.in_sentence(index)
    if any(_is_cause(page, m) for m in here if m is not mention):
        return False
    words = page.words(index)
    worn = any(m.concept.cls == "degenerative" and m.affirmed for m in here) or any(
        w.degenerative and not _denied(page, s) for s, _, w in words
    )
    if any(w.not_degenerative and not _denied(page, s) for s, _, w in words):
        return False
    return True if worn else None


@Language.factory("spinetriage_neural")
def _make(nlp: Language, name: str) -> Neural:
    return Neural(current())
