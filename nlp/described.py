"""What `details.toml` may hold, and its words compiled for search."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Annotated

from nlp.phrases import Spellings

DETAIL_KINDS = (
    "number",
    "no_number",
    "enhancement",
    "enhancement_how",
    "sequence",
    "signal",
    "feature",
    "density",
    "fracture",
    "fracture_age",
    "oedema",
    "height",
    "height_how",
    "share",
    "no_height",
    "retropulsion",
    "measure",
    "distance",
    "small",
    "posterolateral",
    "spared",
    "alignment",
    "pain",
    "sins",
    "recommend",
    "act",
    "when",
    "told",
    "person",
    "how",
    "not_told",
)
Role = tuple[str, str]  # what a phrase is for, and its value
Words = tuple[int, int, str]  # start, end, value
Said = dict[str, list[Words]]  # the phrases of a sentence by their kind


@dataclass(frozen=True)
class DetailWord:
    """Words of one kind with one value."""

    kind: Annotated[str, DETAIL_KINDS]
    why: str
    phrases: tuple[str, ...]
    value: str = ""


@dataclass(frozen=True)
class Primary:
    """Organs and diseases whose products are known cancers, and names that say both."""

    why: str
    disease: tuple[str, ...]
    after: tuple[str, ...]
    organs: Mapping[str, tuple[str, ...]]
    names: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True)
class Escc:
    """Spellings of the grade of epidural compression, and the concepts that grades stand for."""

    why: str
    before: tuple[str, ...]
    around: tuple[str, ...]
    grades: Mapping[str, tuple[str, ...]]
    concepts: Mapping[str, str]

    def phrases(self) -> Iterable[tuple[str, str]]:
        """(phrase, grade) of every spelling."""
        for grade, written in self.grades.items():
            for number in written:
                for name in self.before:
                    yield f"{name} {number}", grade
                for pattern in self.around:
                    yield pattern.replace("{}", number), grade


@dataclass(frozen=True)
class DetailRules:
    """All of `details.toml`."""

    word: tuple[DetailWord, ...]
    primary: Primary
    escc: Escc


def detail_phrases(rules: DetailRules, spellings: Spellings) -> dict[str, tuple[Role, ...]]:
    """Every describing phrase; one may have several roles."""
    roles: dict[str, tuple[Role, ...]] = {}

    def add(phrase: str, kind: str, value: str) -> None:
        for form in spellings(phrase):
            if (kind, value) not in roles.get(form, ()):
                roles[form] = (*roles.get(form, ()), (kind, value))

    for entry in rules.word:
        for phrase in entry.phrases:
            add(phrase, entry.kind, entry.value)
    primary = rules.primary
    for organ, words in primary.organs.items():
        for word in words:
            for disease in primary.disease:
                add(f"{word} {disease}", "primary", organ)
            for disease in primary.after:
                add(f"{disease} {word}", "primary", organ)
    for organ, names in primary.names.items():
        for name in names:
            add(name, "primary", organ)
    for phrase, grade in rules.escc.phrases():
        add(phrase, "escc", grade)
    return roles
