"""Folders of DICOM files, good and bad. The files are made here, with pydicom."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import textwrap
import zlib
from pathlib import Path
from struct import pack

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    MediaStorageDirectoryStorage,
    MRImageStorage,
)

from flows.intake import dicom, folder
from flows.intake.report import Reason
from flows.intake.sources import Source
from review.records import NewSeries

ROOT = Path(__file__).parents[2]


def header(study="2.25.1", series="2.25.11", instance="2.25.111", **facts):
    dataset = Dataset()
    dataset.StudyInstanceUID = study
    dataset.SeriesInstanceUID = series
    dataset.SOPInstanceUID = instance
    dataset.SOPClassUID = MRImageStorage
    dataset.Modality = "MR"
    for keyword, value in facts.items():
        setattr(dataset, keyword, value)
    return dataset


def write(path: Path, dataset: Dataset, syntax=ExplicitVRLittleEndian, *, preamble=True):
    path.parent.mkdir(parents=True, exist_ok=True)
    meta = FileMetaDataset()
    meta.TransferSyntaxUID = syntax
    meta.MediaStorageSOPClassUID = dataset.SOPClassUID
    meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    dataset.file_meta = meta
    buffer = io.BytesIO()
    dataset.save_as(buffer, enforce_file_format=True)
    content = buffer.getvalue()
    path.write_bytes(content if preamble else content[132:])


def load_all(source):
    studies, faults = [], []
    for portion in dicom.find(source):
        found, wrong = dicom.load(source, portion)
        studies += found
        faults += [(fault.file, fault.reason) for fault in wrong]
    return studies, faults


def test_a_study_says_what_its_headers_say(tmp_path, make_source):
    issuer = Dataset()
    issuer.LocalNamespaceEntityID = "RIS"
    facts = {
        "AccessionNumber": "A1",
        "IssuerOfAccessionNumberSequence": [issuer],
        "PatientID": "P1",
        "IssuerOfPatientID": "PAS",
        "PatientBirthDate": "19500228",
        "PatientSex": "F",
        "PatientAge": "076Y",
        "BodyPartExamined": "TSPINE",
        "StudyDescription": "MRI thoracic spine",
        "StudyDate": "20260301",
        "StudyTime": "101530.25",
        "PatientName": "NEVER^READ",
    }
    write(tmp_path / "a/b/1.dcm", header(instance="2.25.111", **facts))
    write(tmp_path / "a/b/2.dcm", header(instance="2.25.112", **facts))
    write(
        tmp_path / "a/b/3.dcm",
        header(series="2.25.12", instance="2.25.113", ContrastBolusAgent="Gd", **facts),
    )
    ((study,), faults) = load_all(make_source("dicom"))
    assert faults == []
    assert (study.study_uid, study.source, study.folder) == ("2.25.1", "test-dicom", "a/b")
    assert (study.accession, study.accession_issuer) == ("A1", "RIS")
    assert (study.patient_id, study.patient_issuer) == ("P1", "PAS")
    assert (study.birth_date, study.sex, study.age) == ("1950-02-28", "F", "076Y")
    assert (study.modality, study.body_part, study.description) == ("MR", "TSPINE", "MRI thoracic spine")
    assert (study.contrast_agent, study.study_time) == ("Gd", "2026-03-01T10:15:30")
    assert study.series == (
        NewSeries(series_uid="2.25.11", modality="MR", instances=2),
        NewSeries(series_uid="2.25.12", modality="MR", instances=1),
    )


@pytest.mark.parametrize("syntax", [ImplicitVRLittleEndian, ExplicitVRBigEndian])
def test_every_encoding_of_headers_is_read(tmp_path, make_source, syntax):
    write(
        tmp_path / "1.dcm",
        header(AccessionNumber="A1", SpecificCharacterSet="ISO_IR 192", PatientID="Ä1"),
        syntax,
    )
    ((study,), _) = load_all(make_source("dicom"))
    assert (study.accession, study.patient_id, study.folder) == ("A1", "Ä1", ".")


def test_a_study_of_two_folders_is_found_in_both(tmp_path, make_source):
    write(tmp_path / "a/1.dcm", header())
    write(tmp_path / "b/1.dcm", header(series="2.25.12"))
    studies, _ = load_all(make_source("dicom"))
    assert [(study.study_uid, study.folder) for study in studies] == [("2.25.1", "a"), ("2.25.1", "b")]


def test_two_studies_of_one_folder_are_two(tmp_path, make_source):
    write(tmp_path / "1.dcm", header(AccessionNumber="A1", PatientID="P1"))
    write(tmp_path / "2.dcm", header(study="2.25.2", series="2.25.21", AccessionNumber="A2", PatientID="P2"))
    studies, faults = load_all(make_source("dicom"))
    assert [(study.accession, study.patient_id) for study in studies] == [("A1", "P1"), ("A2", "P2")]
    assert faults == []


def test_a_copied_file_counts_once(tmp_path, make_source):
    write(tmp_path / "1.dcm", header())
    write(tmp_path / "copy.dcm", header())
    ((study,), _) = load_all(make_source("dicom"))
    assert study.series[0].instances == 1


@pytest.mark.parametrize("modality", ["SR", "PR", "KO", "SEG"])
def test_a_derived_object_does_not_give_the_study_its_modality(tmp_path, make_source, modality):
    write(tmp_path / "1.dcm", header(series="2.25.10", instance="2.25.110", Modality=modality))
    write(tmp_path / "2.dcm", header(Modality="CT"))
    write(tmp_path / "alone/1.dcm", header(study="2.25.2", Modality=modality))
    (together, alone), _ = load_all(make_source("dicom"))
    assert (together.modality, len(together.series)) == ("CT", 2)
    assert (alone.modality, alone.series[0].modality) == ("", modality)


def test_a_file_of_another_patient_is_not_counted_to_the_study(tmp_path, make_source):
    write(tmp_path / "1.dcm", header(PatientID="P1"))
    write(tmp_path / "2.dcm", header(instance="2.25.112", PatientID="P2"))
    write(tmp_path / "3.dcm", header(series="2.25.12", instance="2.25.113", PatientID="P2"))
    ((study,), faults) = load_all(make_source("dicom"))
    assert (study.patient_id, sum(series.instances for series in study.series)) == ("P1", 1)
    assert faults == [("2.dcm", Reason.MIXED_PATIENTS), ("3.dcm", Reason.MIXED_PATIENTS)]


def test_what_cannot_be_understood_is_left_empty_and_nothing_is_printed(tmp_path, make_source, capfd, caplog):
    dataset = header(AccessionNumber="A1", StudyDescription="x" * 300)
    for keyword in ("StudyDate", "StudyTime", "PatientBirthDate", "PatientAge", "PatientSex"):
        dataset.add_new(keyword, "LO", "2026.3.1-secret")
    dataset.SpecificCharacterSet = "ISO 2022 IR 100"
    write(tmp_path / "1.dcm", dataset)
    content = (tmp_path / "1.dcm").read_bytes()
    (tmp_path / "1.dcm").write_bytes(content.replace(b"ISO 2022 IR 100", b"secret-charsets"))
    ((study,), _) = load_all(make_source("dicom"))
    assert study.accession == "A1"
    assert (study.study_time, study.birth_date, study.age, study.sex, study.description) == (
        "",
        "",
        "",
        "",
        "",
    )
    assert "secret" not in caplog.text + "".join(capfd.readouterr())


def test_a_study_date_without_a_time_is_a_date(tmp_path, make_source):
    write(tmp_path / "1.dcm", header(StudyDate="20260301"))
    ((study,), _) = load_all(make_source("dicom"))
    assert study.study_time == "2026-03-01"


def test_a_truncated_file_is_a_fault(tmp_path, make_source):
    write(tmp_path / "1.dcm", header())
    whole = (tmp_path / "1.dcm").read_bytes()
    for size in (132, 140, 200, 330, len(whole) - 10):
        (tmp_path / f"cut{size}.dcm").write_bytes(whole[:size])
    ((study,), faults) = load_all(make_source("dicom"))
    assert study.series[0].instances == 1
    assert {reason for _, reason in faults} == {Reason.TRUNCATED}
    assert len(faults) == 5


@pytest.mark.parametrize(
    "content",
    [b"", b"Not DICOM at all. " * 20, b"\x08\x00" * 500, b"\x02\x00" + b"junk" * 100, b"MZ" + b"\0" * 500],
)
def test_a_file_that_is_not_dicom_is_a_fault(tmp_path, make_source, content):
    (tmp_path / "x.dcm").write_bytes(content)
    studies, ((name, reason),) = load_all(make_source("dicom"))
    assert (studies, name) == ([], "x.dcm")
    assert reason in (Reason.NOT_DICOM, Reason.BROKEN_DICOM, Reason.TRUNCATED)


def test_a_preamble_may_be_missing_when_it_really_is_dicom(tmp_path, make_source):
    write(tmp_path / "1.dcm", header(AccessionNumber="A1"), preamble=False)
    bare = io.BytesIO()
    header(study="2.25.2", AccessionNumber="A2").save_as(bare, implicit_vr=True, little_endian=True)
    (tmp_path / "2.dcm").write_bytes(bare.getvalue())
    (tmp_path / "3.dcm").write_bytes(bare.getvalue()[:60])
    studies, faults = load_all(make_source("dicom"))
    assert [study.accession for study in studies] == ["A1", "A2"]
    assert faults == [("3.dcm", Reason.NOT_DICOM)]


def test_only_names_that_may_be_dicom_are_taken_and_no_directory_file(tmp_path, make_source):
    for name in ("1.DCM", "IM0001", "1.2.840.113619.2"):
        write(tmp_path / name, header(instance=f"2.25.{len(name)}"))
    for name in ("notes.txt", "list.json", "README.md"):
        (tmp_path / name).write_text("Not DICOM.")
    write(tmp_path / "DICOMDIR", header(SOPClassUID=MediaStorageDirectoryStorage))
    ((study,), faults) = load_all(make_source("dicom"))
    assert study.series[0].instances == 3
    assert faults == []


def memory_of_loading(place: Path) -> tuple[list[str], int]:
    """What loading said and its peak memory in bytes, measured in a process of its own."""
    script = """
        import resource, sys
        from pathlib import Path
        from flows.intake import dicom
        from flows.intake.sources import Source
        source = Source(name="s", kind="dicom", folder=Path(sys.argv[1]), patterns=("*.dcm",), issuer="H")
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        for portion in dicom.find(source):
            studies, faults = dicom.load(source, portion)
            print(len(studies), *[fault.reason for fault in faults])
        print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script), str(place)],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
    )
    *said, peak = done.stdout.split()
    return said, int(peak) * 1024


