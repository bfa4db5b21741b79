"""Reading reports of before again, with other rules: which, by whom and why, and what came of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import F, OuterRef, Subquery
from django.utils import timezone

from review import audit, caseload
from review.comparison import rank
from review.digests import digest_of
from review.ledger.closing import close_shard
from review.ledger.held import readings_of, rereadable, with_text
from review.ledger.rules import apply_rules
from review.ledger.running import is_dead, open_run
from review.ledger.storing import change_of, new_reading
from review.models import (
    Account,
    AuditHead,
    CaseEvent,
    Reading,
    Report,
    ReportVersion,
    Run,
    Shard,
)

KIND = "readings"  # of a reread's shards
Kind = CaseEvent.Kind
# What is counted of a reread, beside its readings, by what happened to a case.
COUNTED: dict[str, str] = {
    Kind.OPENED: "opened",
    Kind.REREAD_UP: "raised",
    Kind.REREAD_AGAIN: "waits_again",
}


class RereadError(RuntimeError):
    """A reread cannot begin now; the text says why and the way out."""


def open_reread(
    account: Account,
    *,
    reason: str,
    since: datetime,
    source: str,
    rules_version: str,
    code_version: str,
    size: int,
) -> int:
    """Let rules go live and take the reports that a reread has to read; return the new run.

    What was read with these rules already is left out, so the same command given again goes on where the
    last one ended. The whole run stands at once or not at all.

    Parameters
    ----------
    source
        The name of one source; "" for all that the person may see.
    size
        Reports in a shard.

    Raises
    ------
    RereadError
        While another reread goes on, or a batch that still reads with other rules.
    """
    newest = Reading.objects.filter(version=OuterRef("pk")).order_by("-id").values("rules_version")[:1]
    taken = rereadable(account, since, source).annotate(by=Subquery(newest)).exclude(by=rules_version)
    # By source, as the limit of what a person may see goes by sources; only ids are in memory.
    versions: dict[str, list[int]] = {}
    for pk, of in taken.values_list("pk", "report__source").iterator():
        versions.setdefault(of, []).append(pk)
    pieces = [
        (of, ids[at : at + size]) for of, ids in sorted(versions.items()) for at in range(0, len(ids), size)
    ]
    with transaction.atomic():
        _alone(rules_version)
        run = open_run(
            trigger="command",
            kind=Run.Kind.REREAD,
            rules_version=rules_version,
            code_version=code_version,
            actor=account.actor,
            account=account,
            reason=reason,
            scope=source,
        )
        now = timezone.now()
        Shard.objects.bulk_create(
            (
                Shard(
                    run_id=run,
                    number=number,
                    kind=KIND,
                    source=of,
                    created_at=now,
                    versions=ids,
                    counts={KIND: len(ids)},
                )
                for number, (of, ids) in enumerate(pieces, 1)
            ),
            batch_size=500,
        )
        apply_rules(rules_version, account, reason, run)
    return run


def resume_reread(rules_version: str, code_version: str) -> int | None:
    """Open a run that ends the last reread, which died or failed; None when nothing is left of it.

    The act of the person who began it still stands: it is theirs. One with other rules than those of today
    is not resumed.
    """
    with transaction.atomic():
        unfinished = Shard.objects.filter(kind=KIND).exclude(state=Shard.State.DONE)
        last = Run.objects.filter(kind=Run.Kind.REREAD, shards__in=unfinished).order_by("-id").first()
        if last is None or last.rules_version != rules_version:
            return None
        _alone(rules_version)
        return open_run(
            trigger="schedule",
            kind=Run.Kind.REREAD,
            rules_version=rules_version,
            code_version=code_version,
            actor=audit.SYSTEM,
            account=last.account,
            reason=last.reason,
            scope=last.scope,
        )


def reread_texts(shard_id: int) -> list[ReportVersion]:
    """Begin an attempt at a shard and return the versions it has yet to read; none when it is done."""
    begun = Shard.objects.filter(pk=shard_id).exclude(state=Shard.State.DONE)
    if not begun.update(
        attempts=F("attempts") + 1, started_at=timezone.now(), state=Shard.State.WAITING, error=""
    ):
        return []
    shard = Shard.objects.get(pk=shard_id)
    return list(with_text().filter(pk__in=shard.versions).order_by("pk"))


def reread_rules(shard_id: int) -> str:
    """Return the version of the rules with which a shard is to be read."""
    return Shard.objects.values_list("run__rules_version", flat=True).get(pk=shard_id)


def store_reread(shard_id: int, readings: Mapping[int, dict[str, Any]], failed: int = 0) -> dict[str, int]:
    """Store the readings of a shard and what they do to cases, and finish it; a done shard is left as it is.

    Under the locks of the reports it is looked again which versions are still current and not yet read with
    these rules: the others need nothing.

    Parameters
    ----------
    readings
        The reader's objects by version.
    failed
        How many versions the reader died of.

    Returns
    -------
    dict of str to int
        `readings` stored, cases `opened`, `raised`, `waits_again`, reports that read as `calmer`, `failed`.
    """
    with transaction.atomic():
        shard = Shard.objects.select_for_update(of=("self",)).select_related("run").get(pk=shard_id)
        if shard.state == Shard.State.DONE:
            return dict(shard.counts)
        # In the order of keys, as the ledger locks reports everywhere.
        reports = Report.objects.filter(versions__in=list(readings))
        list(Report.objects.select_for_update().filter(pk__in=reports.values("pk")).order_by("key"))
        now = timezone.now()
        current = with_text().filter(pk__in=list(readings)).select_related("report")
        versions = list(current.order_by("pk"))
        before = {one.version_id: one for one in readings_of(versions)}
        stored: list[Reading] = []
        counts: Counter[str] = Counter({"failed": failed})
        changes = []
        for version in versions:
            old = before.get(version.pk)
            if old is None or old.rules_version == shard.run.rules_version:
                continue
            new = new_reading(version, readings[version.pk], now)
            new.shard = shard
            stored.append(new)
            counts["calmer"] += rank(new) > rank(old)
            changes.append(change_of(new))
        Reading.objects.bulk_create(stored)
        counts[KIND] = len(stored)
        events = caseload.submit(changes, now, caseload.reread)
        counts.update(COUNTED[event.kind] for event in events if event.kind in COUNTED)
        shard.counts = dict(counts)
        close_shard(shard, [digest_of("reading", one) for one in stored], events)
    return dict(counts)


def reread_progress(run_id: int) -> tuple[int, int]:
    """Return how many reports a reread has taken, and how many of them are done."""
    taken = done = 0
    for state, counts in Shard.objects.filter(run=run_id).values_list("state", "counts"):
        taken += counts.get(KIND, 0)
        done += counts.get(KIND, 0) * (state == Shard.State.DONE)
    return taken, done


def reread_counts(run_id: int) -> dict[str, int]:
    """Return what a reread did: the sums of `store_reread`."""
    counts: Counter[str] = Counter()
    for found in Shard.objects.filter(run=run_id, state=Shard.State.DONE).values_list("counts", flat=True):
        counts.update(found)
    return tally(counts)


def tally(counts: Mapping[str, int]) -> dict[str, int]:
    """Return of a run's counts those of a reread, in their order; what did not happen is 0."""
    return {name: counts.get(name, 0) for name in (KIND, *COUNTED.values(), "calmer", "failed")}


def _alone(rules_version: str) -> None:
    """Refuse while another reread goes on, or a batch that reads with other rules; one at a time asks."""
    AuditHead.objects.bulk_create([AuditHead(id=1)], ignore_conflicts=True)
    AuditHead.objects.select_for_update().get(id=1)
    for run in Run.objects.filter(state=Run.State.RUNNING).order_by("id"):
        if is_dead(run):
            continue
        if run.kind == Run.Kind.REREAD:
            raise RereadError(f"Run {run.pk} reads again already. Wait until it has ended, or end it.")
        if run.rules_version != rules_version:
            raise RereadError(
                f"Run {run.pk} still reads with the rules of before. Wait until it has ended, then repeat."
            )
