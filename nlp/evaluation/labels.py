"""Labelled reports: what a person says a report holds."""

import json
from dataclasses import dataclass
from typing import Any

from nlp.pricing import TIERS
from nlp.schema import AFFIRMED, CERTAINTIES, COMPARTMENTS, LESION_CLASSES

NEURAL = ("none", "possible", "present")
TIER_NAMES = dict(zip(("P1", "P2", "P3", "P4"), TIERS, strict=True))


class LabelError(ValueError):
    """A line is no labelled report; the text says what is wrong, without a word of the report."""


@dataclass(frozen=True, slots=True)
class Lesion:
    """One lesion as labelled; `quote` are words of the text that name it."""

    quote: str
    cls: str
    certainty: str
    compartments: frozenset[str]
    levels: tuple[str, ...]

    @property
    def affirmed(self) -> bool:
        """Whether the report says that the lesion is there, be it with a hedge."""
        return self.certainty in AFFIRMED


@dataclass(frozen=True, slots=True, repr=False)
class Labelled:
    """A report, its context for the reader, and its labels."""

    identity: str | int
    text: str
    context: dict[str, Any]
    suspicious: bool
    tier: str
    neural: str
    lesions: tuple[Lesion, ...]

    @property
    def affirmed(self) -> tuple[Lesion, ...]:
        """The lesions that are there."""
        return tuple(lesion for lesion in self.lesions if lesion.affirmed)


def labelled(line: bytes) -> Labelled:
    """Take one line of a labelled file: `{"id", "text", "gold": {…}}` and the context beside them.

    Raises
    ------
    LabelError
        If the line is not such an object, or a label is not one of its closed list.
    """
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        raise LabelError("is not JSON; expected one object a line") from None
    if not isinstance(value, dict):
        raise LabelError('is not an object; expected {"id": …, "text": …, "gold": {…}}')
    identity, text, gold = (value.pop(key, None) for key in ("id", "text", "gold"))
    if not isinstance(identity, str | int):
        raise LabelError('has no "id"; expected a text or a number')
    if not isinstance(text, str):
        raise LabelError('has no "text"; expected the text of a report')
    if not isinstance(gold, dict):
        raise LabelError('has no "gold"; expected its labels: suspicious, tier, neural, lesions')
    suspicious, lesions = gold.get("suspicious"), gold.get("lesions")
    if not isinstance(suspicious, bool):
        raise LabelError("gold: suspicious is not true or false")
    if not isinstance(lesions, list):
        raise LabelError("gold: lesions is not a list")
    return Labelled(
        identity=identity,
        text=text,
        context=value,
        suspicious=suspicious,
        tier=_tier(gold.get("tier")),
        neural=_one_of("gold: neural", gold.get("neural"), NEURAL),
        lesions=tuple(_lesion(f"gold: lesion {n}", lesion, text) for n, lesion in enumerate(lesions, 1)),
    )


def _tier(value: Any) -> str:
    if isinstance(value, str) and value in TIER_NAMES:
        return TIER_NAMES[value]
    return _one_of("gold: tier", value, TIERS)


def _lesion(where: str, value: Any, text: str) -> Lesion:
    if not isinstance(value, dict):
        raise LabelError(f"{where} is not an object")
    quote = value.get("quote")
    if not isinstance(quote, str) or not quote.strip() or quote.strip() not in text:
        raise LabelError(f"{where}: its quote does not stand in the text; copy the words as they are")
    compartments = _list(f"{where}: compartment", value.get("compartment", []))
    for compartment in compartments:
        _one_of(f"{where}: compartment", compartment, COMPARTMENTS)
    return Lesion(
        quote=quote.strip(),
        cls=_one_of(f"{where}: class", value.get("class"), LESION_CLASSES),
        certainty=_one_of(f"{where}: certainty", value.get("certainty"), CERTAINTIES),
        compartments=frozenset(compartments),
        levels=tuple(_list(f"{where}: levels", value.get("levels", []))),
    )


def _list(where: str, value: Any) -> list[str]:
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        raise LabelError(f"{where} is not a list of texts")
    return value


def _one_of(where: str, value: Any, allowed: tuple[str, ...]) -> str:
    if not isinstance(value, str) or value not in allowed:
        raise LabelError(f"{where} is not one of {', '.join(allowed)}")
    return value
