"""From counts to figures, each with its 95 % interval.

A proportion has Wilson's score interval. F1 is no proportion: its interval is the middle 95 % of what the
same reports, drawn again at random with replacement, would have given; the draws are seeded, so the same
counts always give the same interval.
"""

import math
import random
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from nlp.schema import COMPARTMENTS

DRAWS = 1000
SEED = 20261124
_Z = 1.959963984540054  # 97.5 % of the normal distribution lie below it

# Measure: what is counted as right, and what it is a part of.
PROPORTIONS = {
    "suspicious_sensitivity": ("suspicious tp", ("suspicious tp", "suspicious fn")),
    "suspicious_ppv": ("suspicious tp", ("suspicious tp", "suspicious fp")),
    "suspicious_specificity": ("suspicious tn", ("suspicious tn", "suspicious fp")),
    "stat_sensitivity": ("stat tp", ("stat tp", "stat fn")),
    "stat_ppv": ("stat tp", ("stat tp", "stat fp")),
    "stat_or_urgent_sensitivity": ("stat or urgent tp", ("stat or urgent tp", "stat or urgent fn")),
    "tier_exact": ("tier exact", ("reports",)),
    "tier_within_one": ("tier within one", ("reports",)),
    "affirmed_lesions_found": ("lesion tp", ("lesion tp", "lesion fn")),
    "not_affirmed_wrongly_affirmed": ("lesion fp", ("lesion fp", "lesion tn")),
    "neural_precision": ("neural tp", ("neural tp", "neural fp")),
    "neural_recall": ("neural tp", ("neural tp", "neural fn")),
}
F1 = {"neural_f1": "neural", "levels_f1": "levels"} | {f"{name}_f1": name for name in COMPARTMENTS}
MACRO = "compartment_macro_f1"


@dataclass(frozen=True, slots=True)
class Measure:
    """A figure from 0 to 1 with its 95 % interval; None where there was nothing to count."""

    name: str
    value: float | None
    interval: tuple[float, float] | None
    of: int  # how many it is a part of; of an F1, how many there were to find


def measures(counted: Sequence[Counter[str]]) -> list[Measure]:
    """Sum up what `counts.count` gave for each report."""
    total: Counter[str] = sum(counted, Counter())
    found = []
    for name, (right, parts) in PROPORTIONS.items():
        of = sum(total[part] for part in parts)
        value = total[right] / of if of else None
        found.append(Measure(name, value, wilson(total[right], of) if of else None, of))
    drawn: dict[str, list[float]] = {name: [] for name in (*F1, MACRO)}
    for again in _draws(counted):
        for name, value in _f1s(again).items():
            if value is not None:
                drawn[name].append(value)
    for name, value in _f1s(total).items():
        names = COMPARTMENTS if name == MACRO else (F1[name],)
        of = sum(total[f"{one} tp"] + total[f"{one} fn"] for one in names)
        found.append(Measure(name, value, None if value is None else _middle(drawn[name]), of))
    return found


def wilson(right: int, of: int) -> tuple[float, float]:
    """Wilson's 95 % score interval of a proportion."""
    share, z2 = right / of, _Z * _Z
    middle = share + z2 / (2 * of)
    half = _Z * math.sqrt(share * (1 - share) / of + z2 / (4 * of * of))
    return max(0.0, (middle - half) / (1 + z2 / of)), min(1.0, (middle + half) / (1 + z2 / of))


def _f1(counts: Mapping[str, int], name: str) -> float | None:
    right = 2 * counts[f"{name} tp"]
    of = right + counts[f"{name} fp"] + counts[f"{name} fn"]
    return right / of if of else None


def _f1s(counts: Mapping[str, int]) -> dict[str, float | None]:
    found = {name: _f1(counts, counted) for name, counted in F1.items()}
    each = [value for name in COMPARTMENTS if (value := found[f"{name}_f1"]) is not None]
    return found | {MACRO: sum(each) / len(each) if each else None}


def _draws(counted: Sequence[Counter[str]]) -> Iterator[Counter[str]]:
    """The sums of reports drawn again; reports with the same counts are drawn as one kind."""
    names = [f"{name} {kind}" for name in F1.values() for kind in ("tp", "fp", "fn")]
    kinds = Counter(tuple(counts[name] for name in names) for counts in counted)
    rng = random.Random(SEED)  # noqa: S311 - chance, not secrecy
    for _ in range(DRAWS):
        sums = [0] * len(names)
        for kind, times in Counter(rng.choices([*kinds], [*kinds.values()], k=len(counted))).items():
            for place, number in enumerate(kind):
                sums[place] += number * times
        yield Counter(dict(zip(names, sums, strict=True)))


def _middle(values: list[float]) -> tuple[float, float]:
    ordered = sorted(values)
    edge = round(0.025 * (len(ordered) - 1))
    return ordered[edge], ordered[-1 - edge]
