"""Plain-text reports, one a file, good and bad."""

from __future__ import annotations

import hashlib
import os
import re
import time
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flows.intake import folder, text
from flows.intake.report import Reason, Rejected, Report
from flows.intake.sources import Source
from review.meanings import REJECTIONS, meaning

HEADER = """Accession: A1
Report number: R1
Patient ID: P1
Birth date: 1950-02-28
Sex: F
Status: addendum
Result time: 2026-03-01T10:00:00+01:00
Modality: MR
Study: MRI thoracic spine
Study date: 2026-03-01

"""


def only(found):
    assert len(found) == 1
    return found[0]


def test_a_report_with_a_header_says_what_the_header_says(tmp_path, make_source, results):
    (tmp_path / "x.txt").write_text(HEADER + "Cord compression at T6.\n")
    report = only(results(make_source("text")))
    assert report.text == "Cord compression at T6.\n"
    assert report.key == "H/report/R1"
    assert (report.accession, report.accession_issuer) == ("A1", "H")
    assert (report.patient_id, report.birth_date, report.sex) == ("P1", "1950-02-28", "F")
    assert report.status == "addendum"
    assert report.result_time == datetime(2026, 3, 1, 9, tzinfo=UTC)
    assert (report.modality, report.study_description) == ("MR", "MRI thoracic spine")
    assert (report.study_date, report.warnings) == ("2026-03-01", ())


def test_a_report_without_a_header_keeps_every_word(tmp_path, make_source, results):
    said = "FINDINGS: Epidural abscess.\nIMPRESSION: As above.\n\nDiscussed.\n"
    (tmp_path / "x.txt").write_text(said)
    report = only(results(make_source("text")))
    assert report.text == said
    assert report.key == "test-text/file/x.txt"


def test_lines_without_a_known_label_stay_in_the_text(tmp_path, make_source, results):
    (tmp_path / "x.txt").write_text(
        "Accession: A1\nFindings: There is a mass at T4.\nNot seen before.\n\nEnd.\n"
    )
    report = only(results(make_source("text")))
    assert report.accession == "A1"
    assert report.text == "Findings: There is a mass at T4.\nNot seen before.\n\nEnd.\n"


def test_the_file_name_says_what_the_header_does_not(tmp_path, make_source, results):
    pattern = re.compile(r"(?P<accession>.+?)_(?P<report_number>.+?)\.txt", re.IGNORECASE)
    (tmp_path / "A7_R7.TXT").write_text("Mass.")
    (tmp_path / "A8_R8-2.txt").write_text("Report number: R8\nAccession: \n\nMass.")
    (tmp_path / "other.txt").write_text("Mass.")
    found = results(make_source("text", filename=pattern))
    assert [report.key for report in found] == ["H/report/R7", "H/report/R8", "test-text/file/other.txt"]
    assert [report.accession for report in found] == ["A7", "A8", ""]


@pytest.mark.parametrize("content", [b"", b"\n \n", b"Accession: A1\n\n", b"\xef\xbb\xbf"])
def test_an_empty_file_is_a_report_without_text(tmp_path, make_source, results, content):
    (tmp_path / "x.txt").write_bytes(content)
    report = only(results(make_source("text")))
    assert isinstance(report, Report)
    assert not report.text.strip()


@pytest.mark.parametrize(
    "content",
    [
        hashlib.shake_256(b"seed").digest(5000).replace(b"\0", b""),
        b"Cord\0compression",
        b"\x01\x02\x03",
        "Normal.".encode("utf-16"),
    ],
    ids=["random without a NUL", "with a NUL", "control characters", "UTF-16 undeclared"],
)
def test_binary_junk_is_rejected_and_kept(tmp_path, make_source, results, content):
    (tmp_path / "x.txt").write_bytes(content)
    rejected = only(results(make_source("text")))
    assert (rejected.reason, rejected.raw) == (Reason.BINARY, content)


