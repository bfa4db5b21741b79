"""Texts that this reader cannot read: empty, not English, or a template that nobody filled in."""

import re

from nlp.page import Page
from nlp.vocabulary import Vocabulary

_CHOICE = re.compile(r"\[\s*\w+(?:\s*[/|]\s*\w+)+\s*\]")  # "[no/mild/severe]", nothing chosen
_LETTER = re.compile(r"[^\W\d_]")
_PLAINLY = 0.2  # share of English function words that needs no comparison
_SAMPLE = 300  # characters of the beginning and of the end that show the language


def unreadable(page: Page, vocabulary: Vocabulary) -> str | None:
    """Why the text cannot be read, or None; a text with an affirmed lesion is always read."""
    if any(m.affirmed for m in page.mentions):
        return None
    marks = vocabulary.template.findall(page.plain)
    if len(marks) >= vocabulary.rules.language.template.minimum_marks or (
        "[" in page.text and _CHOICE.search(page.text)
    ):
        return "template"
    sample = page.plain
    if len(sample) > 2 * _SAMPLE:
        sample = f"{sample[:_SAMPLE]} {sample[-_SAMPLE:]}"
    if not _LETTER.search(sample):
        return "empty"
    foreign = _foreign_script(sample, vocabulary) or _foreign_language(sample.split(), vocabulary)
    return "language" if foreign else None


def _foreign_language(words: list[str], vocabulary: Vocabulary) -> bool:
    """Whether the function words are those of other languages."""
    rules = vocabulary.rules.language
    if len(words) < rules.minimum_words:
        return False
    english = sum(map(vocabulary.english.__contains__, words)) / len(words)
    if english > _PLAINLY:
        return False
    other = sum(map(vocabulary.foreign.__contains__, words)) / len(words)
    if english < rules.minimum_english:
        return other > english or sum(map(str.isascii, words)) < 0.7 * len(words)
    return other > 2 * english and other > 0.12


def _foreign_script(sample: str, vocabulary: Vocabulary) -> bool:
    """Whether most letters are of another script; some of those write no spaces, so words do not count."""
    if sample.isascii():
        return False
    letters = [c for c in sample if c.isalpha()]
    latin = sum(c < "\u0250" for c in letters)
    return len(letters) >= vocabulary.rules.language.minimum_words and latin < len(letters) / 2
