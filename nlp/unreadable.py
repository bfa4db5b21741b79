"""Texts that this reader cannot read: empty, not English, or a template that nobody filled in."""

import re

from nlp.page import Page
from nlp.schema import LanguageRules

_WORD = re.compile(r"[^\W\d_]+")
_CHOICE = re.compile(r"\[\s*\w+(?:\s*[/|]\s*\w+)+\s*\]")  # "[no/mild/severe]", nothing chosen
_ENOUGH = 20_000  # characters that show the language


def unreadable(page: Page, rules: LanguageRules) -> str | None:
    """Why the text cannot be read, or None; a text with an affirmed lesion is always read."""
    words = _WORD.findall(page.plain.strip()[:_ENOUGH])
    if any(m.affirmed for m in page.mentions):
        return None
    marks = sum(page.plain.count(mark) for mark in rules.template.marks)
    if marks >= rules.template.minimum_marks or _CHOICE.search(page.text):
        return "template"
    if not words:
        return "empty"
    foreign = _foreign_script(words, rules.minimum_words) or (
        len(words) >= rules.minimum_words and _foreign_language(words, rules)
    )
    return "language" if foreign else None


def _foreign_language(words: list[str], rules: LanguageRules) -> bool:
    """Whether the function words are those of other languages."""
    english = sum(map(set(rules.english.words).__contains__, words)) / len(words)
    other = sum(map(set(rules.others.words).__contains__, words)) / len(words)
    latin = sum(1 for w in words if w.isascii()) / len(words)
    if english < rules.minimum_english and (other > english or latin < 0.7):
        return True
    return other > 2 * english and other > 0.12


def _foreign_script(words: list[str], minimum: int) -> bool:
    """Whether most letters are of another script; some of those write no spaces, so words do not count."""
    letters = "".join(words)
    latin = sum(c < "\u0250" for c in letters)
    return len(letters) >= minimum and latin < len(letters) / 2
