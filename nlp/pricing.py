"""What `priority.toml` may hold: points, floors, caps."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

from nlp.strict import Share

TIERS = ("stat", "urgent", "soon", "routine")


@dataclass(frozen=True)
class Floor:
    """A rule that sets a tier."""

    tier: Annotated[str, TIERS]
    text: str


@dataclass(frozen=True)
class Clinical:
    """Limits of the clinical term."""

    cap: int
    age_over: int
    age_points: int


@dataclass(frozen=True)
class Metadata:
    """Points for where the patient comes from."""

    outpatient: int
    cap: int
    outpatient_classes: tuple[str, ...]


@dataclass(frozen=True)
class PriorityRules:
    """Points, floors, caps."""

    tiers: Mapping[str, int]
    base: Mapping[str, int]
    certainty: Mapping[str, Share]
    neural: Mapping[str, int]
    stability: Mapping[str, int]
    time: Mapping[str, int]
    clinical: Clinical
    metadata: Metadata
    groups: Mapping[str, tuple[str, ...]]
    floors: Mapping[str, Floor]
    caps: Mapping[str, Floor]
