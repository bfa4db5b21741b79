"""What the machine says of one version: the reader's object, and what is known beside the text."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from nlp import reader
from nlp.reading import Reading

CONFLICT = {"rule": "IDENTITY", "tier": "soon", "text": "the report names another patient than its study"}


def verdict(
    text: str,
    context: Mapping[str, Any],
    warnings: Iterable[str],
    read: Callable[..., Reading] = reader.read,
) -> dict[str, Any]:
    """Read a text and return what is stored of it; the same from the same, today and years later.

    Parameters
    ----------
    warnings
        Of the version: one whose patient is not its study's is at least soon.
    read
        Reads with other rules than those of the configuration.
    """
    reading = read(text, **context).to_dict()
    if "identity_conflict" in warnings:
        reading["reasons"].append(CONFLICT)
        if reading["tier"] == "routine":
            reading |= {"tier": "soon", "suspicious": True, "decided_by": CONFLICT["rule"]}
    return reading
