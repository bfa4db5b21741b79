"""Finding many phrases in one pass over a text."""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Generic, TypeVar

Payload = TypeVar("Payload")

# Joiners become spaces, so that "lytic-destructive", "lytic/destructive" and a wrapped line are one phrase.
# '#' is how a fracture is dictated; as a letter it has word boundaries.
_JOINERS = str.maketrans(
    dict.fromkeys("-/\t\n\r\x0b\x0c\xa0\u2009\u202f‐‑‒–—\x00", " ") | {"#": "ʄ", "\u2019": "'", "\u2018": "'"}
)


def plain(text: str) -> str:
    """The text in lower case with joiners as spaces; every character keeps its offset."""
    lower = text.lower()
    if len(lower) != len(text):  # a few capital letters have two lower-case characters
        lower = "".join(c.lower() if len(c.lower()) == 1 else c for c in text)
    return lower.translate(_JOINERS)


def normal(phrase: str) -> str:
    """A phrase as `plain` would show it, with single spaces."""
    return " ".join(plain(phrase).split())


def spellings(phrase: str, pairs: Iterable[tuple[str, str]]) -> set[str]:
    """The phrase in every mixture of the paired spellings (tumor and tumour, disc and disk)."""
    found = {normal(phrase) + " "}
    for left, right in pairs:
        for one, other in ((left, right), (right, left)):
            # The lookbehind and the second test keep "oedema" from growing to "ooedema".
            found |= {f.replace(one, other) for f in found if one in f and other not in f}
    return {normal(f) for f in found}


def plurals(phrase: str, endings: Iterable[tuple[str, str]]) -> set[str]:
    """Plural forms of the last word."""
    found = {phrase + "s"} if phrase[-1:].isalpha() and phrase[-1] not in "sxy" else set()
    return found | {phrase.removesuffix(one) + many for one, many in endings if phrase.endswith(one)}


def slips(word: str) -> set[str]:
    """The word with one letter missing, doubled, or two neighbours swapped; the first letter stays."""
    missing = {word[:i] + word[i + 1 :] for i in range(1, len(word))}
    doubled = {word[:i] + word[i] + word[i:] for i in range(1, len(word))}
    swapped = {word[:i] + word[i + 1] + word[i] + word[i + 2 :] for i in range(1, len(word) - 1)}
    return (missing | doubled | swapped) - {word}


class Phrases(Generic[Payload]):
    """Phrases with something attached to each; finds the longest from the left, on whole words.

    Parameters
    ----------
    payloads
        Phrase (any case and spacing) to what it stands for.
    """

    def __init__(self, payloads: Mapping[str, Payload]) -> None:
        self.payloads = {normal(phrase): payload for phrase, payload in payloads.items()}
        self._regex = re.compile(rf"\b(?:{_trie_regex(self.payloads)})\b") if self.payloads else None

    def find(
        self, plain_text: str, start: int = 0, end: int | None = None
    ) -> Iterator[tuple[int, int, Payload]]:
        """Yield (start, end, payload) for each phrase in `plain_text[start:end]`, which `plain` made."""
        if self._regex is None:
            return
        for match in self._regex.finditer(plain_text, start, len(plain_text) if end is None else end):
            words = match.group()
            payload = self.payloads.get(words)
            if payload is None:  # more than one space between the words
                payload = self.payloads[" ".join(words.split())]
            yield match.start(), match.end(), payload

    def __getstate__(self) -> dict[str, Any]:
        return {"payloads": self.payloads}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__init__(state["payloads"])  # type: ignore[misc]


def _trie_regex(phrases: Iterable[str]) -> str:
    """One regular expression that reads each letter once, instead of one alternative per phrase."""
    root: dict[str, Any] = {}
    for phrase in phrases:
        node = root
        for char in phrase:
            node = node.setdefault(char, {})
        node[""] = {}

    def regex(node: dict[str, Any]) -> str:
        branches = [
            (" +" if char == " " else re.escape(char)) + regex(rest) for char, rest in node.items() if char
        ]
        if not branches:
            return ""
        body = branches[0] if len(branches) == 1 else f"(?:{'|'.join(branches)})"
        return f"(?:{body})?" if "" in node else body

    return regex(root)
