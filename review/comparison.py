"""What a later reading says that an earlier one did not, for the people who judged the earlier."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from review.evidence import AFFIRMED
from review.models import Reading, Tier

Finding = dict[str, Any]
Span = tuple[int, int]
ROUTINE = len(Tier)  # ranks after every tier


def rank(reading: Reading) -> int:
    """Return how urgent a reading is, the gravest first; `ROUTINE` when nothing is to be looked at."""
    if reading.unreadable:
        return Tier.UNREAD
    return next((tier.value for tier in Tier if tier.label == reading.tier), ROUTINE)


def affirmed(content: dict[str, Any]) -> Iterator[Finding]:
    """Yield the lesions that a reading affirms."""
    return (finding for finding in content["findings"] if finding["certainty"] in AFFIRMED)


def added(before: dict[str, Any], after: dict[str, Any], judged: Iterable[Span] = ()) -> list[Finding]:
    """Return the lesions that a reading affirms on words on which an earlier one of the text affirmed none.

    Parameters
    ----------
    judged
        Stretches of the text about which a person said what is true: nothing there is news.
    """
    known = [(finding["start"], finding["end"]) for finding in affirmed(before)] + list(judged)
    return [
        finding
        for finding in affirmed(after)
        if not any(start < finding["end"] and finding["start"] < end for start, end in known)
    ]


def asks_again(seen: Reading, later: Reading, judged: Iterable[Span]) -> bool:
    """Tell whether a dismissed report must be looked at again, as it was read again with other rules.

    So it is when it reads as more urgent than what the person saw, or when a lesion is affirmed on words that
    were neither affirmed then nor judged by a person. Of another version than the person saw, all is news.
    """
    if later.version_id != seen.version_id:
        return rank(later) != ROUTINE
    if rank(later) in (ROUTINE, Tier.UNREAD):
        return False
    return rank(later) < rank(seen) or bool(added(seen.content, later.content, judged))
