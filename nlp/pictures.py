"""Findings that are described and not named: phrases that mean them only beside others in their sentence."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from nlp.phrases import Spellings

_NOT = re.compile(r"\b(?:no|not|non|nor|never|without|lacks?|lacking|absence of)\b[^.;:,]{0,25}$")


@dataclass(frozen=True)
class Picture:
    """An entry of `pictures.toml`: a "clot" beside the "thecal sac" is an epidural haematoma."""

    concept: str
    why: str
    words: tuple[str, ...]
    near: tuple[str, ...]  # "{level}" stands for any label: "T6"
    unless: tuple[str, ...] = ()  # words in the sentence that explain it otherwise
    reach: int = 60  # characters between the two


@dataclass(frozen=True, slots=True)
class Beside:
    """What must stand near a phrase, and what must not stand in its sentence."""

    near: re.Pattern[str]
    unless: re.Pattern[str] | None
    reach: int

    def shown(self, text: str, start: int, end: int, low: int, high: int) -> bool:
        """Whether the words of the sentence [low, high) around those at [start, end) make the picture."""
        if not self.near_by(text, start, end, low, high):
            return False
        return not (self.unless and self.unless.search(text, low, high))

    def near_by(self, text: str, start: int, end: int, low: int, high: int) -> bool:
        """Whether the words that must stand near do, and are not denied."""
        for first, last in ((max(low, start - self.reach), start), (end, min(high, end + self.reach))):
            for near in self.near.finditer(text, first, last):
                if not _NOT.search(text, max(low, near.start() - 30), near.start()):
                    return True
        return False


def compile_picture(picture: Picture, spellings: Spellings) -> Beside:
    """What to look for around the words of a picture."""
    unless = _any_of(picture.unless, spellings) if picture.unless else None
    return Beside(_any_of(picture.near, spellings), unless, picture.reach)


def _any_of(phrases: Iterable[str], spellings: Spellings) -> re.Pattern[str]:
    found = sorted({re.escape(form) for phrase in phrases for form in spellings(phrase)}, key=len)
    listed = "|".join(reversed(found)).replace(re.escape("{level}"), r"[ctdls]\d{1,2}")
    return re.compile(rf"(?<!\w)(?:{listed})(?!\w)")
