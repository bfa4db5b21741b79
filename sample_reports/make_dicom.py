"""Writes the small DICOM studies of the sample reports: python sample_reports/make_dicom.py [FOLDER]

The studies are listed in `STUDIES`; the same list always gives the same bytes, whichever pydicom release
writes them. Patients and identifiers are invented and belong to the reports with the same accession.
"""

from __future__ import annotations

import sys
import uuid
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.uid import (
    ComputedRadiographyImageStorage,
    CTImageStorage,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    MRImageStorage,
    NuclearMedicineImageStorage,
    PositronEmissionTomographyImageStorage,
)

SOP_CLASSES = {
    "MR": MRImageStorage,
    "CT": CTImageStorage,
    "CR": ComputedRadiographyImageStorage,
    "NM": NuclearMedicineImageStorage,
    "PT": PositronEmissionTomographyImageStorage,
}
TRUNCATED_AT = 200  # within the file meta information, before any UID of the data set


@dataclass(frozen=True)
class SampleStudy:
    """One study; `series` gives modality and number of instances of each series."""

    folder: str
    accession: str
    patient_id: str
    birth_date: str
    sex: str
    study_date: str
    study_time: str
    body_part: str | None  # None leaves the element out, as many scanners do
    description: str
    series: tuple[tuple[str, int], ...]
    contrast_agent: str | None = None


STUDIES = (
    SampleStudy("mr/SA260001", "SA260001", "SP0001", "19570312", "M", "20260914", "134210", "SPINE",
                "MRI Whole spine", (("MR", 3), ("MR", 2))),
    SampleStudy("mr/SA260002", "SA260002", "SP0002", "19791102", "F", "20260915", "090500", "LSPINE",
                "MRI LUMBAR SPINE WO CONTRAST", (("MR", 2),)),
    SampleStudy("mr/SA260003/with contrast", "SA260003", "SP0003", "19840621", "F", "20260916", "101530",
                "CSPINE", "MRI CERVICAL SPINE W WO CONTRAST", (("MR", 2), ("MR", 2)), "GADOBUTROL"),
    SampleStudy("mr/SA260006", "SA260006", "SP0006", "19900517", "M", "20260921", "113000", "CSPINE",
                "MRI CERVICAL SPINE W WO CONTRAST", (("MR", 2),), "GADOTERATE"),
    SampleStudy("ct/2026/09/SA260007", "SA260007", "SP0007", "19551205", "F", "20260922", "074000", "CHEST",
                "CT CHEST ABDOMEN PELVIS W CONTRAST", (("CT", 4),), "IOHEXOL"),
    SampleStudy("mr/SA260008", "SA260008", "SP0008", "19810214", "M", "20260923", "011200", "LSPINE",
                "MRI LUMBAR SPINE W WO CONTRAST", (("MR", 2), ("MR", 1)), "GADOBUTROL"),
    # The scanner was left on the protocol of the patient before.
    SampleStudy("mr/SA260010", "SA260010", "SP0010", "19860403", "F", "20260925", "081500", "HEAD",
                "MRI Lumbar spine", (("MR", 2),)),
    SampleStudy("mr/SA260013", "SA260013", "SP0013", "20180211", "M", "20260929", "120000", "SPINE",
                "MRI whole spine with contrast, paediatric", (("MR", 2), ("MR", 1)), "GADOTERATE"),
    SampleStudy("mr/SA260015", "SA260015", "SP0015", "19680323", "F", "20261001", "201000", "SPINE",
                "MRI Whole spine with contrast", (("MR", 1), ("MR", 1), ("MR", 1)), "GADOBUTROL"),
    SampleStudy("ct/2026/10/SA260016", "SA260016", "SP0016", "19510606", "M", "20261005", "103000",
                "ABDOMEN", "CT ABDOMEN PELVIS W CONTRAST", (("CT", 3),), "IOHEXOL"),
    # The report under this accession has no header block: all that is known of its patient stands here.
    SampleStudy("mr/SA260017", "SA260017", "SP0017", "19850601", "F", "20261105", "150000", "PELVIS",
                "MRI Pelvis and sacrum", (("MR", 2),), "GADOBUTROL"),
    SampleStudy("cr", "SA260018", "SP0018", "19941224", "M", "20261006", "093300", None,
                "XR Femur left AP and lateral", (("CR", 2),)),
    SampleStudy("mr/SA260029", "SA260029", "SP0029", "19610404", "F", "20261013", "110000", "SPINE",
                "MRI WHOLE SPINE WO CONTRAST", (("MR", 2),)),
    SampleStudy("cr", "SA260034", "SP0034", "19440319", "F", "20261015", "141500", "LSPINE",
                "XR LUMBAR SPINE 2-3 VIEWS", (("CR", 2),)),
    SampleStudy("ct/2026/10/SA260036", "SA260036", "SP0036", "20030505", "M", "20261016", "224000", None,
                "CT SPINE TRAUMA", (("CT", 3),), "IOMEPROL"),
    SampleStudy("pet/SA260046", "SA260046", "SP0046", "19590816", "M", "20261021", "083000", "WHOLEBODY",
                "PET CT WHOLE BODY FDG", (("CT", 2), ("PT", 2))),
    SampleStudy("mr/SA260051", "SA260051", "SP0051", "19910125", "M", "20261023", "094500", "HEAD",
                "MRI BRAIN AND CERVICAL SPINE", (("MR", 2), ("MR", 2)), "GADOBUTROL"),
    # Another patient than the one whom the report of this accession names.
    SampleStudy("mr/SA260075", "SA260075", "SP9075", "19390910", "M", "20261102", "160000", "LSPINE",
                "MRI Lumbar spine", (("MR", 2),)),
    SampleStudy("nm", "SA260105", "SP0105", "19490909", "M", "20260916", "125500", "WHOLEBODY",
                "Bone scan whole body", (("NM", 1),)),
    SampleStudy("mr/SA260110", "SA260110", "SP0110", "19820616", "M", "20260921", "121000", "TSPINE",
                "MRI thoracic spine w/wo contrast", (("MR", 2),), "GADOTERATE"),
    # Its report came without an accession number: patient, modality and date lead here.
    SampleStudy("mr/SA260921", "SA260921", "SP0121", "19590315", "F", "20261005", "100000", "TSPINE",
                "MRI thoracic spine", (("MR", 2),), "GADOBUTROL"),
    SampleStudy("mr/SA260201", "SA260201", "SP0201", "19900202", "M", "20260914", "170000", "CSPINE",
                "MRI cervical spine", (("MR", 2),), "GADOBUTROL"),
    # A study that nobody has reported yet.
    SampleStudy("ct/2026/11/unreported", "SA260950", "SP0950", "19700707", "M", "20261109", "101010",
                "LSPINE", "CT lumbar spine", (("CT", 2),)),
)  # fmt: skip