def test_another_encoding_than_the_declared_one_is_read_with_a_warning(tmp_path, make_source, results):
    (tmp_path / "a.txt").write_bytes("Hämangiom – “typical”".encode("cp1252"))
    (tmp_path / "b.txt").write_bytes("Hämangiom".encode())
    (tmp_path / "c.txt").write_bytes("Hämangiom 脊柱".encode())
    first, second, _ = results(make_source("text"))
    assert (first.text, first.warnings) == ("Hämangiom – “typical”", ("decoded_as_cp1252",))
    assert (second.text, second.warnings) == ("Hämangiom", ())
    *_, third = results(make_source("text", encoding="ascii"))
    assert (third.text, third.warnings) == ("Hämangiom 脊柱", ("decoded_as_utf-8",))


def test_text_in_none_of_the_encodings_is_rejected(tmp_path, make_source, results):
    content = "Мы не нашли опухоли. ".encode("koi8-r") + b"\x81\x8d"
    (tmp_path / "x.txt").write_bytes(content)
    rejected = only(results(make_source("text")))
    assert (rejected.reason, rejected.raw) == (Reason.UNDECODABLE, content)
    assert "utf-8" in rejected.detail


def test_a_declared_encoding_of_two_bytes_is_no_junk(tmp_path, make_source, results):
    (tmp_path / "x.txt").write_bytes("Hämangiom".encode("utf-16"))
    assert only(results(make_source("text", encoding="utf-16"))).text == "Hämangiom"


def test_a_text_of_50_megabytes_is_rejected_and_kept(tmp_path, make_source, results):
    content = b"No mass. " * 5_600_000
    (tmp_path / "x.txt").write_bytes(content)
    rejected = only(results(make_source("text")))
    assert rejected.reason == Reason.TOO_LARGE
    assert rejected.raw == content


def test_of_a_larger_text_than_64_megabytes_nothing_is_kept(tmp_path, make_source, results):
    with (tmp_path / "x.txt").open("wb") as file:
        file.truncate(70 * 2**20)
    rejected = only(results(make_source("text")))
    assert (rejected.reason, rejected.raw) == (Reason.TOO_LARGE, None)


def test_the_same_text_with_other_newlines_has_the_same_digest(tmp_path, make_source, results):
    for name, content in {
        "a.txt": b"One.\nTwo.\n",
        "b.txt": b"One.\r\nTwo.\r\n",
        "c.txt": b"One.\rTwo.\r",
    }.items():
        (tmp_path / name).write_bytes(content)
    assert len({report.text_digest for report in results(make_source("text"))}) == 1


def test_a_copied_file_has_the_same_key_and_digest_and_another_text_only_the_key(
    tmp_path, make_source, results
):
    (tmp_path / "a.txt").write_text("Report number: R1\n\nMass.")
    (tmp_path / "b.txt").write_text("Report number: R1\n\nMass.")
    (tmp_path / "c.txt").write_text("Report number: R1\n\nMass at T4.")
    first, copy, version = results(make_source("text"))
    assert first.key == copy.key == version.key
    assert first.text_digest == copy.text_digest != version.text_digest


def test_two_reports_of_one_accession_number_are_two_reports(tmp_path, make_source, results):
    (tmp_path / "a.txt").write_text("Accession: A1\nReport number: R1\n\nMass.")
    (tmp_path / "b.txt").write_text("Accession: A1\nReport number: R2\n\nMass.")
    first, second = results(make_source("text"))
    assert first.accession == second.accession
    assert first.key != second.key


# The suite also runs as root, whom no permission stops: so the operating system's refusal is imitated.
def test_a_file_that_may_not_be_read_is_rejected(tmp_path, make_source, results, monkeypatch):
    def refuse(path, flags):
        raise PermissionError(13, "Permission denied", path)

    (tmp_path / "secret.txt").write_text("Mass.")
    monkeypatch.setattr(folder.os, "open", refuse)
    rejected = only(results(make_source("text")))
    assert (rejected.reason, rejected.detail) == (Reason.UNREADABLE, "Permission denied")