def test_a_deflated_bomb_is_refused_before_it_swells(tmp_path):
    write(tmp_path / "x.dcm", header(), DeflatedExplicitVRLittleEndian)
    start = (tmp_path / "x.dcm").read_bytes()
    start = start[: start.index(b"1.2.840.10008.1.2.1.99") + 22]
    squeeze = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    with (tmp_path / "x.dcm").open("wb") as file:
        file.write(start)
        for _ in range(300):
            file.write(squeeze.compress(b"\0" * 2**20))
        file.write(squeeze.flush())
    assert (tmp_path / "x.dcm").stat().st_size < 2**20
    said, peak = memory_of_loading(tmp_path)
    assert said == ["0", "deflated"]
    assert peak < 20 * 2**20


def test_a_private_element_of_200_megabytes_costs_no_memory(tmp_path):
    write(tmp_path / "x.dcm", header())
    content = (tmp_path / "x.dcm").read_bytes()
    before, after = content[: (at := content.index(pack("<HH", 0x20, 0x0D)))], content[at:]
    with (tmp_path / "x.dcm").open("wb") as file:
        file.write(before + pack("<HH2sHL", 0x0019, 0x1010, b"OB", 0, 200 * 2**20))
        file.seek(200 * 2**20, os.SEEK_CUR)
        file.write(after)
    said, peak = memory_of_loading(tmp_path)
    assert said == ["1"]
    assert peak < 20 * 2**20