def uid(*name: str | int) -> str:
    """Return the UID that always belongs to this name, in the arc for UUIDs (DICOM PS3.5, B.2)."""
    return f"2.25.{uuid.uuid5(uuid.NAMESPACE_OID, '/'.join(map(str, name))).int}"


def age(birth_date: str, study_date: str) -> str:
    """Return the age at the study as a DICOM age string in whole years."""
    born, studied = date.fromisoformat(birth_date), date.fromisoformat(study_date)
    return f"{studied.year - born.year - ((studied.month, studied.day) < (born.month, born.day)):03d}Y"


def image(study: SampleStudy, series: int, instance: int) -> FileDataset:
    """Build one instance: the header that intake reads, and 16 x 16 pixels of one grey."""
    modality = study.series[series - 1][0]
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = SOP_CLASSES[modality]
    meta.MediaStorageSOPInstanceUID = uid(study.accession, series, instance)
    meta.TransferSyntaxUID = ImplicitVRLittleEndian if modality == "CR" else ExplicitVRLittleEndian
    # Named here because pydicom would write its own release, and each release other bytes.
    meta.ImplementationClassUID = uid("spinetriage sample")
    meta.ImplementationVersionName = "SAMPLE"

    ds = FileDataset("", {}, file_meta=meta, preamble=b"\0" * 128)
    ds.SOPClassUID = meta.MediaStorageSOPClassUID
    ds.SOPInstanceUID = meta.MediaStorageSOPInstanceUID
    ds.StudyInstanceUID = uid(study.accession)
    ds.SeriesInstanceUID = uid(study.accession, series)
    ds.SeriesNumber, ds.InstanceNumber = series, instance
    ds.StudyID = ""
    ds.StudyDate, ds.StudyTime = study.study_date, study.study_time
    ds.AccessionNumber = study.accession
    ds.Modality = modality
    ds.StudyDescription = study.description
    ds.ReferringPhysicianName = ""
    ds.PatientName = ""
    ds.PatientID = study.patient_id
    ds.PatientBirthDate = study.birth_date
    ds.PatientSex = study.sex
    ds.PatientAge = age(study.birth_date, study.study_date)
    if study.body_part is not None:
        ds.BodyPartExamined = study.body_part
    if study.contrast_agent is not None:
        ds.ContrastBolusAgent = study.contrast_agent
    add_pixels(ds, grey=40 * series + instance)
    return ds


def add_pixels(ds: Dataset, grey: int) -> None:
    """Add the smallest picture that viewers open."""
    ds.SamplesPerPixel, ds.PhotometricInterpretation = 1, "MONOCHROME2"
    ds.Rows = ds.Columns = 16
    ds.BitsAllocated, ds.BitsStored, ds.HighBit, ds.PixelRepresentation = 8, 8, 7, 0
    ds.PixelData = bytes([grey]) * (16 * 16)
    ds["PixelData"].VR = "OB"


def write_study(folder: Path, study: SampleStudy) -> None:
    """Write the images of one study below `folder`."""
    for series, (modality, instances) in enumerate(study.series, start=1):
        place = folder / study.folder / f"{study.accession}_{modality}"
        place.mkdir(parents=True, exist_ok=True)
        for instance in range(1, instances + 1):
            # Archives name files in both ways.
            name = f"IM{series:02d}{instance:02d}" + ("" if modality == "CT" else ".dcm")
            image(study, series, instance).save_as(place / name, enforce_file_format=True)


def write_samples(folder: Path) -> None:
    """Write all studies and one truncated file below `folder`."""
    for study in STUDIES:
        write_study(folder, study)
    whole = folder / "mr" / "SA260001" / "SA260001_MR" / "IM0101.dcm"
    broken = folder / "broken" / "SA260900.dcm"
    broken.parent.mkdir(parents=True, exist_ok=True)
    broken.write_bytes(whole.read_bytes()[:TRUNCATED_AT])


if __name__ == "__main__":
    write_samples(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent / "dicom")
