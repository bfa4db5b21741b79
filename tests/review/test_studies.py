"""Studies are one row each, whatever folders hold them; faults are told once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from review import audit, ledger
from review.models import Input, Study
from review.records import NewOutcome, NewPortion, NewSeries, NewStudy

pytestmark = [pytest.mark.database, pytest.mark.django_db]
Make = Callable[..., Any]
STUDY = NewStudy(
    study_uid="1.2.3",
    source="pacs",
    folder="a",
    accession="ACC1",
    patient_id="P1",
    series=(NewSeries(series_uid="1.2.3.1", modality="MR", instances=20),),
)


@pytest.fixture
def store(run: Make) -> Make:
    def make(*studies: NewStudy, faults: tuple[str, ...] = (), fingerprint: str = "f") -> dict[str, int]:
        new = NewPortion(kind="studies", source="pacs", path="a", fingerprint=fingerprint, items=20)
        shard = ledger.add_shard(run(), [new])
        assert shard is not None
        [taken] = ledger.shard_portions(shard)
        bad = [
            NewOutcome(portion=taken.id, item=number, reason="no_uid", detail=name)
            for number, name in enumerate(faults)
        ]
        first = ledger.store_studies(shard, studies, bad)
        assert ledger.store_studies(shard, studies, bad) == first  # a done shard is left as it is
        return first

    return make


def test_a_study_is_found_by_accession_or_patient(store: Make) -> None:
    store(STUDY, replace(STUDY, study_uid="1.2.4", accession="ACC2", patient_id="P2", series=()))
    assert [s.study_uid for s in ledger.studies_for(["ACC1"], ["P2", ""])] == ["1.2.3", "1.2.4"]
    assert ledger.studies_for(["", "ACC3"], []) == []
    [held] = ledger.studies_for(["ACC1"], ["P1"])
    assert (held.series, held.instances, held.patient_id) == (1, 20, "P1")


def test_another_folder_adds_to_a_study_and_the_same_folder_replaces_its_part(store: Make) -> None:
    more = NewSeries(series_uid="1.2.3.2", modality="MR", instances=5)
    store(STUDY)
    store(replace(STUDY, folder="b", accession="", body_part="SPINE", series=(more,)), fingerprint="g")
    store(replace(STUDY, series=(replace(STUDY.series[0], instances=30),)), fingerprint="h")
    [held] = ledger.studies_for(["ACC1"], [])
    assert (held.series, held.instances, held.body_part) == (2, 35, "SPINE")
    assert Study.objects.count() == 1


def test_a_fault_is_recorded_once_though_its_folder_changes(store: Make) -> None:
    assert store(STUDY, faults=("x.dcm", "y.dcm")) == {"studies": 1, "rejected": 2}
    assert store(STUDY, faults=("x.dcm", "z.dcm"), fingerprint="g") == {"studies": 1, "rejected": 1}
    assert list(Input.objects.order_by("id").values_list("detail", flat=True)) == ["x.dcm", "y.dcm", "z.dcm"]
    assert ledger.conservation(None) == []
    assert audit.verify()["ok"]


def test_overlong_header_values_are_cut(store: Make) -> None:
    store(replace(STUDY, description="d" * 1000, sex="FEMALE", age="0670Y"))
    assert (Study.objects.get().description, Study.objects.get().sex) == ("d" * 256, "F")


def test_a_version_is_linked_to_its_study(store: Make, deliver: Make, version: Make, case_of: Make) -> None:
    store(STUDY)
    deliver(version("A1", study_uid="1.2.3"), version("A2", study_uid="9.9"))
    assert case_of("A1").reading.version.study.study_uid == "1.2.3"
    assert case_of("A2").reading.version.study is None