@pytest.mark.parametrize(("group", "element"), [(0x0002, 0x0102), (0x0008, 0x1030)], ids=["meta", "wanted"])
def test_no_element_of_200_megabytes_costs_memory(tmp_path, group, element):
    write(tmp_path / "x.dcm", header())
    content = (tmp_path / "x.dcm").read_bytes()
    at = content.index(pack("<HH", 0x08, 0x16 if group == 2 else 0x60))
    with (tmp_path / "x.dcm").open("wb") as file:
        file.write(content[:at] + pack("<HH2sHL", group, element, b"OB", 0, 200 * 2**20))
        file.seek(200 * 2**20, os.SEEK_CUR)
        file.write(content[at:])
    said, peak = memory_of_loading(tmp_path)
    assert said in (["1"], ["0", "broken_dicom"])
    assert peak < 20 * 2**20


def test_a_sequence_nested_without_end_is_a_fault(tmp_path, make_source):
    write(tmp_path / "x.dcm", header())
    content = (tmp_path / "x.dcm").read_bytes()
    at = content.index(pack("<HH", 0x20, 0x0D))
    opening = pack("<HH2sHL", 0x0019, 0x1010, b"SQ", 0, 0xFFFFFFFF) + pack("<HHL", 0xFFFE, 0xE000, 0xFFFFFFFF)
    (tmp_path / "x.dcm").write_bytes(content[:at] + opening * 5000 + content[at:])
    studies, ((_, reason),) = load_all(make_source("dicom"))
    assert (studies, reason) == ([], Reason.BROKEN_DICOM)


