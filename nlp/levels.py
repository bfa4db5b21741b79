"""Which finding a vertebral level belongs to."""

import re

from spacy.language import Language
from spacy.tokens import Doc

from nlp.labels import Group, level_groups
from nlp.page import Mention, Page, page_of
from nlp.schema import LESION_CLASSES
from nlp.sentences import paragraph_before
from nlp.vocabulary import Vocabulary, current

_HEADS = re.compile(r"(?: level)? *[:;–-]")  # "L4-L5: disc bulge."
_OPENING = 20  # characters in which the label of such a heading begins


class Levels:
    """Gives each level to the nearest finding; one without takes its heading's or its neighbour's."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self.vocabulary = vocabulary
        self.signal = frozenset(vocabulary.rules.priority.groups["signal"])
        self.follow = vocabulary.rules.levels.follow

    def __call__(self, doc: Doc) -> Doc:
        """Set `levels` of each mention."""
        page = page_of(doc, self.vocabulary)
        by_sentence = page.by_sentence()
        for index, mentions in by_sentence.items():
            groups = level_groups(page, index)
            if groups:
                _share_out(page, mentions, groups)
        for index, mentions in by_sentence.items():
            if index + 1 < len(page.sentences) and index + 1 not in by_sentence:
                self._go_on(page, index, mentions)
        for index, mentions in by_sentence.items():
            for mention in mentions:
                if not mention.levels and mention.affirmed:
                    mention.levels = _in_sentence(mention, mentions)
                    if not mention.levels and not level_groups(page, index):
                        mention.levels = self._before(page, index, mention)
        return doc

    def _go_on(self, page: Page, index: int, mentions: list[Mention]) -> None:
        """The next sentence, if it names no finding but goes on about the last one ("It extends to T6")."""
        sentence = page.sentences[index + 1]
        groups = level_groups(page, index + 1)
        if not groups:
            return
        lesions = [m for m in mentions if m.affirmed and m.concept.cls in LESION_CLASSES]
        lesions = [m for m in lesions if m.concept.id not in self.signal] or lesions
        if not lesions:
            return
        labels = tuple(label for _, _, label in groups)
        if page.plain.startswith(self.follow.pronouns, sentence.start):
            lesions[-1].levels = tuple(dict.fromkeys(lesions[-1].levels + labels))
        elif not any(m.levels for m in lesions) and any(
            word in page.plain[sentence.start : sentence.end] for word in self.follow.treatments
        ):
            lesions[-1].levels = tuple(dict.fromkeys(labels))

    def _before(self, page: Page, index: int, mention: Mention) -> tuple[str, ...]:
        """The level of an earlier sentence of the paragraph: a lesion's rather than that of its edema."""
        sentence = page.sentences[index]
        if any(word in page.plain[sentence.start : sentence.end] for word in self.follow.everywhere):
            return ()
        by_sentence = page.by_sentence()
        edema: tuple[str, ...] = ()
        for before in paragraph_before(page, index)[:3]:
            near = [m for m in by_sentence.get(before, ()) if m.levels and m.affirmed and _alike(m, mention)]
            named = [m for m in near if "edema" not in page.plain[m.start : m.end]]
            if named:
                return named[-1].levels
            if near:
                edema = edema or near[-1].levels
                continue
            groups = level_groups(page, before)
            if groups and (before not in by_sentence or _heads(page, before, groups[0])):
                return edema or (groups[-1][2],)
        return edema


def _share_out(page: Page, mentions: list[Mention], groups: list[Group]) -> None:
    owned: dict[int, list[str]] = {}
    for start, end, label in groups:
        nearest = mentions[0]
        if len(mentions) > 1:
            nearest = min(mentions, key=lambda m: _distance(page.text, m, start, end))
        owned.setdefault(id(nearest), []).append(label)
    for mention in mentions:
        if id(mention) in owned:
            mention.levels = tuple(dict.fromkeys(owned[id(mention)]))


def _distance(text: str, mention: Mention, start: int, end: int) -> float:
    """Characters between a level and a mention; other clauses are far, a level after its finding is near."""
    if mention.start < end and start < mention.end:
        return 0
    after = start >= mention.end
    left, right = (mention.end, start) if after else (end, mention.start)
    pressed = 30 if mention.concept.cls in ("compression", "crowding") and not after else 0
    apart = 40 * text.count(";", left, right) + 15 * text.count(",", left, right)
    return pressed + (right - left) * (1.0 if after else 1.2) + apart


def _in_sentence(mention: Mention, mentions: list[Mention]) -> tuple[str, ...]:
    """ "L2 lytic lesion consistent with metastasis": the diagnosis has the level of what it explains."""
    others = [m for m in mentions if m.levels and m.affirmed]
    earlier = [m for m in others if m.start < mention.start]
    return (earlier[-1:] or others[:1] or [mention])[0].levels


def _heads(page: Page, index: int, group: Group) -> bool:
    """Whether a level stands as a heading before its sentence and those that follow."""
    sentence = page.sentences[index]
    return group[0] - sentence.start < _OPENING and bool(_HEADS.match(page.text, group[1]))


def _alike(one: Mention, other: Mention) -> bool:
    """A lesion never takes the level of a worn disc."""
    return one.concept.cls in LESION_CLASSES or other.concept.cls not in LESION_CLASSES


@Language.factory("spinetriage_levels")
def _make(nlp: Language, name: str) -> Levels:
    return Levels(current())
