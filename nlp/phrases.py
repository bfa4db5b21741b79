"""Finding many phrases in one pass over a text."""

import re
from bisect import bisect_left
from collections.abc import Iterable, Mapping
from typing import Any, Generic, TypeVar

from ahocorasick_rs import AhoCorasick, Implementation

Payload = TypeVar("Payload")

# Joiners become spaces, so that "lytic-destructive", "lytic/destructive" and a wrapped line are one phrase.
# '#' is how a fracture is dictated; as a letter it has word boundaries. Half a character is no character.
_JOINERS = (*((mark, " ") for mark in "-/\t\n\r\x0b\x0c\x00"), ("#", "ʄ"))
_RARE = (*((mark, " ") for mark in "\xa0\u2009\u202f‐‑‒–—"), ("\u2019", "'"), ("\u2018", "'"))
_HALF = re.compile("[\ud800-\udfff]")
_WIDE = re.compile("  +")
_VOWELS = "aeiouy"


def plain(text: str) -> str:
    """The text in lower case with joiners as spaces; every character keeps its offset."""
    lower = text.lower()
    if len(lower) != len(text):  # a few capital letters have two lower-case characters
        lower = "".join(c.lower() if len(c.lower()) == 1 else c for c in text)
    for mark, simple in _JOINERS:  # faster than translate: most marks are not there
        lower = lower.replace(mark, simple)
    if lower.isascii():
        return lower
    for mark, simple in _RARE:
        lower = lower.replace(mark, simple)
    return _HALF.sub("\ufffd", lower)


def normal(phrase: str) -> str:
    """A phrase as `plain` would show it, with single spaces."""
    return " ".join(plain(phrase).split())


class Spellings:
    """Gives a phrase in every mixture of paired spellings: tumor and tumour, disc and disk.

    Parameters
    ----------
    pairs
        Two spellings each; a space at the end stands for the end of a word.
    """

    def __init__(self, pairs: Iterable[tuple[str, ...]]) -> None:
        self._changes = [change for one, other in pairs for change in ((one, other), (other, one))]
        self._any = re.compile("|".join(re.escape(one) for one, _ in self._changes))

    def __call__(self, phrase: str) -> set[str]:
        """The phrase as `normal` shows it, and its other spellings."""
        written = normal(phrase) + " "
        found = {written}
        if self._any.search(written):
            for one, other in self._changes:
                # The second test keeps "oedema" from growing to "ooedema".
                found |= {f.replace(one, other) for f in found if one in f and other not in f}
        return {f.rstrip() for f in found}


def plurals(phrase: str, endings: Iterable[tuple[str, str]]) -> set[str]:
    """Plural forms of the last word."""
    found = {phrase + "s"} if phrase[-1:].isalpha() and phrase[-1] not in "sxy" else set()
    return found | {phrase.removesuffix(one) + many for one, many in endings if phrase.endswith(one)}


def slips(word: str) -> set[str]:
    """The word with a letter missing, doubled, swapped, another vowel, or a gap.

    First and last letter stay: without the last, many are words of other languages ("Metastase").
    """
    inner = range(1, len(word) - 1)
    missing = {word[:i] + word[i + 1 :] for i in inner}
    doubled = {word[:i] + word[i] + word[i:] for i in range(1, len(word))}
    swapped = {word[:i] + word[i + 1] + word[i] + word[i + 2 :] for i in inner}
    vowels = {word[:i] + v + word[i + 1 :] for i in inner if word[i] in _VOWELS for v in _VOWELS}
    gaps = {f"{word[:i]} {word[i:]}" for i in range(4, len(word) - 3)}
    return (missing | doubled | swapped | vowels | gaps) - {word}


