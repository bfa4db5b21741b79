"""What the machine misses, from the quality sample: routine reports that people read blind."""

from __future__ import annotations

from typing import Any

from django.db.models import Count, Q

from review.access import visible
from review.ledger.inputs import READ
from review.models import Case, Decision, QualitySample
from review.statistics.estimates import clopper_pearson
from review.statistics.period import Scope
from review.statistics.table import OWN, Column, Kind, Table, between, percent
from review.statistics.volume import ROUTINE, opened, shards, total

FEW = 300  # so many without a miss bound the missed share at 1.2 %
OF = (
    "Routine reports of the quality sample that arrived in the period; a person read them without the "
    "machine's reading. Missed are those confirmed as suspicious while they read as routine. Reports "
    "that a newer version made suspicious or that were withdrawn before, and those not yet decided, say "
    "nothing. Interval: 95 %, exact (Clopper-Pearson). Sensitivity is estimated: confirmed cases that "
    "the machine found, divided by these and the missed ones; the latter are the missed share of all "
    "texts read as routine in the period. Its interval takes in the chance of the sample only; cases "
    "that still wait are not counted."
)


def missed(scope: Scope) -> Table:
    """The estimated share of routine reports that are suspicious, and the sensitivity that follows."""
    sample = _sample(scope)
    found = opened(scope).aggregate(
        confirmed=Count("pk", filter=Q(state=Case.State.CONFIRMED)),
        waiting=Count("pk", filter=Q(state=Case.State.WAITING)),
    )
    routine = _routine(scope)
    share = _estimate(sample["missed"], sample["decided"])
    of_all = [None if value is None else value * routine for value in share]
    lost, low, high = of_all
    hits = found["confirmed"]
    # The more is missed, the less is found: the bounds change places.
    sensitivity = [_part(hits, lost), _part(hits, high), _part(hits, low)]
    return Table(
        name="missed",
        title="What the machine misses",
        says=_says(sample, share, sensitivity),
        of=OF,
        columns=(
            Column("what", "What", "text"),
            Column("value", "Value", OWN),
            Column("low", "from", OWN),
            Column("high", "to", OWN),
        ),
        rows=[
            _count("routine texts read", routine),
            _count("drawn for the sample", sample["drawn"]),
            _count("decided as routine", sample["decided"]),
            _count("confirmed as suspicious: missed", sample["missed"]),
            _row("missed share of routine reports", share, "share"),
            _row("missed reports in the period", of_all, "whole"),
            _count("confirmed cases that the machine found", hits),
            _count("cases of the period that still wait", found["waiting"]),
            _row("sensitivity", sensitivity, "share"),
        ],
    )


def _sample(scope: Scope) -> dict[str, int]:
    drawn = visible(QualitySample.objects.filter(stratum=ROUTINE), scope.account, "case__source").filter(
        case__first_arrival__gte=scope.period.start, case__first_arrival__lt=scope.period.end
    )
    # The newest decision on a reading that was routine: one made after a graver version tells of that.
    decided = Decision.objects.filter(case__sample__in=drawn, reading__tier="routine", reading__unreadable="")
    newest = dict(decided.order_by("pk").values_list("case", "verdict"))
    return {
        "drawn": drawn.count(),
        "decided": len(newest),
        "missed": list(newest.values()).count(Decision.Verdict.CONFIRMED),
    }


def _routine(scope: Scope) -> int:
    """Return how many texts were read as routine; a withdrawal counts as routine too, but brings no text."""
    sums = shards(scope).aggregate(
        read=total(READ, "terms"), queued=total("queued"), unread=total("unreadable_text")
    )
    return int(max(0, sums["read"] - sums["queued"] - sums["unread"]))


def _estimate(hits: int, of: int) -> list[float | None]:
    bounds = clopper_pearson(hits, of)
    return [hits / of, *bounds] if bounds else [None, None, None]


def _part(hits: int, lost: float | None) -> float | None:
    return None if lost is None or not hits + lost else hits / (hits + lost)


def _says(sample: dict[str, int], share: list[float | None], sensitivity: list[float | None]) -> str:
    value, low, high = share
    if value is None or low is None or high is None:
        return "Nothing can be said: no report of the quality sample of this period has been decided."
    said = (
        f"{sample['missed']:,} of {sample['decided']:,} routine reports read blind were confirmed as "
        f"suspicious: {percent(value)} ({between(low, high)})."
    )
    if None not in sensitivity:
        part, least, most = (percent(one or 0.0) for one in sensitivity)
        said += f" Estimated sensitivity {part} ({least} to {most})."
    if sample["decided"] < FEW:
        said = f"Too few to rely on ({sample['decided']:,} of at least {FEW}). {said}"
    return said


def _count(what: str, number: int) -> dict[str, Any]:
    return {"what": what, "kind": "count", "value": number, "low": None, "high": None}


def _row(what: str, found: list[float | None], kind: Kind) -> dict[str, Any]:
    value, low, high = found
    return {"what": what, "kind": kind, "value": value, "low": low, "high": high}
