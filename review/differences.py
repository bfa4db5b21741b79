"""What changed between two texts, word by word."""

from __future__ import annotations

import re
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import pairwise
from typing import Literal

LONGEST = 2000  # words compared one by one; more would keep a reader waiting
AROUND = 12  # unchanged words shown before and after a change
_WORD = re.compile(r"\s*\S+")


@dataclass(frozen=True, slots=True)
class Piece:
    """A run of words: the same in both texts, added, removed, or left out of the picture."""

    kind: Literal["same", "added", "removed", "skipped"]
    text: str


@dataclass(frozen=True, slots=True)
class Difference:
    """What changed from one text to the next."""

    pieces: list[Piece]
    is_too_long: bool = False

    @property
    def added(self) -> int:
        """How many words came."""
        return self._count("added")

    @property
    def removed(self) -> int:
        """How many words went."""
        return self._count("removed")

    def _count(self, kind: str) -> int:
        return sum(len(piece.text.split()) for piece in self.pieces if piece.kind == kind)


def difference(before: str, after: str) -> Difference:
    """Compare two texts by their words; spaces and line ends alone are no change.

    What both begin and end with is set aside first, so that only the changed middle counts against
    `LONGEST`.
    """
    old, new = _WORD.findall(before), _WORD.findall(after)
    old_keys, new_keys = [word.strip() for word in old], [word.strip() for word in new]
    head = _common(old_keys, new_keys)
    tail = _common(old_keys[head:][::-1], new_keys[head:][::-1])
    old_keys, new_keys = old_keys[head : len(old) - tail], new_keys[head : len(new) - tail]
    if max(len(old_keys), len(new_keys)) > LONGEST:
        return Difference([], is_too_long=True)
    pieces = [Piece("same", "".join(new[:head]))]
    matcher = SequenceMatcher(None, old_keys, new_keys, autojunk=False)
    for tag, i, j, k, m in matcher.get_opcodes():
        if tag == "equal":
            pieces.append(Piece("same", "".join(new[head + k : head + m])))
            continue
        pieces.append(Piece("removed", "".join(old[head + i : head + j])))
        pieces.append(Piece("added", "".join(new[head + k : head + m])))
    pieces.append(Piece("same", "".join(new[len(new) - tail :])))
    return Difference(_spaced(_folded([piece for piece in pieces if piece.text])))


def _common(one: list[str], other: list[str]) -> int:
    """Return how many words both begin with."""
    pairs = enumerate(zip(one, other, strict=False))
    return next((at for at, (a, b) in pairs if a != b), min(len(one), len(other)))


def _spaced(pieces: list[Piece]) -> list[Piece]:
    """Keep the words of neighbouring pieces apart where only one of the texts had a space between them."""
    spaced = pieces[:1]
    for before, piece in pairwise(pieces):
        joined = not before.text[-1].isspace() and not piece.text[0].isspace()
        spaced.append(Piece(piece.kind, f" {piece.text}") if joined else piece)
    return spaced


def _folded(pieces: list[Piece]) -> list[Piece]:
    """Leave out unchanged words far from any change, and say how many."""
    if all(piece.kind == "same" for piece in pieces):
        return []
    shown: list[Piece] = []
    for at, piece in enumerate(pieces):
        words = _WORD.findall(piece.text)
        lead = AROUND if at > 0 else 0
        trail = AROUND if at < len(pieces) - 1 else 0
        left_out = len(words) - lead - trail
        if piece.kind != "same" or left_out <= 1:
            shown.append(piece)
            continue
        shown += [
            Piece("same", "".join(words[:lead])),
            Piece("skipped", f"{left_out} words as before"),
            Piece("same", "".join(words[lead + left_out :])),
        ]
    return [piece for piece in shown if piece.text]