def test_a_folder_that_may_not_be_listed_is_one_rejected_item(tmp_path, make_source, results, monkeypatch):
    (tmp_path / "a.txt").write_text("Mass.")
    (tmp_path / "closed").mkdir()
    real = os.scandir

    def scandir(path):
        if Path(path).name == "closed":
            raise PermissionError(13, "Permission denied", str(path))
        return real(path)

    monkeypatch.setattr(folder.os, "scandir", scandir)
    report, rejected = results(make_source("text"))
    assert report.text == "Mass."
    assert rejected.reason == Reason.UNREADABLE


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda path: path.unlink(), Reason.VANISHED),
        (lambda path: path.write_text("Mass, and more of it."), Reason.CHANGED),
        (lambda path: (path.unlink(), path.mkdir()), Reason.UNREADABLE),
        (lambda path: (path.unlink(), os.mkfifo(path)), Reason.UNREADABLE),
        (lambda path: (path.unlink(), path.symlink_to("/etc/hostname")), Reason.UNREADABLE),
    ],
    ids=["gone", "rewritten", "a folder now", "a pipe now", "a link now"],
)
def test_a_file_that_is_another_one_since_it_was_found_is_rejected(tmp_path, make_source, change, reason):
    path = tmp_path / "x.txt"
    path.write_text("Mass.")
    source = make_source("text")
    portion = only(list(text.find(source)))
    change(path)
    assert only(list(text.load(source, portion))).reason == reason


def test_a_file_that_grows_while_it_is_read_is_rejected(tmp_path, make_source, monkeypatch):
    path = tmp_path / "x.txt"
    path.write_text("Mass.")
    source = make_source("text")
    portion = only(list(text.find(source)))

    class Growing(folder.io.BufferedReader):
        def read(self, size):
            content = super().read(size)
            with path.open("a") as file:
                file.write(" And more.")
            return content

    monkeypatch.setattr(folder.io, "BufferedReader", Growing)
    assert only(list(text.load(source, portion))).reason == Reason.CHANGED


def test_what_cannot_be_understood_counts_as_unknown_with_a_warning(tmp_path, make_source, results):
    (tmp_path / "x.txt").write_text(
        "Birth date: 2026.3.1\nStudy date: 31/12/2025\nStatus: sort of\nSex: ?\nResult time: yesterday\n"
        f"Modality: {'M' * 17}\nAccession: A1\n\nMass."
    )
    report = only(results(make_source("text")))
    assert (report.birth_date, report.study_date, report.sex, report.result_time) == ("", "", "", None)
    assert report.status == "final"
    assert report.accession == "A1"
    assert set(report.warnings) == {
        f"{name}_not_understood"
        for name in ("birth_date", "study_date", "status", "sex", "result_time", "modality")
    }


@pytest.mark.parametrize(
    ("said", "moment"),
    [
        ("2026-03-01T10:00:00Z", datetime(2026, 3, 1, 10, tzinfo=UTC)),
        ("2026-07-01 10:00", datetime(2026, 7, 1, 9, tzinfo=UTC)),
        ("20260701100000", datetime(2026, 7, 1, 9, tzinfo=UTC)),
        ("202601011000+0200", datetime(2026, 1, 1, 8, tzinfo=UTC)),
        ("2026-07-01", None),
        ("9999-12-31T23:59:59", None),
        ("2026-02-30T10:00:00", None),
    ],
)
def test_a_time_without_a_zone_is_in_the_zone_of_its_source(tmp_path, make_source, results, said, moment):
    (tmp_path / "x.txt").write_text(f"Result time: {said}\n\nMass.")
    source = make_source("text", timezone=ZoneInfo("Europe/London"))
    assert only(results(source)).result_time == moment


def test_invisible_characters_do_not_make_another_number(tmp_path, make_source, results):
    (tmp_path / "x.txt").write_text("Accession:\u00a0A\u200b1 \n\nMass.", encoding="utf-8")
    assert only(results(make_source("text"))).accession == "A1"


def test_a_file_that_still_settles_is_left_for_the_next_run(tmp_path, make_source, results):
    path = tmp_path / "x.txt"
    path.write_text("Mass.")
    source = make_source("text", settle_seconds=3600)
    assert results(source) == []
    long_ago = path.stat().st_mtime - 7200
    os.utime(path, (long_ago, long_ago))
    assert only(results(source)).text == "Mass."


def test_neither_links_nor_hidden_files_nor_other_names_are_taken(tmp_path, make_source, results):
    inbox = tmp_path / "inbox"
    inbox.mkdir()
    (tmp_path / "outside.txt").write_text("Outside.")
    (inbox / "link.txt").symlink_to(tmp_path / "outside.txt")
    (inbox / "folder").symlink_to(tmp_path)
    (inbox / ".hidden.txt").write_text("Hidden.")
    (inbox / "readme.md").write_text("Other.")
    (inbox / "deep").mkdir()
    (inbox / "deep" / "x.txt").write_text("Mass.")
    source = make_source("text")
    object.__setattr__(source, "folder", inbox)
    assert only(results(source)).file_name == "deep/x.txt"


