"""Pressure on cord and cauda equina: how bad, by which lesion, or by wear."""

import re
from collections.abc import Iterator

from spacy.language import Language
from spacy.tokens import Doc

from nlp.page import Mention, Page, page_of
from nlp.schema import LESION_CLASSES, PRESSURE
from nlp.vocabulary import Vocabulary, current

Cause = tuple[tuple[Mention, ...], bool]

_MAKES = re.compile(
    r"\b(?:due to|because of|secondary to|owing to|from|by|caus\w+|result\w+|produc\w+|lead\w+|with)\b"
)
_BEFORE = 2  # sentences before a compression that may tell its cause


class Neural:
    """Sets severity and cause of whatever presses."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self.vocabulary = vocabulary
        self.suspicions = frozenset(vocabulary.rules.neural.suspicion.phrases)
        self.unsaid = frozenset(vocabulary.rules.priority.groups["unsaid"])

    def __call__(self, doc: Doc) -> Doc:
        """Set `signal`, `severe`, `causes` and `degenerative` of compression and crowding."""
        page = page_of(doc, self.vocabulary)
        narrowing = page.vocabulary.rules.priority.groups["narrowing"]
        pressing = [
            m
            for m in page.mentions
            if m.affirmed and (m.concept.cls in PRESSURE or m.concept.id in narrowing)
        ]
        if pressing:
            blame = _Blame(page)
            for mention in pressing:
                if self._only_suspected(page, mention):
                    mention.certainty = "possible"
                mention.signal = _signal(page, mention)
                mention.severe = mention.signal or _severe(page, mention)
                mention.causes, mention.degenerative = blame.of(mention)
        return doc

    def _only_suspected(self, page: Page, mention: Mention) -> bool:
        """Whether the words only suspect pressure, or do not tell what is pressed.

        In "suspected metastasis with cord compression" it is the lesion that is suspected.
        """
        cue = (mention.cue or "").lower()
        if not mention.sure or cue not in self.suspicions:
            return mention.sure and mention.concept.id in self.unsaid
        at = page.plain.rfind(cue, page.sentences[mention.sentence].start, mention.start)
        return at < 0 or not any(
            at < m.start < mention.start and m.concept.cls in LESION_CLASSES
            for m in page.in_sentence(mention.sentence)
        )


class _Blame:
    """Who presses: the lesions of a report, and its wear, by place."""

    def __init__(self, page: Page) -> None:
        self.page = page
        no_cause = page.vocabulary.rules.priority.groups["no_cause"]
        affirmed = [m for m in page.mentions if m.affirmed]
        self.lesions = [
            m
            for m in affirmed
            if m.concept.cls in LESION_CLASSES and not m.absorbed and m.concept.id not in no_cause
        ]
        self.active = [m for m in self.lesions if not m.old and m.concept.route not in ("B", "M")]
        self.worn = [m for m in affirmed if m.concept.cls == "degenerative"]

    def of(self, mention: Mention) -> Cause:
        """The lesions that press, and whether it is wear instead.

        Looks in the sentence, then at the same level anywhere, then in the sentences before it, then in the
        whole report. Wear is the cause where it stands and no lesion does; an unstated cause is no wear.
        """
        if mention.concept.id == "MSCC":
            return tuple(self.active), False
        if mention.concept.cls not in PRESSURE:  # stenosis is wear, unless a lesion is said to make it
            lesions = tuple(m for m in self.active if _makes(self.page, m, mention))
            return lesions, not lesions
        return next((cause for cause in self._told(mention) if cause), self._unsaid(mention))

    def _told(self, mention: Mention) -> Iterator[Cause | None]:
        """What the report blames, the nearest words first."""
        index, sentences = mention.sentence, self.page.sentences
        yield self._in(index)
        yield self._at(ends(mention) - {""})
        for before in range(index - 1, max(-1, index - 1 - _BEFORE), -1):
            if sentences[before].section == sentences[index].section:
                yield self._in(before)

    def _unsaid(self, mention: Mention) -> Cause:
        """Whom to blame when nothing near tells: for compression, whatever the report knows."""
        if mention.concept.cls != "compression":
            return (), False
        return tuple(self.active), bool(self.worn) and not self.active

    def _in(self, index: int) -> Cause | None:
        """What a sentence blames."""
        lesions = tuple(m for m in self.lesions if m.sentence == index)
        worn = any(m.sentence == index for m in self.worn)
        harmless = all(m.concept.route == "B" for m in lesions)
        if lesions and not (worn and harmless):
            return lesions, False
        words = self.page.words(index)
        if any(w.not_degenerative and not _denied(self.page, s) for s, _, w in words):
            return (), False
        worn = worn or any(w.degenerative and not _denied(self.page, s) for s, _, w in words)
        return ((), True) if worn else None

    def _at(self, level: set[str]) -> Cause | None:
        """What the rest of the report blames at the same vertebrae."""
        lesions = tuple(m for m in self.active if level & ends(m))
        worn = any(level & ends(m) for m in self.worn)
        return (lesions, not lesions) if lesions or worn else None


def _makes(page: Page, one: Mention, other: Mention) -> bool:
    """Whether two mentions of a sentence are joined as cause and effect."""
    first, last = sorted((one, other), key=lambda m: m.start)
    return one.sentence == other.sentence and bool(_MAKES.search(page.plain, first.end, last.start))


def ends(mention: Mention) -> set[str]:
    """The vertebrae that the levels of a mention name; "" stands for no level."""
    return {end for label in mention.levels or ("",) for end in label.split("-")}


def _signal(page: Page, mention: Mention) -> bool:
    """Whether signal in the cord is told in the sentence of a compression, or the next."""
    here = page.sentences[mention.sentence].section
    return any(
        m.affirmed
        and (
            m.concept.id in ("CORD_SIGNAL", "MYELOMALACIA")
            or (m.concept.id == "SIGNAL_NOS" and i == mention.sentence)
        )
        for i in (mention.sentence, mention.sentence + 1)
        for m in page.in_sentence(i)
        if page.sentences[i].section == here
    )


def _severe(page: Page, mention: Mention) -> bool:
    return any(
        w.severe and abs(s - mention.start) < 60 and not _denied(page, s)
        for s, _, w in page.words(mention.sentence)
    )


def _denied(page: Page, start: int) -> bool:
    return any(word in page.plain[max(0, start - 14) : start].split() for word in ("no", "without", "not"))


@Language.factory("spinetriage_neural")
def _make(nlp: Language, name: str) -> Neural:
    return Neural(current())
