"""The rules compiled for search: which phrase means what."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any

from nlp.described import detail_phrases
from nlp.phrases import Phrases, Scan, Spellings, normal
from nlp.rules import load
from nlp.schema import Concept, Cue, Place, Rules, Trend
from nlp.terms import Term, compile_terms

# As levels are written, by German abbreviations too.
_REGIONS = ("c", "t", "th", "d", "l", "s", "cv", "tv", "dv", "lv", "hwk", "bwk", "lwk")
_ROMAN = ("i", "ii", "iii", "iv", "v", "vi", "vii", "viii", "ix", "x", "xi", "xii")


@dataclass(frozen=True, slots=True)
class Word:
    """A phrase of the scan around findings, with all its roles."""

    trends: tuple[Trend, ...] = ()
    place: Place | None = None
    spine: bool = False
    neuraxis: bool = False
    skeleton: bool = False
    whole: bool = False  # all of the bones: "throughout", "widespread"
    weak: bool = False  # of the spine or elsewhere: "epidural", "bone"
    head: bool = False
    disc: bool = False
    elsewhere: bool = False
    primary: bool = False  # an organ whose metastases are named after it
    target: str = ""
    severe: bool = False
    degenerative: bool = False
    not_degenerative: bool = False
    level: str = ""  # a bone that is a level: "dens"
    landmark: str = ""  # a place that ends a range: "from T8 to the conus"
    trap: bool = False


@dataclass(frozen=True, slots=True)
class Anchor:
    """A phrase that ties a report to the spine."""

    label: bool = False  # a level may begin here: "T6"
    numbered: bool = False  # a number before or after it makes a level: "thoracic", "vertebra"
    pressable: bool = False  # what can be pressed or entered


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """All phrase finders, made once from the rules."""

    rules: Rules
    spine: Phrases[Anchor]  # words without which nothing in a report can be of the spine
    terms: Phrases[Term]
    around: Scan  # words of place and change, headings, describing words: Word, kind of section, roles
    cues: Phrases[tuple[Cue, ...]]
    background: frozenset[str]  # names that are no finding of a study by themselves
    red_flags: Phrases[tuple[str, ...]]
    studies: Phrases[bool | None]
    template: re.Pattern[str]  # marks that an unfilled template leaves
    english: frozenset[str]  # function words
    foreign: frozenset[str]
    concepts: dict[str, Concept] = field(default_factory=dict)


def compile_rules(rules: Rules) -> Vocabulary:
    """Make the phrase finders of `rules`.

    Raises
    ------
    ConfigError
        If a trap is also a lexicon form: one of the two could never be found.
    """
    spellings = Spellings(rules.spelling.pairs)
    terms, words = compile_terms(rules, spellings), _words(rules, spellings)
    headings = {normal(name): kind for kind, part in rules.sections.items() for name in part.headings}
    return Vocabulary(
        rules=rules,
        spine=Phrases(_spine(rules, terms, words)),
        terms=Phrases(terms),
        around=Scan(words, headings, detail_phrases(rules.details, spellings)),
        cues=Phrases(_cues(rules, spellings)),
        background=frozenset(normal(p) for c in rules.cues if c.direction == "within" for p in c.phrases),
        red_flags=_red_flags(rules, spellings),
        studies=Phrases(_studies(rules)),
        template=re.compile("|".join(map(re.escape, rules.language.template.marks))),
        english=frozenset(rules.language.english.words),
        foreign=frozenset(rules.language.others.words),
        concepts={concept.id: concept for concept in rules.concepts},
    )


def _words(rules: Rules, spellings: Spellings) -> dict[str, Word]:
    words: dict[str, Word] = {}

    def mark(phrases: Iterable[str], **roles: Any) -> None:
        for phrase in phrases:
            for form in spellings(phrase):
                words[form] = replace(words.get(form, Word()), **roles)

    for trend in rules.trends:
        for phrase in trend.phrases:
            for form in spellings(phrase):
                word = words.get(form, Word())
                words[form] = replace(word, trends=(*word.trends, trend))
    for place in rules.places:
        mark(place.phrases, place=place, spine=place.spine)
    for target in rules.neural.target:
        inside = {"spine": True} if target.structure in ("cord", "cauda") else {}
        mark(target.phrases, target=target.structure, **inside)
    sites = rules.sites
    mark(rules.neural.severity.phrases, severe=True)
    mark(rules.neural.degenerative.phrases, degenerative=True)
    mark(rules.neural.not_degenerative.phrases, not_degenerative=True)
    # The later list wins: what is elsewhere is not the spine, whatever a compartment cue says.
    mark(sites.spine, spine=True)
    mark(sites.either, spine=False, weak=True)
    mark(sites.neuraxis, spine=False, weak=True, neuraxis=True)
    mark(sites.skeleton, spine=False, weak=True, skeleton=True)
    mark(sites.elsewhere, spine=False, weak=False, elsewhere=True)
    mark(sites.primary, primary=True)
    mark(sites.head, spine=False, weak=False, elsewhere=True, head=True)
    mark(sites.disc, disc=True)
    mark(sites.whole, whole=True)
    for phrase, level in rules.levels.named.items():
        mark([phrase], level=level)
    for phrase, level in rules.levels.landmarks.items():
        mark([phrase], landmark=level)
    for trap in rules.traps:
        for phrase in trap.forms:
            for form in spellings(phrase):
                words.setdefault(form, Word(trap=True, elsewhere=trap.elsewhere))
    return words


def _spine(rules: Rules, terms: dict[str, Term], words: dict[str, Word]) -> dict[str, Anchor]:
    """Every phrase that can make a thing one of the spine, with what else its place tells."""
    labels = {f"{region}{gap}{n}" for region in _REGIONS for gap in ("", " ", ".") for n in range(1, 13)}
    labels |= {f"{region} {n}" for region in _REGIONS for n in _ROMAN}
    labels |= {f"{one}{n}{other}{m}" for one, n, other, m in _discs()}
    found = dict.fromkeys(labels, Anchor(label=True))
    found |= {form: Anchor() for form, term in terms.items() if term.concept and term.concept.spinal}
    found |= {normal(name): Anchor() for name in rules.sites.spine_study}
    for form, word in words.items():
        if word.spine or word.neuraxis or word.skeleton or word.target or word.level:
            found[form] = Anchor(pressable=bool(word.target or word.place))
    numbered = (*rules.levels.regions, "vertebra", "vertebrae")
    found |= {name: Anchor() for name in numbered if name not in found}
    # A longer phrase may begin with either ("S1 root", "thoracic spine").
    for form, anchor in found.items():
        first = form.partition(" ")[0]
        if not anchor.label and (first in labels or first in numbered):
            found[form] = replace(anchor, label=first in labels, numbered=first in numbered)
    return found


def _discs() -> Iterator[tuple[str, int, str, int]]:
    """Neighbouring levels as they are written in one word: "L4L5", "L5S1"."""
    for region, last in (("c", 7), ("t", 12), ("d", 12), ("l", 5)):
        yield from ((region, n, region, n + 1) for n in range(1, last))
    yield from (("c", 7, "t", 1), ("c", 7, "d", 1), ("t", 12, "l", 1), ("d", 12, "l", 1), ("l", 5, "s", 1))


def _studies(rules: Rules) -> dict[str, bool | None]:
    """Whether a word of a study's name means the spine; None for a trap ("spine of the scapula")."""
    studies: dict[str, bool | None] = {normal(p): None for trap in rules.traps for p in trap.forms}
    studies |= {normal(word): False for word in rules.sites.other_study}
    return studies | {normal(word): True for word in rules.sites.spine_study}


def _cues(rules: Rules, spellings: Spellings) -> dict[str, tuple[Cue, ...]]:
    cues: dict[str, tuple[Cue, ...]] = {}
    for cue in rules.cues:
        for phrase in cue.phrases if cue.direction != "within" else ():
            for form in spellings(phrase):
                cues[form] = (*cues.get(form, ()), cue)
    return cues


def _red_flags(rules: Rules, spellings: Spellings) -> Phrases[tuple[str, ...]]:
    flags: dict[str, tuple[str, ...]] = {}
    for name, flag in rules.red_flags.items():
        for phrase in flag.phrases:
            for form in spellings(phrase):
                flags[form] = (*flags.get(form, ()), name)
    return Phrases(flags)


@cache
def current() -> Vocabulary:
    """The vocabulary of the configured folder, loaded and compiled once a process."""
    return compile_rules(load())
