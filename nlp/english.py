"""What `language.toml` may hold: how a text that is no English report is known."""

from dataclasses import dataclass

from nlp.strict import Share


@dataclass(frozen=True)
class WordList:
    """Words only."""

    words: tuple[str, ...]


@dataclass(frozen=True)
class Template:
    """Marks of a template that nobody filled in."""

    marks: tuple[str, ...]
    minimum_marks: int


@dataclass(frozen=True)
class LanguageRules:
    """What makes a text unreadable."""

    minimum_words: int
    minimum_english: Share
    english: WordList
    others: WordList
    template: Template
