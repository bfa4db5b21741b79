"""What runs did: for summaries, tables and auditors. Nothing here writes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

from django.db.models import QuerySet

from review.audit.chain import SYSTEM, Action
from review.ledger.rereads import tally
from review.models import Account, AuditRow, Case, Input, Outcome, Reading, Run, Shard, Tier

TIERS = (Tier.STAT.label, Tier.URGENT.label, Tier.SOON.label)


def summary(run_id: int) -> dict[str, Any]:
    """Return one run as `spinetriage runs --json` shows it; unchanged items count as duplicates."""
    return summaries([Run.objects.select_related("account").get(pk=run_id)])[0]


def runs(limit: int, offset: int = 0) -> list[dict[str, Any]]:
    """Return the newest runs, the newest first, each as `summary` does."""
    newest = Run.objects.select_related("account").order_by("-id")
    return summaries(list(newest[offset : offset + limit]))


def summaries(wanted: list[Run]) -> list[dict[str, Any]]:
    """Return runs as `summary` does, at the same number of queries however many they are."""
    counts: dict[int, Counter[str]] = {run.pk: Counter(duplicate=run.unchanged) for run in wanted}
    shards: dict[int, Counter[str]] = {run.pk: Counter() for run in wanted}
    for run, state, found in Shard.objects.filter(run__in=wanted).values_list("run", "state", "counts"):
        if state == Shard.State.DONE:  # before, a reread's counts are what it took
            counts[run].update(found)
        shards[run][state] += 1
    by = _starters(wanted)
    return [_summary(run, counts[run.pk], shards[run.pk]) | {"by": by.get(run.pk, "")} for run in wanted]


def _summary(run: Run, counts: Counter[str], shards: Counter[str]) -> dict[str, Any]:
    outcomes = {outcome: counts[outcome] for outcome in Outcome.values}
    return {
        "run": run.pk,
        "kind": run.kind,
        "state": run.state,
        "trigger": run.trigger,
        "reason": run.reason,
        "scope": run.scope,
        "started_at": run.started_at.isoformat(),
        "ended_at": run.ended_at.isoformat() if run.ended_at else None,
        "seconds": round((run.ended_at - run.started_at).total_seconds(), 1) if run.ended_at else None,
        "inputs": sum(outcomes.values()),
        "outcomes": outcomes,
        "tiers": {tier: counts[tier] for tier in TIERS},
        "unchanged": run.unchanged,
        "shards": dict(shards),
        "studies": counts["studies"],
        "reread": tally(counts) if run.kind == Run.Kind.REREAD else None,
        "error": run.error,
        "rules_version": run.rules_version,
        "code_version": run.code_version,
        "prefect_flow_run": run.prefect_flow_run,
    }


def _starters(runs: list[Run]) -> dict[int, str]:
    """Return who started the runs, by name; of old runs only the audit tells. A schedule is nobody."""
    unnamed = [f"run:{run.pk}" for run in runs if run.account is None]
    opened = AuditRow.objects.filter(action=Action.RUN_OPENED, subject__in=unnamed)
    found = {
        int(subject.partition(":")[2]): int(actor.partition(":")[2])
        for subject, actor in opened.values_list("subject", "actor")
        if actor != SYSTEM
    }
    names = dict(Account.objects.filter(pk__in=found.values()).values_list("pk", "username"))
    told = {run: names[account] for run, account in found.items() if account in names}
    return told | {run.pk: run.account.username for run in runs if run.account}


def outcome_rows(run_id: int, inputs: QuerySet[Input] | None = None) -> Iterator[dict[str, Any]]:
    """Yield one row for each input of a run, without any text; a shard at a time in memory.

    Parameters
    ----------
    inputs
        Those that the reader may see; all when not given.
    """
    wanted = Input.objects.all() if inputs is None else inputs
    shards = Shard.objects.filter(run=run_id).order_by("number").values_list("id", flat=True)
    for shard in shards.iterator():
        yield from input_facts(list(wanted.filter(shard=shard).order_by("id").values_list("pk", flat=True)))


def input_facts(ids: list[int]) -> Iterator[dict[str, Any]]:
    """Yield rows of inputs in the order of their ids in the list, without any text."""
    inputs = Input.objects.select_related("portion", "shard", "version__report", "version__study")
    found = inputs.defer("raw", "version__text", "version__context").in_bulk(ids)
    versions = {row.version_id for row in found.values() if row.version_id}
    readings = _first_readings(versions)
    reports = {row.version.report_id for row in found.values() if row.version}
    cases = dict(Case.objects.filter(report__in=reports).values_list("report", "id"))
    for pk in ids:
        yield _outcome_row(found[pk], readings, cases)


def _first_readings(versions: set[int]) -> dict[int, Reading]:
    """Return how each version was read when it came; what a reread made of it later is another matter."""
    found: dict[int, Reading] = {}
    for reading in Reading.objects.filter(version__in=versions).defer("data").order_by("id"):
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
        "shard": row.shard.number,
        "attempt": row.portion.attempt,
        "path_digest": row.portion.path_digest,
        "fingerprint": row.portion.fingerprint,
        "text_digest": version.text_digest if version else "",
        "reading_digest": reading.digest if reading else "",
        "report_id": version.report_id if version else None,
    }
