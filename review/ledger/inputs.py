"""The rows of inputs: one for each item, whatever became of it."""

from __future__ import annotations

import zlib
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence

from review.caseload.marks import marks
from review.digests import digest_of, stored_line
from review.ledger.closing import close_shard
from review.ledger.rejects import settle
from review.models import CaseEvent, CaseMark, ErasedRow, Input, Outcome, Reading, ReportVersion, Shard
from review.records import NewOutcome

Row = tuple[Input, ReportVersion | None, Reading | None]
READ = ""  # the key of a shard's terms that holds how many reports were read
Judged = tuple[Outcome, str, ReportVersion | None, Reading | None]  # outcome, reason, version, reading


def input_rows(
    shard: Shard, outcomes: Sequence[NewOutcome], judged: Mapping[tuple[int, int], Judged]
) -> list[Row]:
    """Make the rows of a shard's inputs; an item that `judged` does not name was rejected."""
    rows: list[Row] = []
    for new in outcomes:
        rejection: Judged = (Outcome.REJECTED, new.reason, None, None)
        outcome, reason, version, reading = judged.get((new.portion, new.item), rejection)
        keep = outcome == Outcome.REJECTED and new.raw is not None
        row = Input(
            shard=shard,
            portion_id=new.portion,
            item=new.item,
            outcome=outcome,
            reason=reason[:60],
            detail=new.detail[:500],
            raw=zlib.compress(new.raw) if keep and new.raw is not None else None,
            version=version,
        )
        rows.append((row, version, reading))
    return rows


def finish(
    shard: Shard,
    rows: Sequence[Row],
    extra: Mapping[str, int],
    *,
    events: Iterable[CaseEvent] = (),
    studies: Iterable[int] = (),
    faults: Collection[tuple[str, str]] = (),
) -> dict[str, int]:
    """Mark the shard as done, and let the audit vouch for its inputs; the last act of storing.

    Parameters
    ----------
    faults
        Of a shard of studies, reason and detail of each fault found, also of those that are known already.
    """
    settle(shard, (row for row, _, _ in rows), faults)
    counts: Counter[str] = Counter(extra)
    terms: Counter[str] = Counter()
    lines = []
    # Of a report that was erased the same text may come again: the digest that the audit knows stands for it.
    again = {version.pk for row, version, _ in rows if version and row.outcome == Outcome.DUPLICATE}
    erased = ErasedRow.objects.filter(table="version", row__in=again)
    wordless = dict(erased.values_list("row", "digest"))
    for row, version, reading in rows:
        counts[str(row.outcome)] += 1
        if row.outcome == Outcome.QUEUED and reading:
            counts[reading.tier] += 1
        if reading:
            terms[READ] += 1
            terms.update(value for kind, value in marks(reading.content) if kind == CaseMark.Kind.CONCEPT)
        lines.append(
            stored_line(
                digest_of("input", row),
                (wordless.get(version.pk) or digest_of("version", version)) if version else "",
                digest_of("reading", reading) if reading else "",
            )
        )
    shard.counts, shard.terms = dict(counts), dict(terms)
    close_shard(shard, lines, events, studies)
    return dict(counts)
