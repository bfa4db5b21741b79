"""The way of one shard: load, link, read, store.

This is where the rooms meet: intake's reports, the reader's readings and the ledger's records are mapped to
each other here and nowhere else. Everything is plain functions; what Prefect adds stands in `triage`.
"""

from __future__ import annotations

import dataclasses
import logging
from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Any

import pandas as pd

from flows import places, retries
from flows.intake import dicom
from flows.intake.frame import frame
from flows.intake.guard import Refusal
from flows.intake.linking import Link, link
from flows.intake.report import Reason, Rejected, Report, context
from flows.intake.sources import Source
from flows.isolated import LoadReports, LoadStudies, Read
from flows.isolation import carry_out
from flows.pulse import Beat, pulse
from review import ledger
from review.ledger import HeldStudy, Holding, TakenPortion
from review.logs import pseudonym
from review.records import NewOutcome, NewStudy, NewVersion
from review.versions import belongs_to, place

log = logging.getLogger("spinetriage.flows")
ATTEMPTS = 5  # at a shard that another run overtakes
Known = tuple[str, dict[str, Any] | Refusal]  # the text that was read, and what came of it
Loaded = tuple[int, int, Report]  # the ledger's portion, the item's number in its file, the report
ADDENDUM = "\n\nADDENDUM:\n"


def store_studies(shard: int) -> dict[str, int]:
    """Take the headers of a shard's DICOM folders into the ledger; return counts."""
    there = [(portion, places.named(portion.source)) for portion in ledger.shard_portions(shard)]
    tasks = [
        LoadStudies(
            source=source,
            portion=portion.as_found(),
            # What killed the reader before is left alone, unless a person wants it tried again.
            refused={} if portion.again else dicom.known(portion, ledger.poison(portion)),
        )
        for portion, source in there
        if source is not None  # the folder of an earlier run's own choosing is gone, and no report is in it
    ]
    ids = [portion.id for portion, source in there if source is not None]
    studies: list[NewStudy] = []
    faults: list[NewOutcome] = []
    for portion, (found, broken) in zip(ids, carry_out(tasks, pulse(shard)), strict=True):
        studies += found
        faults += [
            NewOutcome(portion=portion, item=number, reason=fault.reason, detail=fault.told)
            for number, fault in enumerate(broken)
        ]
    return ledger.store_studies(shard, studies, faults)


def read_reports(shard: int) -> dict[str, int]:
    """Read a shard's reports and store what became of each; return counts.

    Another run may store a version of the same report between our look and our storing: then a reading may be
    missing, or lack the words of the other version. The ledger refuses that, and the shard is read again.
    """
    beat = pulse(shard)
    portions = ledger.shard_portions(shard)
    reports, rejected = load(portions, beat)
    for _ in range(ATTEMPTS):
        links = find_studies(reports)
        table = frame((*loaded, found) for loaded, found in zip(reports, links, strict=True))
        outcomes = read(table, portions, beat)
        try:
            return ledger.store_shard(shard, [*outcomes, *rejected])
        except ledger.OvertakenError:
            beat()
    raise ledger.OvertakenError(shard)


def load(portions: list[TakenPortion], beat: Beat) -> tuple[list[Loaded], list[NewOutcome]]:
    """Return the reports that the portions hold, and an outcome for each item that gave none."""
    reports: list[Loaded] = []
    rejected: list[NewOutcome] = []
    for portion, results in zip(portions, _items(portions, beat), strict=True):
        for item, result in enumerate(results, portion.first):
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


def read(table: pd.DataFrame, portions: list[TakenPortion], beat: Beat) -> list[NewOutcome]:
    """Return the outcome of each row of a shard's table, in its order.

    A version that is held already, or is older than what is held, is not read. An addendum is read together
    with what it adds to, in whichever order the two arrive. What cannot be read is not held, so what stands
    on it is judged anew.
    """
    held = ledger.holdings(table["key"])
    rows: list[Any] = list(table.itertuples(index=False))
    known: dict[int, Known] = {}
    judged, wanted = _judge(rows, dict(held), known)
    while wanted:
        tasks = [
            Read(text=version.text, context=version.context, warnings=version.warnings)
            for version in wanted.values()
        ]
        found = zip(wanted.items(), carry_out(tasks, beat), strict=True)
        known |= {number: (version.text, result) for (number, version), result in found}
        judged, wanted = _judge(rows, dict(held), known)
    by_id = {portion.id: portion for portion in portions}
    return [
        NewOutcome(portion=row.portion, item=row.item, version=one)
        if isinstance(one, NewVersion)
        else _rejection(row.portion, row.item, _refused(by_id[row.portion], row, one, beat))
        for row, one in zip(rows, judged, strict=True)
    ]


def _judge(
    rows: Iterable[Any], held: dict[str, Holding], known: dict[int, Known]
) -> tuple[list[NewVersion | Refusal], dict[int, NewVersion]]:
    """Return what each row is, by what is known so far, and those rows that are still to be read."""
    judged: list[NewVersion | Refusal] = []
    wanted: dict[int, NewVersion] = {}
    for number, row in enumerate(rows):
        before = held.get(row.key)
        version = _version(row.report, row.digest, row.study, row.warnings, before)
        if place(version, before) == "version":
            text, result = known.get(number, ("", None))
            if isinstance(result, Refusal):
                judged.append(result)
                continue  # what could not be read is not held
            if version.status != "deleted" and (result is None or text != version.text):
                wanted[number] = version
            elif result is not None:
                version = dataclasses.replace(version, reading=result)
            held[row.key] = _after(before, version)
        judged.append(version)
    return judged, wanted


def _items(portions: list[TakenPortion], beat: Beat) -> Iterator[list[Report | Rejected]]:
    """Yield for each portion what it holds."""
    tasks = {
        portion.id: _loading(source, portion)
        for portion in portions
        if (source := places.named(portion.source)) is not None
    }
    loaded = dict(zip(tasks, carry_out(list(tasks.values()), beat), strict=True))
    gone = Rejected(reason=Reason.VANISHED, detail="its source is no longer configured")
    for portion in portions:
        yield loaded[portion.id][-portion.items :] if portion.id in loaded else [gone] * portion.items


def _loading(source: Source, portion: TakenPortion) -> LoadReports:
    """Return the task whose last results are the portion's items."""
    if portion.again is not None:
        return retries.loading(source, portion)
    return LoadReports(source=source, portion=portion.as_found())


def _refused(portion: TakenPortion, row: Any, refusal: Refusal, beat: Beat) -> Rejected:
    """Return the rejection of a report that cannot be read, with the bytes in which it came."""
    log.warning("a report cannot be read (%s): %s", refusal.reason, pseudonym(row.key))
    source = places.named(portion.source)
    if source is not None:
        task = _loading(source, portion).without(row.item, refusal)
        again = carry_out([task], beat)[0][-portion.items :][row.item - portion.first]
        if isinstance(again, Rejected):
            return again
    return Rejected(reason=refusal.reason, detail=refusal.detail, raw=row.text.encode())


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
    partner = belongs_to(report.status, held)
    if partner is None or partner.text in report.text:
        return report.text
    parts = (partner.text, report.text) if report.status == "addendum" else (report.text, partner.text)
    return ADDENDUM.join(parts)


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
