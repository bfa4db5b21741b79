"""What the rules know of levels: how they are written, whose they are, and how a text goes on about them."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Words:
    """A plain list with its reason."""

    why: str
    phrases: tuple[str, ...]


@dataclass(frozen=True)
class Owners:
    """What has a level without being a lesion: wherever it stands, or as the subject of its clause."""

    why: str
    phrases: tuple[str, ...]
    subjects: tuple[str, ...]
    long: tuple[str, ...]  # subjects that pass many levels: theirs only with a verb ("the cord ends at L1")
    between: tuple[str, ...]  # words that may stand between it and the level
    verbs: tuple[str, ...]  # with one of these a subject needs no beginning of a clause before it ...
    attached: tuple[str, ...]  # ... but none of these words


@dataclass(frozen=True)
class Follow:
    """How a sentence without a finding begins when its levels are those of the finding before."""

    why: str
    same: tuple[str, ...]  # how one goes on about the very same lesion
    pronouns: tuple[str, ...]
    treatments: tuple[str, ...]
    operations: tuple[str, ...]  # treatments and curves: their level is the lesion's where no other is told
    things: tuple[str, ...]  # a lesion without a name, whose level the diagnosis takes
    back: tuple[str, ...]  # words that point back to a level told before
    parts: Mapping[str, str]  # a word for a part of the spine, and its region
    scattered: tuple[str, ...]  # a long range after these sums up what is told one by one
    everywhere: tuple[str, ...]  # a finding so called has no level of its neighbours


@dataclass(frozen=True)
class LevelRules:
    """Number words, regions, named bones, and the words that make a label no level of a lesion."""

    words: Mapping[str, int]
    regions: Mapping[str, str]
    named: Mapping[str, str]
    landmarks: Mapping[str, str]
    not_after: Words
    not_before: Words
    weighting_before: Words
    weighting_after: Words
    root_of: Words
    healthy: Words
    owners: Owners
    follow: Follow

    __hash__ = object.__hash__  # what is compiled from them is kept by identity