@given(
    changes=st.lists(st.tuples(st.integers(0, 599), st.integers(0, 255)), min_size=1, max_size=8),
    size=st.integers(0, 600),
    preamble=st.booleans(),
)
@settings(derandomize=True, deadline=None, max_examples=300)
def test_whatever_is_damaged_in_a_file_it_is_a_study_or_a_fault(tmp_path_factory, changes, size, preamble):
    place = tmp_path_factory.mktemp("damaged")
    sequence = [Dataset(), Dataset()]
    write(
        place / "x.dcm",
        header(AccessionNumber="A1", PatientID="P1", IssuerOfAccessionNumberSequence=sequence),
        preamble=preamble,
    )
    content = bytearray((place / "x.dcm").read_bytes())
    for at, value in changes:
        content[at % len(content)] = value
    (place / "x.dcm").write_bytes(content[: max(size, 10)])
    source = Source(name="s", kind="dicom", folder=place, patterns=("*.dcm",), issuer="H")
    studies, faults = load_all(source)
    assert len(studies) + len(faults) <= 1


# The suite also runs as root, whom no permission stops: so the operating system's refusal is imitated.
def test_a_file_that_may_not_be_read_or_vanishes_is_a_fault(tmp_path, make_source, monkeypatch):
    for name in ("closed.dcm", "gone.dcm", "open.dcm"):
        write(tmp_path / name, header())
    real = os.open

    def refuse(path, flags):
        if path.name == "closed.dcm":
            raise PermissionError(13, "Permission denied", str(path))
        if path.name == "gone.dcm":
            path.unlink()
        return real(path, flags)

    monkeypatch.setattr(folder.os, "open", refuse)
    ((study,), faults) = load_all(make_source("dicom"))
    assert study.series[0].instances == 1
    assert faults == [("closed.dcm", Reason.UNREADABLE), ("gone.dcm", Reason.VANISHED)]


def test_a_folder_that_vanishes_is_a_fault(tmp_path, make_source):
    write(tmp_path / "a/1.dcm", header())
    source = make_source("dicom")
    (portion,) = dicom.find(source)
    (tmp_path / "a/1.dcm").unlink()
    (tmp_path / "a").rmdir()
    assert dicom.load(source, portion) == ([], [("a", Reason.VANISHED, "")])


def test_a_folder_that_may_not_be_listed_is_a_fault(tmp_path, make_source, monkeypatch):
    write(tmp_path / "a/1.dcm", header())
    (tmp_path / "closed").mkdir()
    real = os.scandir

    def scandir(path):
        if path.name == "closed":
            raise PermissionError(13, "Permission denied", str(path))
        return real(path)

    monkeypatch.setattr(folder.os, "scandir", scandir)
    ((study,), faults) = load_all(make_source("dicom"))
    assert study.folder == "a"
    assert faults == [("closed", Reason.UNREADABLE)]


def test_a_folder_has_another_fingerprint_when_one_of_its_files_has(tmp_path, make_source):
    write(tmp_path / "1.dcm", header())
    source = make_source("dicom")
    (first,) = dicom.find(source)
    assert list(dicom.find(source)) == [first]
    write(tmp_path / "2.dcm", header(instance="2.25.112"))
    (second,) = dicom.find(source)
    assert first.fingerprint != second.fingerprint
    assert (first.items, second.items) == (1, 2)
