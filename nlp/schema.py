"""What the rule files may hold: closed lists of values, and one frozen record for each kind of entry.

The types are the schema: `Annotated[str, LIST]` takes only words of the list, a bare `str` no empty one.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated

from nlp.described import DetailRules
from nlp.english import LanguageRules
from nlp.level_rules import LevelRules, Words
from nlp.pictures import Picture
from nlp.pricing import PriorityRules
from nlp.strict import Share

LESION_CLASSES = (
    "malignant",
    "suspicious",
    "benign_tumor",
    "infection",
    "haemorrhage",
    "vascular",
    "cyst",
    "inflammatory",
    "fracture",
    "benign_other",
)
CONTEXT_CLASSES = (
    "compression",
    "crowding",
    "syndrome",
    "degenerative",
    "postoperative",
    "device",
    "anatomy",
)
TUMOURS = ("malignant", "suspicious")
PRESSURE = ("compression", "crowding")
COMPARTMENTS = ("extradural", "intradural_extramedullary", "intramedullary")
ROUTES = ("S", "E", "T", "I", "B", "M")
STRENGTHS = ("definitional", "strong", "moderate", "weak")
SITES = ("always", "spinal", "needed", "beside")
CERTAINTIES = (
    "present",
    "probable",
    "possible",
    "unlikely",
    "absent",
    "historical",
    "indication",
    "recommendation",
)
AFFIRMED = CERTAINTIES[:3]  # the report says, or may say, that it is there
CUE_LABELS = (*CERTAINTIES, "family", "other", "pseudo", "end")
DIRECTIONS = ("after", "before", "both", "within")
REACHES = ("next", "phrase", "purpose", "condition", "general", "dated", "list", "clause", "sentence")
TRENDS = ("new", "progressed", "stable", "regressed", "resolved", "unknown")
TREND_LABELS = (*TRENDS[:-1], "old", "quiet", "chronic", "change", "other", "none")
SECTIONS = (
    "indication",
    "history",
    "technique",
    "comparison",
    "findings",
    "impression",
    "recommendation",
    "addendum",
    "signoff",
)
GRADES = (
    "compression",
    "shape",
    "thinning",
    "effect",
    "contact",
    "displacement",
    "draping",
    "filling",
    "extension",
    "swelling",
)
STRUCTURES = ("cord", "medulla", "spine", "cauda", "sac", "canal", "other")


@dataclass(frozen=True)
class Concept:
    """A lesion (or its context) with all words for it."""

    id: str
    name: str
    route: Annotated[str, ROUTES]
    strength: Annotated[str, STRENGTHS]
    site: Annotated[str, SITES]
    why: str
    compartments: Mapping[Annotated[str, COMPARTMENTS], Share] = field(default_factory=dict)
    forms: tuple[str, ...] = ()
    dictation: tuple[str, ...] = ()
    abbreviations: tuple[str, ...] = ()
    codes: Mapping[str, str] = field(default_factory=dict)
    trend: Annotated[str, TRENDS] = "unknown"
    cls: str = ""

    @property
    def spinal(self) -> bool:
        """Whether its words alone mean the spine."""
        return self.site in ("always", "spinal")


@dataclass(frozen=True)
class Cue:
    """Words that set the certainty of a finding before or after them."""

    label: Annotated[str, CUE_LABELS]
    direction: Annotated[str, DIRECTIONS]
    reach: Annotated[str, REACHES]
    why: str
    phrases: tuple[str, ...]


@dataclass(frozen=True)
class Trend:
    """Words that tell how a finding changed."""

    label: Annotated[str, TREND_LABELS]
    direction: Annotated[str, DIRECTIONS]
    why: str
    phrases: tuple[str, ...]
    dated: bool = False  # only with a year behind the words


@dataclass(frozen=True)
class Place:
    """Words that tell a compartment; `anatomy` if they name a place, `bone`/`canal` which kind of place."""

    compartments: tuple[Annotated[str, COMPARTMENTS], ...]
    strength: Share
    why: str
    phrases: tuple[str, ...]
    anatomy: bool = True
    bone: bool = False
    canal: bool = False
    spine: bool = True  # the word also tells that something is of the spine


@dataclass(frozen=True)
class Landmarks:
    """Words around a place that tell that the lesion does not lie in it."""

    why: str
    beside: tuple[str, ...]
    pressed: tuple[str, ...]
    between: tuple[str, ...]  # words that may stand between these and the place
    surfaces: tuple[str, ...]
    sources: tuple[str, ...]  # before the name of the tumour that a metastasis came from
    spared: tuple[str, ...]

    __hash__ = object.__hash__  # what is compiled from them is kept by identity


@dataclass(frozen=True)
class Trap:
    """Words that look like a finding and are none."""

    ids: tuple[str, ...]
    why: str
    phrases: tuple[str, ...]
    elsewhere: bool = False  # the phrase is a place of another part of the body
    heads: tuple[str, ...] = ()  # a trap only with one of these behind it: "MSCC" and "meeting"

    @property
    def forms(self) -> tuple[str, ...]:
        """The phrases as they stand in a report."""
        return tuple(f"{p} {head}" for p in self.phrases for head in self.heads) or self.phrases


@dataclass(frozen=True)
class Verb:
    """Words for pressing or touching."""

    grade: Annotated[str, GRADES]
    why: str
    phrases: tuple[str, ...]


@dataclass(frozen=True)
class Target:
    """What can be pressed."""

    structure: Annotated[str, STRUCTURES]
    why: str
    phrases: tuple[str, ...]


@dataclass(frozen=True)
class Neural:
    """How pressure on cord and cauda equina is told, how bad, and from what."""

    verb: tuple[Verb, ...]
    target: tuple[Target, ...]
    severity: Words
    suspicion: Words
    degenerative: Words
    not_degenerative: Words


@dataclass(frozen=True)
class Heading:
    """Headings of one kind of section and the certainty of what stands under them ("" = by cue)."""

    certainty: Annotated[str, ("", *CERTAINTIES)]
    why: str
    headings: tuple[str, ...]


@dataclass(frozen=True)
class Sites:
    """Words of the spine and of the rest of the body."""

    spine: tuple[str, ...]
    either: tuple[str, ...]
    neuraxis: tuple[str, ...]
    skeleton: tuple[str, ...]
    whole: tuple[str, ...]
    elsewhere: tuple[str, ...]
    primary: tuple[str, ...]
    head: tuple[str, ...]
    disc: tuple[str, ...]
    spine_study: tuple[str, ...]
    other_study: tuple[str, ...]


@dataclass(frozen=True)
class RedFlag:
    """Clinical words with their points."""

    points: int
    why: str
    phrases: tuple[str, ...]


@dataclass(frozen=True)
class Spelling:
    """Spellings and plurals made by rule."""

    pairs: tuple[tuple[str, ...], ...]
    plurals: tuple[tuple[str, ...], ...]
    slips: tuple[str, ...]
    adjectives: tuple[str, ...]


@dataclass(frozen=True)
class Rules:
    """Everything the reader knows, and the version that names exactly this knowledge."""

    concepts: tuple[Concept, ...]
    cues: tuple[Cue, ...]
    trends: tuple[Trend, ...]
    places: tuple[Place, ...]
    landmarks: Landmarks
    traps: tuple[Trap, ...]
    pictures: tuple[Picture, ...]
    neural: Neural
    sections: Mapping[str, Heading]
    sites: Sites
    levels: LevelRules
    red_flags: Mapping[str, RedFlag]
    spelling: Spelling
    language: LanguageRules
    priority: PriorityRules
    details: DetailRules
    version: str
    files: Mapping[str, str]  # the text of each file that all of it was read from, by name
