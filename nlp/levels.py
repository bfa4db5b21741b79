"""Which finding a vertebral level belongs to."""

import re

from spacy.language import Language
from spacy.tokens import Doc

from nlp.extents import Group, order, vertebrae
from nlp.labels import level_groups
from nlp.page import Mention, Page, page_of
from nlp.schema import LESION_CLASSES, PRESSURE
from nlp.sentences import paragraph_before
from nlp.vocabulary import Vocabulary, current

_HEADS = re.compile(r"(?: level)? *[:;–-]")  # "L4-L5: disc bulge."
_EXCEPT = re.compile(r"\b(?:without|with no|but no|and no|lacking)\b", re.IGNORECASE)
_LONG = 5  # vertebrae of a range beyond which scattered lesions do not fill it
_SEVERAL = 3
_REACHED = re.compile(
    r"\b(?:extend\w*|ascend\w*|descend\w*|track\w*|continu\w*|spread\w*|runs?|up|down|caudal|cranial|caudally"
    r"|cranially)\b[^.;,]{0,40}\b(?:to|as far as|until|upto|till)(?: the| level| of)* $"
    r"|\breach\w*(?: the| level| of)* $"
)
_ENDS = (" to ", " as ", " until ", " upto ", " till ", " the ", " level ", " of ", "es ", "ing ", "reach ")
_NEAR = 2  # sentences from a lesion to what reaches on from it
_WORD = re.compile(r"\w+")
_DENIES = ("no", "not", "without", "normal")  # before the thing it is none
_BULLET = 6  # characters before the level of a line of a list
_BY_WAY_OF = (
    "from",
    "at",
    "of",
    "for",
    "the",
    "level",
    "levels",
    "to",
    "over",
    "across",
    "in",
    "spanning",
    "between",
)
_OPENING = 20  # characters in which the label of such a heading begins


class Levels:
    """Gives each level to the nearest finding; one without takes its heading's or its neighbour's."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self.vocabulary = vocabulary
        self.signal = frozenset(vocabulary.rules.priority.groups["signal"])
        self.follow = vocabulary.rules.levels.follow
        self.operations = frozenset(self.follow.operations)
        self.things = frozenset(self.follow.things)

    def __call__(self, doc: Doc) -> Doc:
        """Set `levels` of each mention."""
        page = page_of(doc, self.vocabulary)
        by_sentence = page.by_sentence()
        for index, mentions in by_sentence.items():
            groups = level_groups(page, index)
            if groups:
                self._share_out(page, mentions, groups)
        for index, mentions in by_sentence.items():
            if index + 1 < len(page.sentences):
                self._go_on(page, index, mentions)
        bare = not any(m.levels and m.affirmed and m.concept.cls in LESION_CLASSES for m in page.mentions)
        for index, mentions in by_sentence.items():
            for mention in mentions:
                if not mention.levels and mention.affirmed:
                    mention.levels = _in_sentence(mention, mentions)
                    if not mention.levels and not level_groups(page, index):
                        levels = self._before(page, index, mention) or self._described(page, index, bare)
                        mention.levels = self._of_part(page, index, levels) if levels else ()
        for mention in page.mentions:
            if mention.levels and mention.affirmed:
                ranges = [label for label in mention.levels if "-" in label and len(vertebrae(label)) > _LONG]
                if ranges:
                    self._scatter(page, mention, ranges)
        return doc

    def _scatter(self, page: Page, mention: Mention, ranges: list[str]) -> None:
        """ "Multilevel metastases, C7 through L4" sums up those told one by one, not all between."""
        sentence = page.sentences[mention.sentence]
        text = page.plain[sentence.start : sentence.end]
        if not any(word in text for word in self.follow.scattered):
            return
        told = [
            label
            for other in page.mentions
            if other is not mention and other.affirmed and other.concept.cls in LESION_CLASSES
            for label in other.levels
            if len(vertebrae(label)) <= _LONG
        ]
        for label in ranges:
            inside = [one for one in told if set(vertebrae(one)) <= set(vertebrae(label))]
            if len(set(inside)) >= _SEVERAL:
                levels = (*(one for one in mention.levels if one != label), *inside)
                mention.levels = tuple(dict.fromkeys(levels))

    def _go_on(self, page: Page, index: int, mentions: list[Mention]) -> None:
        """The next sentence, if it names no finding but goes on about the last one ("It extends to T6")."""
        lesions = [m for m in mentions if m.affirmed and m.concept.cls in LESION_CLASSES]
        lesions = [m for m in lesions if m.concept.id not in self.signal] or lesions
        if lesions and not lesions[-1].levels and page.text.endswith(":", 0, page.sentences[index].end):
            lesions[-1].levels = _listed(page, index)
            return
        sentence = page.sentences[index + 1]
        goes_on = page.plain.startswith(self.follow.pronouns, sentence.start)
        if not lesions or not (goes_on or not any(m.levels for m in lesions)):
            return
        later = [m for m in page.in_sentence(index + 1) if m.concept.cls in LESION_CLASSES]
        if all(m.concept.id in self.signal for m in later):
            text = page.plain[sentence.start : sentence.end]
            if goes_on or any(word in text for word in self.follow.treatments):
                labels = tuple(label for _, _, label in level_groups(page, index + 1))
                lesions[-1].levels = tuple(dict.fromkeys(lesions[-1].levels + labels))

    def _before(self, page: Page, index: int, mention: Mention) -> tuple[str, ...]:
        """The level of an earlier sentence of the paragraph: a lesion's rather than that of its edema."""
        sentence = page.sentences[index]
        text = page.plain[sentence.start : sentence.end]
        if any(word in text for word in self.follow.everywhere):
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

    def _described(self, page: Page, index: int, bare: bool) -> tuple[str, ...]:
        """The levels of what was told without a name, for a sentence that names it ("the above focus").

        One that does not point back may be meant too, where no lesion of the report has a level.
        """
        sentence = page.sentences[index]
        text = page.plain[sentence.start : sentence.end]
        if not bare and not any(words in text for words in self.follow.back):
            return ()
        labels: list[str] = []
        for before in range(index):
            if self._nameless(page, before):
                labels += [label for _, _, label in level_groups(page, before)]
        return tuple(dict.fromkeys(labels))

    def _nameless(self, page: Page, index: int) -> bool:
        """Whether a sentence tells of a thing with a level, but of no finding that has it."""
        if not level_groups(page, index) or any(m.affirmed and m.levels for m in page.in_sentence(index)):
            return False
        if any(word.disc for _, _, word in page.words(index)):
            return False
        denied = False
        for word in _WORD.finditer(page.plain, page.sentences[index].start, page.sentences[index].end):
            denied = denied or word.group() in _DENIES
            named = any(m.start <= word.start() < m.end for m in page.in_sentence(index))
            if word.group() in self.things and not named:
                return not denied
        return False

    def _of_part(self, page: Page, index: int, levels: tuple[str, ...]) -> tuple[str, ...]:
        """Those levels that lie in the part of the spine that the sentence speaks of ("the sacrum")."""
        sentence = page.sentences[index]
        words = _WORD.findall(page.plain, sentence.start, sentence.end)
        regions = {self.follow.parts[word] for word in words if word in self.follow.parts}
        return tuple(one for one in levels if not regions or regions & set(one))

    def _share_out(self, page: Page, mentions: list[Mention], groups: list[Group]) -> None:
        """Each level to the nearest mention; that of an operation only where no other is told."""
        if groups[0][0] != groups[-1][0]:
            groups = [one for one in groups if not self._operated(page, *one[:2])] or groups
        _share_out(page, mentions, groups)

    def _operated(self, page: Page, start: int, end: int) -> bool:
        """Whether a level is that of an operation: "planned for fixation from T12 to L4"."""
        before = page.plain[max(0, start - 40) : start].split()
        while before and before[-1] in _BY_WAY_OF:
            before.pop()
        after = page.plain[end : end + 40].split()[:1]
        return not self.operations.isdisjoint([*before[-1:], *after])