class Phrases(Generic[Payload]):
    """Phrases with something attached to each; finds the longest from the left, on whole words.

    One Aho-Corasick automaton reads each letter of a text once, however many phrases there are.

    Parameters
    ----------
    payloads
        Phrase, as `normal` shows it, to what it stands for.
    """

    def __init__(self, payloads: Mapping[str, Payload]) -> None:
        self.payloads = dict(payloads)
        self._values = tuple(self.payloads.values())
        self._automaton = AhoCorasick(self.payloads, implementation=Implementation.ContiguousNFA)

    def find(self, plain_text: str, start: int = 0, end: int | None = None) -> list[tuple[int, int, Payload]]:
        """(start, end, payload) of each phrase in `plain_text[start:end]`, which `plain` made."""
        text = plain_text[start:end] if start or end is not None else plain_text
        whole, wide = _whole_words(self._automaton, text)
        found = []
        done = 0
        for at, to, number in whole:
            if at >= done:
                done = -to
                found.append((start + at, start + done, self._values[number]))
        return _widened(found, start, wide) if wide else found

    def __getstate__(self) -> dict[str, Any]:
        return {"payloads": self.payloads}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__init__(state["payloads"])  # type: ignore[misc]


class Scan:
    """Several kinds of phrases, found in one pass over a text; each kind as if it were alone.

    Parameters
    ----------
    kinds
        For each kind, phrase, as `normal` shows it, to what it stands for.
    """

    def __init__(self, *kinds: Mapping[str, Any]) -> None:
        self.kinds = kinds
        payloads: dict[str, list[tuple[int, Any]]] = {}
        for kind, phrases in enumerate(kinds):
            for phrase, payload in phrases.items():
                payloads.setdefault(phrase, []).append((kind, payload))
        self._values = tuple(payloads.values())
        self._automaton = AhoCorasick(payloads, implementation=Implementation.ContiguousNFA)

    def find(self, plain_text: str) -> list[list[tuple[int, int, Any]]]:
        """For each kind, (start, end, payload) of each phrase, as `Phrases.find` gives them."""
        whole, wide = _whole_words(self._automaton, plain_text)
        found: list[list[tuple[int, int, Any]]] = [[] for _ in self.kinds]
        done = [0] * len(self.kinds)
        for at, to, number in whole:
            for kind, payload in self._values[number]:
                if at >= done[kind]:
                    done[kind] = -to
                    found[kind].append((at, -to, payload))
        return [_widened(one, 0, wide) for one in found] if wide else found

    def __getstate__(self) -> dict[str, Any]:
        return {"kinds": self.kinds}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__init__(*state["kinds"])  # type: ignore[misc]


def _whole_words(
    automaton: AhoCorasick, text: str
) -> tuple[list[tuple[int, int, int]], list[tuple[int, int]]]:
    """(start, -end, number) of each phrase on whole words, from the left and the longest first, overlapping
    ones too; and the wide gaps that were closed before.
    """
    wide = _wide_gaps(text)
    if wide:
        text = _WIDE.sub(" ", text)
    size = len(text)
    whole = [
        (at, -to, number)
        for number, at, to in automaton.find_matches_as_indexes(text, overlapping=True)
        if (to == size or not text[to].isalnum()) and (not at or not text[at - 1].isalnum())
    ]
    whole.sort()
    return whole, wide


def _wide_gaps(text: str) -> list[tuple[int, int]]:
    """(offset, surplus) of runs of spaces, none if all runs stand after a stop, where no phrase goes on."""
    at = text.find("  ")
    while at > 0 and not text[at - 1].isalnum():
        at = text.find("  ", at + 2)
    return [(m.start(), m.end() - m.start() - 1) for m in _WIDE.finditer(text)] if at >= 0 else []


def _widened(
    found: list[tuple[int, int, Payload]], start: int, gaps: list[tuple[int, int]]
) -> list[tuple[int, int, Payload]]:
    """Matches in single-spaced text, moved to where they stand in the text as it is."""
    narrow, moved, total = [], [0], 0
    for offset, surplus in gaps:
        narrow.append(start + offset - total)
        total += surplus
        moved.append(total)
    return [
        (at + moved[bisect_left(narrow, at)], to + moved[bisect_left(narrow, to)], payload)
        for at, to, payload in found
    ]
