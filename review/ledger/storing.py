"""Storing a shard of reports: every outcome, version, reading and case in one transaction."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils import timezone

from review import caseload
from review.digests import FACTS, canonical, reading_digest
from review.ledger.inputs import Judged, finish, input_rows
from review.ledger.rejects import REPEATED, repeated
from review.ledger.shards import chunks
from review.ledger.studies import clipped
from review.models import CaseEvent, Input, Outcome, Reading, Report, ReportVersion, Shard, Study, Tier
from review.records import NewOutcome, NewVersion
from review.versions import Holding, lacks, place


class OvertakenError(RuntimeError):
    """Another run stored a version meanwhile, so that a reading is wanting or was made of too few words."""

    def __init__(self, shard_id: int) -> None:
        super().__init__(
            f"shard {shard_id}: another run stored a version of one of its reports; read it again"
        )


def holdings(keys: Iterable[str]) -> dict[str, Holding]:
    """Return what is held of the reports with these keys; a key never seen is left out."""
    held = {key: holding_of(versions) for key, versions in _versions(keys).items()}
    return {key: holding for key, holding in held.items() if holding}


def store_shard(shard_id: int, outcomes: Sequence[NewOutcome]) -> dict[str, int]:
    """Store everything that became of a shard, and finish it; a done shard is left as it is.

    The place of each version is judged again here, under the lock of its report, so two shards that bring
    versions of one report at once end in the same state as one after the other. An item of the shard's
    portions for which no outcome is given is recorded as rejected, `not_delivered`: no input is lost.

    Parameters
    ----------
    outcomes
        One for each item of the shard's portions, in the order in which they count as arrived.

    Returns
    -------
    dict of str to int
        Inputs by outcome (`queued`, `routine`, …), and the queued ones by tier (`stat`, `urgent`, `soon`).

    Raises
    ------
    ValueError
        When an outcome belongs to no item of the shard or an item has two.
    OvertakenError
        When a version has no reading though nothing newer is held, or was read without the text that it adds
        to. Nothing is stored then; the shard is to be read again.
    """
    with transaction.atomic():
        shard = Shard.objects.select_for_update().get(pk=shard_id)
        if shard.state == Shard.State.DONE:
            return dict(shard.counts)
        complete = _complete(shard, outcomes)
        judge = _Judge(shard, complete)
        judged = judge.judge()
        judged.update(dict.fromkeys(repeated(shard, complete), (Outcome.DUPLICATE, REPEATED, None, None)))
        rows = input_rows(shard, complete, judged)
        Input.objects.bulk_create([row for row, _, _ in rows])
        return finish(shard, rows, {}, events=judge.events)


def _complete(shard: Shard, outcomes: Sequence[NewOutcome]) -> list[NewOutcome]:
    """Return one outcome for each item of the shard."""
    expected = {
        (pk, item)
        for pk, first, items in shard.portions.values_list("id", "first", "items")
        for item in range(first, first + items)
    }
    given = [(outcome.portion, outcome.item) for outcome in outcomes]
    if len(set(given)) != len(given) or not expected.issuperset(given):
        wrong = sorted({at for at in given if at not in expected or given.count(at) > 1})
        raise ValueError(f"shard {shard.pk}: no such item, or given twice (portion, item): {wrong[:10]}")
    missing = sorted(expected.difference(given))
    return [
        *outcomes,
        *(NewOutcome(portion=portion, item=item, reason="not_delivered") for portion, item in missing),
    ]


def holding_of(versions: Sequence[ReportVersion]) -> Holding | None:
    """Return what is held of one report, given all its versions in order of arrival."""
    current = next((version for version in versions if version.is_current), None)
    if current is None:
        return None
    return Holding(
        digest=current.text_digest,
        digests=frozenset(v.text_digest for v in versions if v.status != "deleted"),
        status=current.status,
        result_time=current.result_time,
        text=current.text,
        number=versions[-1].number,
        only_addenda=all(v.status == "addendum" for v in versions),
    )


def _versions(keys: Iterable[str]) -> dict[str, list[ReportVersion]]:
    """Return the versions held, in order of arrival, by report key."""
    found: dict[str, list[ReportVersion]] = {}
    for some in chunks(keys):
        rows = ReportVersion.objects.filter(report__key__in=some).select_related("report")
        for version in rows.order_by("report", "number").defer("context", "warnings"):
            found.setdefault(version.report.key, []).append(version)
    return found


def new_reading(version: ReportVersion, said: dict[str, Any], now: datetime) -> Reading:
    """Make the row of a reading of a version, not stored yet."""
    data = canonical(said)
    return Reading(
        version=version,
        at=now,
        rules_version=said["rules_version"],
        tier=said["tier"],
        score=said["score"],
        unreadable=said["unreadable"] or "",
        decided_by=said["decided_by"],
        data=data,
        digest=reading_digest(version.text, version.context, data),
    )


def change_of(reading: Reading) -> caseload.Change:
    """Return what a reading brings to the case of its report."""
    tier = Tier.UNREAD if reading.unreadable else caseload.TIERS.get(reading.tier)
    return caseload.Change(reading.version, reading, tier)


class _Judge:
    """Judges the versions of one shard, in the order of their arrival, and stores what is new."""

    def __init__(self, shard: Shard, outcomes: Sequence[NewOutcome]) -> None:
        self.shard = shard.pk
        self.now = timezone.now()
        self.news = [(o.portion, o.item, o.version) for o in outcomes if o.version is not None]
        sources = dict(shard.portions.values_list("id", "source"))
        self.reports = self._lock_reports({new.key: sources[portion] for portion, _, new in self.news})
        self.held = _versions(self.reports)
        self.studies: dict[str, Study] = {}
        for some in chunks(new.study_uid for _, _, new in self.news if new.study_uid):
            self.studies.update(
                {study.study_uid: study for study in Study.objects.filter(study_uid__in=some)}
            )
        self.versions: list[ReportVersion] = []
        self.readings: list[Reading] = []
        self.retired: list[int] = []
        self.changes: list[caseload.Change] = []
        self.events: list[CaseEvent] = []

    def judge(self) -> dict[tuple[int, int], Judged]:
        """Store what is new; return by portion and item what became of each version."""
        judged = {(portion, item): self._judge_one(new) for portion, item, new in self.news}
        # Old versions step back first: the database allows one current version of a report.
        ReportVersion.objects.filter(pk__in=self.retired).update(is_current=False)
        ReportVersion.objects.bulk_create(self.versions)
        Reading.objects.bulk_create(self.readings)
        self.events = caseload.submit(self.changes, self.now)
        return judged

    def _lock_reports(self, sources: dict[str, str]) -> dict[str, Report]:
        """Return the reports by key, new ones made, all locked.

        Keys go in one order everywhere, so that two shards with the same reports wait for each other
        instead of blocking each other.
        """
        reports: dict[str, Report] = {}
        for some in chunks(sorted(sources)):
            there = set(Report.objects.filter(key__in=some).values_list("key", flat=True))
            Report.objects.bulk_create(
                [
                    Report(key=key, source=sources[key], first_arrival=self.now)
                    for key in some
                    if key not in there
                ],
                ignore_conflicts=True,
            )
            locked = Report.objects.select_for_update().filter(key__in=some).order_by("key")
            reports.update({report.key: report for report in locked})
        return reports

    def _judge_one(self, new: NewVersion) -> Judged:
        held = self.held.setdefault(new.key, [])
        where = place(new, holding_of(held))
        if where == "duplicate":
            deleted = new.status == "deleted"
            same = next(
                v
                for v in reversed(held)
                if (v.status == "deleted") == deleted and (deleted or v.text_digest == new.text_digest)
            )
            return Outcome.DUPLICATE, "", same, None
        is_read = where == "version" and new.status != "deleted"
        if is_read and (new.reading is None or lacks(new, holding_of(held))):
            raise OvertakenError(self.shard)
        version = self._add(new, held, current=where == "version")
        if where == "superseded":
            return Outcome.SUPERSEDED, "", version, None
        if new.status == "deleted":
            self.changes.append(caseload.Change(version, None, None))
            return Outcome.ROUTINE, "withdrawn", version, None
        reading = self._read(new, version)
        self.changes.append(change := change_of(reading))
        if reading.unreadable:
            return Outcome.UNREADABLE_TEXT, reading.unreadable, version, reading
        return (Outcome.ROUTINE if change.tier is None else Outcome.QUEUED), "", version, reading

    def _add(self, new: NewVersion, held: list[ReportVersion], *, current: bool) -> ReportVersion:
        if current:
            for older in held:
                if older.is_current and older.pk:
                    self.retired.append(older.pk)
                older.is_current = False
        told = clipped(ReportVersion, **{name: getattr(new, name) for name in FACTS})
        version = ReportVersion(
            report=self.reports[new.key],
            number=len(held) + 1,
            is_current=current,
            status=new.status,
            arrived_at=self.now,
            result_time=new.result_time,
            text=new.text,
            text_digest=new.text_digest,
            study=self.studies.get(new.study_uid),
            context=new.context,
            warnings=list(new.warnings),
            **told,
        )
        held.append(version)
        self.versions.append(version)
        return version

    def _read(self, new: NewVersion, version: ReportVersion) -> Reading:
        said = new.reading or {}  # none is not possible: `_judge_one` refuses that
        reading = new_reading(version, said, self.now)
        self.readings.append(reading)
        return reading