def test_any_file_name_can_be_recorded_and_opened_again(tmp_path, make_source, results):
    for name in (b"100%.txt", b"%41.txt", b"caf\xe9.txt", "脊柱.txt".encode(), b"two\nlines.txt"):
        (Path(os.fsdecode(os.fsencode(tmp_path) + b"/" + name))).write_text("Mass.")
    found = results(make_source("text"))
    assert [report.text for report in found] == ["Mass."] * 5
    names = {report.file_name for report in found}
    assert names == {"100%25.txt", "%2541.txt", "caf%E9.txt", "脊柱.txt", "two\nlines.txt"}
    assert all(name.encode("utf-8") for name in names)


def test_portions_come_in_the_order_of_their_names_and_again_the_same(tmp_path, make_source):
    for name in ("b.txt", "a.txt", "c/d.txt", "c/a.txt", "B/x.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(name)
    source = make_source("text")
    first = list(text.find(source))
    assert [portion.path for portion in first] == ["a.txt", "b.txt", "B/x.txt", "c/a.txt", "c/d.txt"]
    assert list(text.find(source)) == first


@given(content=st.binary(max_size=400) | st.text(max_size=200).map(str.encode))
@settings(derandomize=True, deadline=None, max_examples=200)
def test_whatever_the_bytes_there_is_one_result_that_can_be_stored(tmp_path_factory, content):
    place = tmp_path_factory.mktemp("any")
    (place / "x.txt").write_bytes(content)
    source = Source(name="s", kind="text", folder=place, patterns=("*.txt",), issuer="H")
    result = only([one for portion in text.find(source) for one in text.load(source, portion)])
    if isinstance(result, Rejected):
        assert result.reason in (Reason.BINARY, Reason.UNDECODABLE)
        assert result.raw == content
    else:
        stored = (result.text, result.key, result.indication, result.accession)
        assert all("\0" not in value and value.encode() is not None for value in stored)


def test_every_reason_has_a_code_and_a_meaning():
    assert Reason("binary") is Reason.BINARY == "binary"
    assert all(meaning(reason).endswith(".") and reason.isidentifier() for reason in Reason)
    assert {*Reason, "not_delivered"} == set(REJECTIONS)


def test_a_very_long_file_name_makes_no_longer_key():
    keys = {Report(text="", file_name="x" * length, source="s").key for length in (3000, 3001)}
    assert len(keys) == 2
    assert max(map(len, keys)) < 100


def test_neither_a_report_nor_a_rejection_shows_what_is_in_it():
    assert "secret" not in repr(Report(text="secret", file_name="x", source="s", patient_id="secret"))
    assert "secret" not in repr(Rejected(reason=Reason.BINARY, raw=b"secret"))


def test_files_of_one_name_in_two_sources_are_two_reports(tmp_path, make_source, results):
    (tmp_path / "x.txt").write_text("Mass.")
    keys = {only(results(make_source("text", name=name))).key for name in ("ward-a", "ward-b")}
    assert len(keys) == 2


def test_a_folder_that_is_gone_before_it_is_listed_was_never_seen(
    tmp_path, make_source, results, monkeypatch
):
    (tmp_path / "a.txt").write_text("Mass.")
    (tmp_path / "deep").mkdir()
    real = os.scandir

    def scandir(path):
        if path.name == "deep":
            path.rmdir()
        return real(path)

    monkeypatch.setattr(folder.os, "scandir", scandir)
    assert only(results(make_source("text"))).text == "Mass."


@pytest.mark.parametrize(("age", "found"), [(30, True), (5, False), (-5, False), (-3600, True)], ids=str)
def test_a_file_of_a_clock_that_went_back_does_not_wait_for_its_time(
    tmp_path, make_source, age: int, found: bool
):
    (tmp_path / "a.txt").write_text("FINDINGS: Normal.")
    then = time.time() - age
    os.utime(tmp_path / "a.txt", (then, then))
    source = make_source("text", settle_seconds=10)
    assert bool(list(text.find(source))) is found