def _listed(page: Page, index: int) -> tuple[str, ...]:
    """The levels that head the lines of a list: "Target lesions: - T5 body 24 mm - S1 14 mm"."""
    labels: list[str] = []
    for later in range(index + 1, len(page.sentences)):
        groups = level_groups(page, later)
        if later in page.by_sentence() or not groups or groups[0][0] - page.sentences[later].start > _BULLET:
            break
        labels += [label for start, _, label in groups if start == groups[0][0]]
    return tuple(dict.fromkeys(labels))


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
    for start, _, label in groups:
        ended = page.plain.endswith(_ENDS, 0, start)
        if ended and _REACHED.search(page.plain, max(0, start - 60), start):
            _reach(page, mentions, label)


def _reach(page: Page, mentions: list[Mention], label: str) -> None:
    """ "Mass at T8. The syrinx ascends to C6": from the lesion before to the level told."""
    mention = next((m for m in mentions if m.levels == (label,) and m.affirmed), None)
    if mention is None or mention.concept.cls not in LESION_CLASSES:
        return
    before = [
        m
        for m in page.mentions
        if m.start < mention.start
        and mention.sentence - m.sentence <= _NEAR
        and m.levels not in ((), (label,))
        and m.affirmed
        and m.concept.cls in LESION_CLASSES
    ]
    if before:
        origin, told = vertebrae(before[-1].levels[0]), vertebrae(label)
        up = order(told[0]) < order(origin[0])
        mention.levels = (f"{told[0]}-{origin[0]}" if up else f"{origin[-1]}-{told[-1]}",)


def _distance(text: str, mention: Mention, start: int, end: int) -> float:
    """Characters between a level and a mention; other clauses are far, a level after its finding is near."""
    if mention.start < end and start < mention.end:
        return 0
    after = start >= mention.end
    left, right = (mention.end, start) if after else (end, mention.start)
    pressed = 30 if mention.concept.cls in PRESSURE and not after else 0
    apart = 40 * text.count(";", left, right) + 15 * text.count(",", left, right)
    if not mention.affirmed and _EXCEPT.search(text, max(0, mention.start - 25), mention.start):
        apart += 40  # "neurofibromas from C4 to C7 without extension", "phlegmon without abscess at L4-5"
    if not after and text.startswith((" with ", ", with ", " causing ", " showing "), left):
        apart += 20  # "nodule in the cord at T9 with a syrinx"
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
