"""One report while it is being read: the sheet that the components write on."""

import re
from bisect import bisect_right
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from spacy.tokens import Doc

from nlp.described import Said
from nlp.phrases import plain
from nlp.reading import Detail
from nlp.schema import AFFIRMED, LESION_CLASSES, Concept, Cue
from nlp.terms import Term
from nlp.vocabulary import Anchor, Vocabulary, Word

# A level inside a phrase: "invasion of the T2 vertebral body", "the pedicle of L2 is absent".
_LEVELS = r"[ctdls] ?\d{1,2}(?:(?:, ?| to | and | through | )[ctdls] ?\d{1,2}){0,3}"
_INSIDE = re.compile(
    rf"{_LEVELS}(?= (?:vertebra[el]?|bod(?:y|ies)|pedicles?|laminae?|endplates?"
    r"|posterior (?:elements|wall|arch))\b)"
)
_OWNER = re.compile(rf" of {_LEVELS}(?= (?:is|are|was|were|cannot)\b)")
_DESCRIBED = frozenset((*LESION_CLASSES, "compression"))
Hit = tuple[int, int, Term]
Site = tuple[int, int, Word]


@dataclass(slots=True)
class Section:
    """A stretch of text under one heading."""

    start: int
    end: int
    kind: str
    body: int  # where the text after the heading begins
    titled: bool = True


@dataclass(slots=True)
class Sentence:
    """A sentence with what was found in it; `sites`, `cues` and `levels` are filled when first asked for."""

    start: int
    end: int
    section: str
    paragraph: int
    first: int  # index of the first sentence of its paragraph
    sites: list[Site] | None = None  # words of place and levels
    cues: list[tuple[int, int, tuple[Cue, ...]]] | None = None
    levels: list[tuple[int, int, str]] | None = None


@dataclass(slots=True, eq=False)
class Mention:
    """A finding in the making; each is itself, however alike two may be."""

    start: int
    end: int
    concept: Concept
    sentence: int
    certainty: str = "present"
    cue: str | None = None
    trend: str = "unknown"
    old: bool = False
    compartments: tuple[str, ...] = ()
    basis: str = "none"
    canal: bool = False
    levels: tuple[str, ...] = ()
    size_mm: tuple[float, ...] = ()
    severe: bool = False
    signal: bool = False
    degenerative: bool = False
    causes: tuple["Mention", ...] = ()  # the lesions that press; of compression and crowding
    absorbed: bool = False
    effect: bool = False  # signal that is the effect or an attribute of another lesion
    details: list[Detail] = field(default_factory=list)
    sins: list[Detail] = field(default_factory=list)

    @property
    def affirmed(self) -> bool:
        """Whether the report says, or may say, that it is there."""
        return self.certainty in AFFIRMED

    @property
    def sure(self) -> bool:
        """Whether the report leaves little doubt that it is there."""
        return self.certainty in ("present", "probable")

    @property
    def known(self) -> bool:
        """Whether it is old, or not worse than before."""
        return self.old or self.trend in ("stable", "regressed", "resolved")


