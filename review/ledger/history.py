"""What runs did: for summaries, tables and auditors. Nothing here writes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

from django.db.models import QuerySet

from review.access import visible
from review.meanings import meaning
from review.models import Account, Case, Input, Outcome, Reading, Run, Shard, Tier

TIERS = (Tier.STAT.label, Tier.URGENT.label, Tier.SOON.label)


def summary(run_id: int) -> dict[str, Any]:
    """Return one run as `spinetriage runs --json` shows it; unchanged items count as duplicates."""
    return _summaries([Run.objects.get(pk=run_id)])[0]


def runs(limit: int, offset: int = 0) -> list[dict[str, Any]]:
    """Return the newest runs, the newest first, each as `summary` does."""
    return _summaries(list(Run.objects.order_by("-id")[offset : offset + limit]))


def _summaries(wanted: list[Run]) -> list[dict[str, Any]]:
    counts: dict[int, Counter[str]] = {run.pk: Counter(duplicate=run.unchanged) for run in wanted}
    shards: dict[int, Counter[str]] = {run.pk: Counter() for run in wanted}
    for run, state, found in Shard.objects.filter(run__in=wanted).values_list("run", "state", "counts"):
        counts[run].update(found)
        shards[run][state] += 1
    return [_summary(run, counts[run.pk], shards[run.pk]) for run in wanted]


def _summary(run: Run, counts: Counter[str], shards: Counter[str]) -> dict[str, Any]:
    outcomes = {outcome: counts[outcome] for outcome in Outcome.values}
    return {
        "run": run.pk,
        "state": run.state,
        "trigger": run.trigger,
        "started_at": run.started_at.isoformat(),
        "ended_at": run.ended_at.isoformat() if run.ended_at else None,
        "inputs": sum(outcomes.values()),
        "outcomes": outcomes,
        "tiers": {tier: counts[tier] for tier in TIERS},
        "unchanged": run.unchanged,
        "shards": dict(shards),
        "studies": counts["studies"],
        "error": run.error,
        "rules_version": run.rules_version,
        "code_version": run.code_version,
        "prefect_flow_run": run.prefect_flow_run,
    }


def outcome_rows(run_id: int) -> Iterator[dict[str, Any]]:
    """Yield one row for each input of a run, without any text; a shard at a time in memory."""
    shards = Shard.objects.filter(run=run_id).order_by("number").values_list("id", flat=True)
    for shard in shards.iterator():
        inputs = Input.objects.filter(shard=shard).select_related(
            "portion", "version__report", "version__study"
        )
        inputs = inputs.defer("raw", "version__text", "version__context")
        readings = _first_readings(shard)
        cases = dict(Case.objects.filter(report__versions__inputs__shard=shard).values_list("report", "id"))
        for row in inputs.order_by("id"):
            yield _outcome_row(row, readings, cases)


def _first_readings(shard: int) -> dict[int, Reading]:
    found: dict[int, Reading] = {}
    for reading in Reading.objects.filter(version__inputs__shard=shard).defer("data").order_by("id"):
        found.setdefault(reading.version_id, reading)
    return found


def _outcome_row(row: Input, readings: dict[int, Reading], cases: dict[int, int]) -> dict[str, Any]:
    version = row.version
    reading = readings.get(version.pk) if version else None
    case = cases.get(version.report_id) if version else None
    return {
        "input": row.pk,
        "source": row.portion.source,
        "path": row.portion.path,
        "item": row.item,
        "report": version.report.key if version else "",
        "outcome": row.outcome,
        "reason": row.reason,
        "tier": reading.tier if reading else "",
        "score": reading.score if reading else None,
        "case": f"C{case}" if case else "",
        "study": version.study.study_uid if version and version.study else "",
        "warnings": version.warnings if version else [],
        "rules_version": reading.rules_version if reading else "",
    }


def rejected_count(account: Account) -> int:
    """Return how many inputs of the person's sources were rejected."""
    return _rejected(account).count()


def rejected(account: Account, limit: int, offset: int = 0) -> list[dict[str, Any]]:
    """Return rejected inputs of the person's sources with their reasons, the newest first; no text."""
    inputs = _rejected(account).select_related("portion", "shard")
    return [
        {
            "input": f"I{row.pk}",
            "run": row.shard.run_id,
            "source": row.portion.source,
            "path": row.portion.path,
            "item": row.item,
            "at": row.shard.ended_at.isoformat() if row.shard.ended_at else None,
            "reason": row.reason,
            "meaning": meaning(row.reason),
            "detail": row.detail,
        }
        for row in inputs.defer("raw").order_by("-id")[offset : offset + limit]
    ]


def _rejected(account: Account) -> QuerySet[Input]:
    return visible(Input.objects.standing().filter(outcome=Outcome.REJECTED), account, "portion__source")
