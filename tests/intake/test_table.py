"""CSV exports and JSON lines, good and bad."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flows.intake import formats, table
from flows.intake.report import Reason, Rejected, Report
from flows.intake.sources import DEFAULT_PATTERNS, Source

HEADER = b"report_number,accession,report_text\n"


def texts(found):
    """Report texts, and for rejections their reasons."""
    return [str(one.reason) if isinstance(one, Rejected) else one.text for one in found]


def test_a_row_says_what_its_columns_say(tmp_path, make_source, results):
    (tmp_path / "x.csv").write_bytes(HEADER + b'R1,A1,"No mass, no ""lesion"".\nNormal."\n')
    (report,) = results(make_source("csv"))
    assert report.text == 'No mass, no "lesion".\nNormal.'
    assert (report.key, report.accession, report.accession_issuer) == ("H/report/R1", "A1", "H")
    assert report.file_name == "x.csv#1"


def test_columns_are_found_by_the_names_of_the_configuration(tmp_path, make_source, results):
    (tmp_path / "x.csv").write_bytes(b"BEFUND ;Nr;Unused\nNo mass, none.;7;x\n")
    columns = {"text": "Befund", "report_number": "nr", "accession": "not there"}
    (report,) = results(make_source("csv", columns=columns, delimiter=";"))
    assert (report.text, report.report_number, report.accession) == ("No mass, none.", "7", "")


def test_windows_newlines_a_byte_order_mark_and_a_missing_last_newline_are_fine(
    tmp_path, make_source, results
):
    (tmp_path / "x.csv").write_bytes(
        b'\xef\xbb\xbf"report_number",report_text\r\n1,"two\r\nlines"\r\n\r\n2,last'
    )
    (tmp_path / "x.jsonl").write_bytes(b'\xef\xbb\xbf{"report_text": "one"}\r\n\r\n{"report_text": "two"}')
    assert texts(results(make_source("csv"))) == ["two\nlines", "last"]
    assert texts(results(make_source("jsonl"))) == ["one", "two"]


def test_rows_of_another_number_of_columns_are_rejected_each(tmp_path, make_source, results):
    (tmp_path / "x.csv").write_bytes(HEADER + b"R1,A1,one\nR2,A2,too,many\nR3\nR4,A4,four\n")
    assert texts(results(make_source("csv"))) == ["one", "broken_row", "broken_row", "four"]


@pytest.mark.parametrize(
    "broken",
    [
        b'R2,A2,"never closed\n',
        b'R2,A2,"never closed\nover two lines\n',
        b'R2,A2,"a quote "inside" the text"\n',
        b'R2,"A2,text\n',
        b'R2,A2,"first line\nsecond "quoted" line\nthird line"\n',
    ],
)
def test_a_quote_that_is_not_balanced_swallows_no_other_row(tmp_path, make_source, results, broken):
    rows = b'R3,A3,plain\nR4,A4,"quoted, with comma"\nR5,A5,"two\nlines"\n'
    (tmp_path / "x.csv").write_bytes(HEADER + b"R1,A1,one\n" + broken + rows)
    found = results(make_source("csv"))
    assert texts(found) == ["one", "broken_row", "plain", "quoted, with comma", "two\nlines"]
    assert found[1].raw == HEADER + broken


def test_rows_with_misplaced_quotes_are_rejected_each(tmp_path, make_source, results):
    broken = b'R2,A2,"never closed\nR3,A3,"the "inner" quote"\nR4,A4,"never closed\n'
    (tmp_path / "x.csv").write_bytes(HEADER + b"R1,A1,one\n" + broken + b"R5,A5,five\n")
    assert texts(results(make_source("csv"))) == ["one", *["broken_row"] * 3, "five"]


def test_an_unbalanced_quote_in_the_last_row_loses_nothing(tmp_path, make_source, results):
    (tmp_path / "x.csv").write_bytes(HEADER + b'R1,A1,one\nR2,A2,"never closed')
    assert texts(results(make_source("csv"))) == ["one", "broken_row"]


def test_what_is_kept_of_a_broken_row_is_a_table_of_its_own(tmp_path, make_source, results):
    (tmp_path / "x.csv").write_bytes(HEADER + b"R1,A1,one\nR2,A2,bad\x01\x02\x03\n")
    *_, rejected = results(make_source("csv"))
    assert rejected.reason == Reason.BINARY
    (tmp_path / "x.csv").write_bytes(rejected.raw.replace(b"\x01\x02\x03", b""))
    assert texts(results(make_source("csv"))) == ["bad"]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"report_number,befund\nR1,Mass.\nR2,Mass.\n", Reason.NO_TEXT),
        (b'"report_number,report_text\nR1,Mass.\n', Reason.BROKEN_ROW),
        (b"report_text\0\nMass.\n", Reason.BINARY),
        (b"R1,Mass.", Reason.NO_TEXT),
    ],
    ids=["no text column", "unbalanced quote", "binary", "no header"],
)
def test_a_table_whose_header_cannot_be_used_is_one_rejected_item(
    tmp_path, make_source, results, content, reason
):
    (tmp_path / "x.csv").write_bytes(content)
    (rejected,) = results(make_source("csv"))
    assert (rejected.reason, rejected.raw) == (reason, content)


def test_a_broken_row_is_kept_only_while_it_is_small_with_its_header(tmp_path, make_source, results):
    wide = b"report_text" + b",c" * 150_000 + b"\n"
    (tmp_path / "x.csv").write_bytes(wide + b"x\n" * 3)
    (tmp_path / "y.csv").write_bytes(HEADER + b"R1,A1,\0" + b"y" * 300_000 + b"\n")
    *narrow, long = results(make_source("csv"))
    assert [(one.reason, one.raw) for one in narrow] == [(Reason.BROKEN_ROW, None)] * 3
    assert narrow[1].detail.endswith(f"; 2 bytes from byte {len(wide) + 2:,} of the file, not kept")
    assert (long.reason, long.raw) == (Reason.BINARY, None)
    assert long.detail == f"300,008 bytes from byte {len(HEADER)} of the file, not kept"


@pytest.mark.parametrize("content", [b"", b"\n\n", HEADER, HEADER + b"\r\n\n"])
def test_a_table_without_rows_has_no_items(tmp_path, make_source, results, content):
    (tmp_path / "x.csv").write_bytes(content)
    assert results(make_source("csv")) == []


def test_each_row_is_decoded_by_itself(tmp_path, make_source, results):
    (tmp_path / "x.csv").write_bytes(
        HEADER + "R1,A1,Hämangiom\n".encode() + "R2,A2,Hämangiom\n".encode("cp1252") + b"R3,A3,\x81\n"
    )
    good, windows, bad = results(make_source("csv"))
    assert (good.text, good.warnings) == ("Hämangiom", ())
    assert (windows.text, windows.warnings) == ("Hämangiom", ("decoded_as_cp1252",))
    assert bad.reason == Reason.UNDECODABLE


def test_an_empty_cell_is_a_report_without_text(tmp_path, make_source, results):
    (tmp_path / "x.csv").write_bytes(HEADER + b"R1,A1,\n")
    (tmp_path / "x.jsonl").write_text('{"report_number": 1, "report_text": null}\n')
    assert texts(results(make_source("csv"))) == [""]
    assert texts(results(make_source("jsonl"))) == [""]


def test_a_row_larger_than_allowed_is_rejected_and_the_next_is_read(tmp_path, make_source, results):
    for name, first, second in (
        ("x.csv", HEADER + b"R1,A1," + b"x" * 2000 + b"\n", b"R2,A2,two\n"),
        ("x.jsonl", b'{"report_text": "' + b"x" * 2000 + b'"}\n', b'{"report_text": "two"}\n'),
    ):
        (tmp_path / name).write_bytes(first + second)
    assert texts(results(make_source("csv", max_text_bytes=1000))) == ["too_large", "two"]
    assert texts(results(make_source("jsonl", max_text_bytes=1000))) == ["too_large", "two"]


def test_a_text_longer_than_the_csv_modules_own_limit_is_read(tmp_path, make_source, results):
    long = "No mass. " * 50_000
    (tmp_path / "x.csv").write_bytes(HEADER + b'R1,A1,"' + long.encode() + b'"\n')
    assert texts(results(make_source("csv"))) == [long]


def test_a_line_of_any_length_is_read_in_pieces(tmp_path, make_source, monkeypatch):
    monkeypatch.setattr("flows.intake.rows.KEPT_BYTES", 1000)
    (tmp_path / "x.jsonl").write_bytes(b"x" * 2500 + b'\n{"report_text": "two"}\n')
    source = make_source("jsonl", max_text_bytes=900)
    (portion,) = table.find(source)
    found = list(table.load(source, portion))
    assert texts(found) == ["too_large", "too_large", "broken_line", "two"]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b'{"report_text": "cut', Reason.BROKEN_LINE),
        (b'["report_text", "list"]', Reason.BROKEN_LINE),
        (b"[" * 100_000, Reason.BROKEN_LINE),
        (b'{"report_text": "x", "accession": ' + b"9" * 5000 + b"}", Reason.BROKEN_LINE),
        (b'{"text": "under another name"}', Reason.NO_TEXT),
        (b'{"report_text": {"en": "nested"}}', Reason.NO_TEXT),
        (b'{"report_text": "with a \\u0000"}', Reason.BINARY),
        (b'\xff\xfe{"report_text": 1}\0', Reason.BINARY),
    ],
)
def test_a_broken_json_line_is_rejected_and_the_next_is_read(tmp_path, make_source, results, line, reason):
    (tmp_path / "x.jsonl").write_bytes(line + b'\n{"report_text": "two"}\n')
    rejected, report = results(make_source("jsonl"))
    assert (rejected.reason, rejected.raw) == (reason, line + b"\n")
    assert report.text == "two"


def test_json_numbers_are_taken_as_they_are_written_and_stray_halves_of_characters_replaced(
    tmp_path, make_source, results
):
    (tmp_path / "x.jsonl").write_bytes(
        b'{"accession": 20260001, "patient_id": "\\ud800P1", "report_text": "A \\ud800 and \\ud83d\\ude00"}\n'
    )
    (report,) = results(make_source("jsonl"))
    assert (report.accession, report.patient_id) == ("20260001", "P1")
    assert report.text == "A \N{REPLACEMENT CHARACTER} and \N{GRINNING FACE}"
    assert report.warnings == ("characters_replaced",)
    assert report.text_digest


def test_reports_without_any_number_are_told_apart_by_file_and_row(tmp_path, make_source, results):
    (tmp_path / "x.jsonl").write_text('{"report_text": "one"}\n{"report_text": "two"}\n')
    first, second = results(make_source("jsonl"))
    assert (first.key, second.key) == ("test-jsonl/file/x.jsonl#1", "test-jsonl/file/x.jsonl#2")


@pytest.mark.parametrize("change", ["gone", "grown", "cut"])
def test_every_item_of_a_table_that_is_another_one_is_rejected(tmp_path, make_source, change):
    path = tmp_path / "x.csv"
    path.write_bytes(HEADER + b"R1,A1,one\nR2,A2,two\n")
    source = make_source("csv")
    (portion,) = table.find(source)
    if change == "gone":
        path.unlink()
    else:
        path.write_bytes(HEADER + b"R1,A1,one\n" * (3 if change == "grown" else 1))
    reason = Reason.VANISHED if change == "gone" else Reason.CHANGED
    assert [one.reason for one in table.load(source, portion)] == [reason, reason]


def test_portions_hold_as_many_rows_as_the_source_allows(tmp_path, make_source, results):
    lines = [json.dumps({"report_text": f"text {number}"}) for number in range(7)]
    (tmp_path / "x.jsonl").write_text("\n".join(lines))
    source = make_source("jsonl", shard_reports=3)
    portions = list(formats.find(source))
    assert [(portion.first, portion.items) for portion in portions] == [(0, 3), (3, 3), (6, 1)]
    assert [report.file_name for report in results(source)] == [f"x.jsonl#{number}" for number in range(1, 8)]


# Pieces that CSV files are made of, and broken ones: what matters is where the quotes and newlines stand.
PIECES = st.lists(
    st.sampled_from(
        [b"a", b",", b'"', b'""', b"\n", b"\r\n", b"\r", b"R1,x\n", b'"a\nb",c\n', b"\xe4", b"\0"]
    ),
    max_size=60,
).map(b"".join)
FAST = settings(derandomize=True, deadline=None, max_examples=150)


def source_in(folder: Path, content: bytes, kind: str = "csv", shard_reports: int = 3) -> Source:
    (folder / f"x.{kind}").write_bytes(content)
    return Source(
        name="s",
        kind=kind,
        folder=folder,
        patterns=DEFAULT_PATTERNS[kind],
        issuer="H",
        shard_reports=shard_reports,
        max_text_bytes=200,
    )


@given(content=PIECES, size=st.integers(1, 5))
@FAST
def test_cut_into_portions_a_table_says_the_same_as_whole(tmp_path_factory, content, size):
    """Whatever the bytes, each portion yields what it promised, and together they yield what one would."""
    folder = tmp_path_factory.mktemp("cut")
    for kind in ("csv", "jsonl"):
        whole = source_in(folder, b"id,report_text\n" + content, kind, 10_000)
        cut = source_in(folder, b"id,report_text\n" + content, kind, size)
        found = []
        for portion in formats.find(cut):
            held = list(formats.load_reports(cut, portion))
            assert len(held) == portion.items <= size
            found += held
        assert found == [
            one for portion in formats.find(whole) for one in formats.load_reports(whole, portion)
        ]


@given(content=PIECES)
@FAST
def test_no_byte_of_a_table_is_lost(tmp_path_factory, content):
    """The items of a table, in order, are its bytes but for blank lines."""
    from flows.intake.rows import CsvTable

    source = source_in(tmp_path_factory.mktemp("bytes"), b"id,report_text\n" + content)
    with (source.folder / "x.csv").open("rb") as file:
        items = [item.raw for item in CsvTable(source, file).items(0)]
    blanks = bytes.maketrans(b"", b"")
    assert b"".join(items).translate(blanks, b"\r\n") == content.translate(blanks, b"\r\n")


@given(
    rows=st.lists(st.tuples(st.text(max_size=20), st.text(max_size=40)), max_size=12),
    quoting=st.sampled_from([0, 1]),
)
@FAST
def test_what_a_csv_writer_writes_is_read_back(tmp_path_factory, rows, quoting):
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, quoting=quoting)
    writer.writerow(["id", "report_text"])
    clean = [tuple("".join(c for c in cell if c.isprintable() or c in "\n,") for cell in row) for row in rows]
    clean = [row for row in clean if any(row)]
    writer.writerows(clean)
    source = source_in(tmp_path_factory.mktemp("back"), buffer.getvalue().encode())
    found = [one for portion in formats.find(source) for one in formats.load_reports(source, portion)]
    assert all(isinstance(one, Report) for one in found)
    assert [one.text for one in found] == [text for _, text in clean]


def test_finding_and_loading_a_large_table_holds_little_of_it(tmp_path, make_source):
    import tracemalloc

    with (tmp_path / "x.csv").open("wb") as file:
        file.write(HEADER)
        for number in range(4_000):
            file.write(b'R%d,A%d,"%s"\n' % (number, number, b"No mass.\n" * 100))
    source = make_source("csv")
    tracemalloc.start()
    portions = list(table.find(source))
    assert sum(portion.items for portion in portions) == 4_000
    assert len(list(table.load(source, portions[-1]))) == 250
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 2 * 2**20