@dataclass(slots=True)
class Page:
    """The report, its context, and all that was found so far."""

    text: str
    plain: str
    context: Mapping[str, Any]
    vocabulary: Vocabulary
    hits: list[Hit]
    anchors: list[tuple[int, int, Anchor]] = field(default_factory=list)
    sections: list[Section] = field(default_factory=list)
    sentences: list[Sentence] = field(default_factory=list)
    mentions: list[Mention] = field(default_factory=list)
    red_flags: list[str] = field(default_factory=list)
    conflicts: list[str] = field(default_factory=list)
    details: list[Detail] = field(default_factory=list)
    spine_study: bool | None = None
    result: Any = None
    balance: int | None = None
    other_cord: bool | None = None
    labels: dict[int, list[tuple[int, int, str]]] | None = None  # level labels as written, by sentence
    _around: list[list[tuple[int, int, Any]]] | None = None
    _words: list[list[Site]] = field(default_factory=list)
    spoken_of: dict[int, list[Mention]] = field(default_factory=dict)  # lesions that a sentence describes
    _said: dict[int, Said] | None = None
    _starts: list[int] = field(default_factory=list)
    _grouped: dict[int, list[Mention]] = field(default_factory=dict)

    @property
    def study(self) -> str:
        """What the context calls the study and the part of the body, as `plain` shows it."""
        return plain(" ".join(str(self.context.get(key) or "") for key in ("study_description", "body_part")))

    @property
    def around(self) -> list[list[tuple[int, int, Any]]]:
        """What the second scan finds in the whole text, made when first asked for; see `Vocabulary`."""
        if self._around is None:
            self._around = self.vocabulary.around.find(self.plain)
        return self._around

    def sentence_at(self, offset: int) -> int:
        """Index of the sentence that holds `offset`."""
        if len(self._starts) != len(self.sentences):
            self._starts = [s.start for s in self.sentences]
        return max(0, bisect_right(self._starts, offset) - 1)

    def words(self, index: int) -> list[Site]:
        """The context phrases of a sentence, traps left out."""
        if not self._words:
            self._words = self._by_sentence(
                hit for hit in self.around[0] if not hit[2].trap or hit[2].elsewhere
            )
        return self._words[index]

    def _by_sentence(self, hits: Iterable[Site]) -> list[list[Site]]:
        """Hits in order, each to the sentence that holds all of it."""
        found: list[list[Site]] = [[] for _ in self.sentences]
        index, last = 0, len(self.sentences) - 1
        for hit in hits:
            while index < last and self.sentences[index + 1].start <= hit[0]:
                index += 1
            if hit[1] <= self.sentences[index].end:
                found[index].append(hit)
        return found

    def cues(self, index: int) -> list[tuple[int, int, tuple[Cue, ...]]]:
        """The certainty cues of a sentence."""
        sentence = self.sentences[index]
        if sentence.cues is None:
            sentence.cues = self.vocabulary.cues.find(self.plain, sentence.start, sentence.end)
        return sentence.cues

    def said(self) -> dict[int, Said]:
        """The describing phrases of the report: by the index of their sentence, then by their kind."""
        if self._said is None:
            self._said = {}
            index, last = 0, len(self.sentences) - 1
            for start, end, roles in self.around[2]:
                while index < last and self.sentences[index + 1].start <= start:
                    index += 1
                here = self._said.setdefault(index, {})
                for kind, value in roles:
                    here.setdefault(kind, []).append((start, end, value))
        return self._said

    def detail(self, kind: str, value: str, start: int, end: int, points: int | None = None) -> Detail:
        """A detail made of the words at [start, end)."""
        return Detail(kind, value, self.text[start:end], start, end, points)

    @property
    def has_lesion(self) -> bool:
        """Whether a lesion or pressure is affirmed, so that details are worth looking for."""
        return any(m.affirmed and m.concept.cls in _DESCRIBED for m in self.mentions)

    def in_sentence(self, index: int) -> list[Mention]:
        """The mentions of a sentence, in order."""
        return self._grouped.get(index, [])

    def add(self, mentions: list[Mention]) -> None:
        """Take up mentions, in the order of the text."""
        self.mentions = sorted(self.mentions + mentions, key=lambda m: m.start)
        self._grouped = {}
        for mention in self.mentions:
            self._grouped.setdefault(mention.sentence, []).append(mention)

    def by_sentence(self) -> dict[int, list[Mention]]:
        """All mentions by the index of their sentence."""
        return self._grouped


def new_page(text: str, context: Mapping[str, Any], vocabulary: Vocabulary) -> Page:
    """Scan a text once and lay out the sheet; a report without a word of the spine gets no hits."""
    page = Page(text, plain(text), context, vocabulary, [])
    page.anchors = vocabulary.spine.find(page.plain)
    if page.anchors or (context and vocabulary.spine.find(page.study)):
        found = vocabulary.terms.find(_without_levels(page))
        hits = [hit for hit in found if not hit[2].exact or _as_written(text, hit)]
        pressable = any(anchor.pressable for _, _, anchor in page.anchors)
        if any(
            term.concept or (pressable and term.grade) or term.may_be_pictured(page.plain, start, end)
            for start, end, term in hits
        ):
            page.hits = hits
    return page


def _without_levels(page: Page) -> str:
    """The plain text with blanks for the levels that stand inside a phrase."""
    text, parts, done = page.plain, [], 0
    for start, _, anchor in page.anchors:
        if anchor.label and start >= done:
            level = _INSIDE.match(text, start) or _OWNER.match(text, max(0, start - 4))
            if level:
                parts += [text[done : level.start()], " " * len(level.group())]
                done = level.end()
    return "".join((*parts, text[done:]))


def _as_written(text: str, hit: Hit) -> bool:
    """Whether an abbreviation in capitals stands in the text in capitals."""
    return text[hit[0] : hit[1]].replace("\n", " ") == hit[2].exact


def page_of(doc: Doc, vocabulary: Vocabulary) -> Page:
    """The sheet of a document; laid out here when the document came from spaCy's own tokenizer."""
    page: Page | None = doc.user_data.get("spinetriage")
    if page is None:
        page = doc.user_data["spinetriage"] = new_page(doc.text, doc._context or {}, vocabulary)
    return page
