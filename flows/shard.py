"""The way of one shard: load, link, read, store.

This is where the rooms meet: intake's reports, the reader's readings and the ledger's records are mapped to
each other here and nowhere else. Everything is plain functions; what Prefect adds stands in `triage`.
"""

from __future__ import annotations

import dataclasses
from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Any

import pandas as pd

from flows import places
from flows.intake import formats
from flows.intake.frame import frame
from flows.intake.linking import Link, link
from flows.intake.report import Reason, Rejected, Report, context
from flows.verdict import verdict
from review import ledger
from review.ledger import HeldStudy, Holding, TakenPortion
from review.records import NewOutcome, NewStudy, NewVersion
from review.versions import place

Loaded = tuple[int, int, Report]  # the ledger's portion, the item's number in its file, the report
ADDENDUM = "\n\nADDENDUM:\n"


def store_studies(shard: int) -> dict[str, int]:
    """Take the headers of a shard's DICOM folders into the ledger; return counts."""
    studies: list[NewStudy] = []
    faults: list[NewOutcome] = []
    for portion in ledger.shard_portions(shard):
        source = places.named(portion.source)
        if source is None:
            continue  # the folder of an earlier run's own choosing is gone, and no report is in it
        found, broken = formats.load_studies(source, portion)
        studies += found
        faults += [
            NewOutcome(portion=portion.id, item=number, reason=fault.reason, detail=fault.told)
            for number, fault in enumerate(broken)
        ]
    return ledger.store_studies(shard, studies, faults)


def read_reports(shard: int) -> dict[str, int]:
    """Read a shard's reports and store what became of each; return counts."""
    reports, rejected = load(ledger.shard_portions(shard))
    table = frame((*loaded, found) for loaded, found in zip(reports, find_studies(reports), strict=True))
    return ledger.store_shard(shard, [*read(table), *rejected])


def load(portions: Iterable[TakenPortion]) -> tuple[list[Loaded], list[NewOutcome]]:
    """Return the reports that the portions hold, and an outcome for each item that gave none."""
    reports: list[Loaded] = []
    rejected: list[NewOutcome] = []
    for portion in portions:
        for item, result in enumerate(_items(portion), portion.first):
            if isinstance(result, Report):
                reports.append((portion.id, item, result))
            else:
                rejected.append(_rejection(portion.id, item, result))
    return reports, rejected


def find_studies(reports: list[Loaded]) -> Iterator[Link]:
    """Yield for each report the link to its study, from one look into the ledger for all of them."""
    held = ledger.studies_for(
        {report.accession for _, _, report in reports}, {report.patient_id for _, _, report in reports}
    )
    candidates: dict[str, list[HeldStudy]] = defaultdict(list)
    for study in held:
        for name in {study.accession, study.patient_id} - {""}:
            candidates[name].append(study)
    for _, _, report in reports:
        names = {report.accession, report.patient_id}
        yield link(report, [study for name in names for study in candidates[name]])


def read(table: pd.DataFrame) -> Iterator[NewOutcome]:
    """Yield the outcome of each row of a shard's table, in its order.

    A version that is held already, or is older than what is held, is not read. An addendum is read together
    with what it adds to, in whichever order the two arrive.
    """
    held = ledger.holdings(table["key"])
    rows: Iterable[Any] = table.itertuples(index=False)
    for row in rows:
        before = held.get(row.key)
        version = _version(row.report, row.digest, row.study, row.warnings, before)
        if place(version, before) == "version":
            if version.status != "deleted":
                try:
                    read = verdict(version.text, version.context, version.warnings)
                    version = dataclasses.replace(version, reading=read)
                except Exception as error:  # one report must not stop the others; a person gets to see it
                    failure = Rejected(
                        reason=Reason.READER_FAILED, detail=type(error).__name__, raw=row.text.encode()
                    )
                    yield _rejection(row.portion, row.item, failure)
                    continue
            held[row.key] = _after(before, version)  # only now: what could not be read is not held
        yield NewOutcome(portion=row.portion, item=row.item, version=version)


def _items(portion: TakenPortion) -> Iterator[Report | Rejected]:
    source = places.named(portion.source)
    if source is None:
        gone = Rejected(reason=Reason.VANISHED, detail="its source is no longer configured")
        return iter([gone] * portion.items)
    return formats.load_reports(source, portion)


def _rejection(portion: int, item: int, rejected: Rejected) -> NewOutcome:
    return NewOutcome(
        portion=portion, item=item, reason=rejected.reason, detail=rejected.detail, raw=rejected.raw
    )


def _version(
    report: Report, digest: str, study: HeldStudy | None, warnings: tuple[str, ...], held: Holding | None
) -> NewVersion:
    return NewVersion(
        key=report.key,
        status=report.status,
        text=_whole(report, held),
        text_digest=digest,
        result_time=report.result_time,
        accession=report.accession,
        accession_issuer=report.accession_issuer,
        patient_id=report.patient_id,
        patient_issuer=report.patient_issuer,
        birth_date=report.birth_date or (study.birth_date if study else ""),
        sex=report.sex or (study.sex if study else ""),
        modality=report.modality or (study.modality if study else ""),
        description=report.study_description or (study.description if study else ""),
        study_uid=study.study_uid if study else "",
        context=context(report, study),
        warnings=warnings,
    )


def _whole(report: Report, held: Holding | None) -> str:
    """Return the text to read: an addendum with its parent, as many systems send the addition alone."""
    if held is None or held.status == "deleted":
        return report.text
    if report.status == "addendum":
        return report.text if held.text in report.text else held.text + ADDENDUM + report.text
    return report.text + ADDENDUM + held.text if held.only_addenda else report.text


def _after(held: Holding | None, version: NewVersion) -> Holding:
    """Return what will be held once the version is stored."""
    return Holding(
        digest=version.text_digest,
        digests=(held.digests if held else frozenset()) | {version.text_digest},
        status=version.status,
        result_time=version.result_time,
        text=version.text,
        number=held.number + 1 if held else 1,
        only_addenda=version.status == "addendum" and (held is None or held.only_addenda),
    )
