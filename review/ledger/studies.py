"""Studies as folders show them, and the faults found on the way."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.db.models import Count, Exists, Model, OuterRef, Sum

from review.digests import canonical, sha256
from review.ledger.inputs import finish, input_rows
from review.ledger.shards import chunks
from review.models import ErasedRow, Input, Outcome, Shard, Study, StudySeries
from review.records import CIRCUMSTANCES, NewOutcome, NewStudy

# What a later folder may say about a study that an earlier one said already.
TOLD = (
    "source",
    "folder",
    "accession",
    "accession_issuer",
    "patient_id",
    "patient_issuer",
    "birth_date",
    "sex",
    "age",
    "modality",
    "body_part",
    "description",
    "contrast_agent",
    "study_time",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldStudy:
    """A study of the ledger, for linking; the fields are those of `NewStudy`, with counts for its series."""

    id: int
    study_uid: str
    source: str
    folder: str
    accession: str
    accession_issuer: str
    patient_id: str
    patient_issuer: str
    birth_date: str
    sex: str
    age: str
    modality: str
    body_part: str
    description: str
    contrast_agent: str
    study_time: str
    series: int
    instances: int


def store_studies(shard_id: int, studies: Sequence[NewStudy], faults: Sequence[NewOutcome]) -> dict[str, int]:
    """Store what a shard of folders held, and finish the shard; a done shard is left as it is.

    A study is one row however many folders hold parts of it; a later folder adds what earlier ones left
    empty and corrects what they said. Its series are counted per folder, and a folder's list replaces the
    one it gave before. Each faulty file becomes a rejected input of its folder's portion; a fault of the
    bytes that was already recorded for the same folder with the same reason and detail (which names the
    file) is not recorded again when the folder has changed elsewhere.

    Returns
    -------
    dict of str to int
        The number of `studies`, and of inputs by outcome.
    """
    with transaction.atomic():
        shard = Shard.objects.select_for_update().get(pk=shard_id)
        if shard.state == Shard.State.DONE:
            return dict(shard.counts)
        stored: list[int] = []
        for some in chunks(study.study_uid for study in studies):
            uids = set(some)
            stored += _store([study for study in studies if study.study_uid in uids])
        rows = input_rows(shard, _new_faults(shard, faults), {})
        Input.objects.bulk_create([row for row, _, _ in rows])
        found = {(fault.reason, fault.detail[:500]) for fault in faults}
        return finish(shard, rows, {"studies": len(stored)}, studies=stored, faults=found)


def studies_for(accessions: Iterable[str], patient_ids: Iterable[str]) -> list[HeldStudy]:
    """Return every study with one of the accession numbers or patient ids, oldest first; "" finds nothing."""
    found: dict[int, Study] = {}
    for field, values in (("accession", accessions), ("patient_id", patient_ids)):
        for some in chunks(value for value in values if value):
            found.update({study.pk: study for study in Study.objects.filter(**{f"{field}__in": some})})
    counts: dict[int, tuple[int, int]] = {}
    for ids in chunks(found):
        rows = StudySeries.objects.filter(study__in=ids).values_list("study")
        for study, series, instances in rows.annotate(Count("series_uid", distinct=True), Sum("instances")):
            counts[study] = (series, instances)
    return [_held(study, *counts.get(pk, (0, 0))) for pk, study in sorted(found.items())]


def _held(study: Study, series: int, instances: int) -> HeldStudy:
    told = {name: getattr(study, name) for name in TOLD}
    return HeldStudy(id=study.pk, study_uid=study.study_uid, series=series, instances=instances, **told)


def clipped(model: type[Model], **values: Any) -> dict[str, Any]:
    """Cut texts to what their columns hold: a sender's overlong value must not stop a batch."""
    limits = {name: getattr(model._meta.get_field(name), "max_length", None) for name in values}
    return {name: value[: limits[name]] if limits[name] else value for name, value in values.items()}


def _store(studies: Sequence[NewStudy]) -> list[int]:
    """Store studies and their series; return the ids of the studies.

    What was erased stays so: later headers of the same study are the same patient's.
    """
    there = Study.objects.filter(study_uid__in={study.study_uid for study in studies})
    gone = Exists(ErasedRow.objects.filter(table="study", row=OuterRef("pk")))
    erased = set(there.filter(gone).values_list("study_uid", flat=True))
    studies = [study for study in studies if study.study_uid not in erased]
    held = {study.study_uid: study for study in there if study.study_uid not in erased}
    for new in studies:
        study = held.setdefault(new.study_uid, Study(study_uid=new.study_uid))
        for name, value in clipped(Study, **{name: getattr(new, name) for name in TOLD}).items():
            if value:
                setattr(study, name, value)
    # In one order everywhere, so that two shards with the same studies cannot block each other.
    rows = [held[uid] for uid in sorted(held)]
    for row in rows:
        row.pk = None
    Study.objects.bulk_create(rows, update_conflicts=True, unique_fields=["study_uid"], update_fields=TOLD)
    ids = dict(Study.objects.filter(study_uid__in=held).values_list("study_uid", "id"))
    for new in studies:
        StudySeries.objects.filter(study=ids[new.study_uid], folder_digest=_folder(new)).delete()
    StudySeries.objects.bulk_create(
        StudySeries(
            study_id=ids[new.study_uid],
            series_uid=series.series_uid,
            folder_digest=_folder(new),
            modality=series.modality[:16],
            instances=series.instances,
        )
        for new in studies
        for series in new.series
    )
    return list(ids.values())


def _folder(study: NewStudy) -> str:
    return sha256(canonical([study.source, study.folder]))


def _new_faults(shard: Shard, faults: Sequence[NewOutcome]) -> list[NewOutcome]:
    """Leave out the faults that were recorded when the same folder held other files.

    Those of an earlier attempt stay in: this one takes its place. So do those of the circumstances, which
    the next run looks for under the folder as it is now.
    """
    portions = shard.portions.values_list("id", "path_digest", "source", "fingerprint")
    folders = {pk: (digest, source, fingerprint) for pk, digest, source, fingerprint in portions}
    seen: set[tuple[str, str, str, str]] = set()
    for some in chunks(digest for digest, _, _ in folders.values()):
        earlier = Input.objects.standing().filter(portion__path_digest__in=some, outcome=Outcome.REJECTED)
        rows = earlier.exclude(reason__in=CIRCUMSTANCES).values_list(
            "portion__path_digest", "portion__source", "portion__fingerprint", "reason", "detail"
        )
        seen.update(
            (digest, source, reason, detail)
            for digest, source, fingerprint, reason, detail in rows
            if (digest, source, fingerprint) not in folders.values()
        )
    return [
        fault
        for fault in faults
        if (*folders[fault.portion][:2], fault.reason, fault.detail[:500]) not in seen
    ]
