"""The configuration of the sources, and what is refused in it."""

from __future__ import annotations

from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from flows.intake import formats, sources
from flows.intake.settings import SourceError

ROOT = Path(__file__).parents[2]
GOOD = """
[batch]
shard_reports = 100
[sources.ward]
kind = "text"
folder = "inbox"
issuer = "H"
timezone = "Europe/Berlin"
filename = "{accession}_{report_number}.txt"
[sources.ward.labels]
"Acc. No" = "accession"
[sources.ris]
kind = "csv"
folder = "/srv/exports"
patterns = ["ris*.csv"]
issuer = "H"
delimiter = ";"
enabled = false
[sources.ris.columns]
text = "Befund"
"""


def load(tmp_path, content):
    path = tmp_path / "sources.toml"
    path.write_text(content)
    return sources.load(path, tmp_path)


def test_the_configuration_that_comes_with_the_project_is_good():
    batch, found = sources.load(ROOT / "config" / "sources.toml", ROOT)
    assert (batch.shard_reports, batch.shard_files) == (250, 2000)
    assert {source.name: source.kind for source in found} == {
        "sample-text": "text",
        "sample-csv": "csv",
        "sample-jsonl": "jsonl",
        "sample-dicom": "dicom",
    }
    assert all(source.enabled and source.folder.is_relative_to(ROOT) for source in found)


def test_what_is_set_is_taken_and_the_rest_has_its_default(tmp_path):
    batch, (ward, ris) = load(tmp_path, GOOD)
    assert (batch.shard_reports, batch.shard_files) == (100, 2000)
    assert (ward.folder, ward.patterns, ward.shard_reports) == (tmp_path / "inbox", ("*.txt",), 100)
    assert (ward.timezone, ward.labels) == (ZoneInfo("Europe/Berlin"), {"acc. no": "accession"})
    assert ward.filename.fullmatch("A1_R1.txt").groupdict() == {"accession": "A1", "report_number": "R1"}
    assert (ris.folder, ris.enabled, ris.delimiter) == (Path("/srv/exports"), False, ";")
    assert (ris.columns["text"], ris.columns["accession"]) == ("Befund", "accession")


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('folder = "inbox"', "", "[sources.ward]: folder is missing"),
        ('folder = "inbox"', "folder = 7", "[sources.ward]: folder is 7; expected a text"),
        ('folder = "inbox"', 'folder = " "', "folder is empty"),
        ('folder = "inbox"', 'folder = "inbox"\ncolour = "red"', "[sources.ward]: colour is not a setting"),
        (
            'folder = "inbox"',
            'folder = "inbox"\ndelimiter = ","',
            "[sources.ward]: delimiter is not a setting",
        ),
        ('folder = "inbox"', 'folder = "inbox"\nfolder = "x"', "not valid TOML"),
        ("[sources.ris]", "[sources.ward]", "not valid TOML"),
        ("[sources.ris]", '[sources."R I S"]', "has a name that is not made of"),
        ('kind = "csv"', 'kind = "xls"', "kind is 'xls'; expected one of text, csv, jsonl, dicom"),
        ('issuer = "H"', 'issuer = "H/2"', "issuer is 'H/2'"),
        ("enabled = false", 'enabled = "no"', "[sources.ris]: enabled is 'no'; expected true or false"),
        ("shard_reports = 100", "shard_reports = 0", "[batch]: shard_reports is 0; expected 1"),
        ("shard_reports = 100", "shard_reports = true", "shard_reports is True; expected a whole number"),
        ("shard_reports = 100", "shards = 100", "[batch]: shards is not a setting"),
        ("[batch]", "[batches]", "batches is not a setting"),
        ("[batch]", "sources = 7\n[batch]", "not valid TOML"),
        ('"Europe/Berlin"', '"Europe/Atlantis"', "timezone is 'Europe/Atlantis'"),
        ('"Europe/Berlin"', '"../etc"', "timezone is '../etc'"),
        ('"{accession}_{report_number}.txt"', '"{accession"', "filename is '{accession'"),
        ('"{accession}_{report_number}.txt"', '"{accession}{accession}"', "filename is"),
        ('"{accession}_{report_number}.txt"', '"{patient}.txt"', "names the field 'patient'"),
        ('= "accession"', '= "accesion"', "labels names the field 'accesion'; expected one of"),
        ('= "accession"', '= "text"', "labels names the field 'text'"),
        ('text = "Befund"', 'txt = "Befund"', "columns names the field 'txt'"),
        ('text = "Befund"', "text = 1", "columns.text is 1; expected a text"),
        ('patterns = ["ris*.csv"]', 'patterns = "ris*.csv"', "expected a list of texts"),
        ('patterns = ["ris*.csv"]', "patterns = []", "patterns is []"),
        ('delimiter = ";"', 'delimiter = ";;"', "delimiter is ';;'; expected one character"),
        ('delimiter = ";"', 'encoding = "utf-99"', "encoding is 'utf-99'"),
        ('delimiter = ";"', 'encoding = "utf-16"', "encoding is 'utf-16'; a table is cut at newlines"),
        ('delimiter = ";"', 'encoding = "idna"', "encoding is 'idna'; expected an encoding such as"),
        ('delimiter = ";"', 'encoding = "punycode"', "encoding is 'punycode'"),
        ('delimiter = ";"', 'encoding = "unicode_escape"', "encoding is 'unicode_escape'"),
        ('delimiter = ";"', 'encoding = "rot13"', "encoding is 'rot13'"),
        ('"ris*.csv"', '"*.csv", "[z-a"', "patterns holds '[z-a', which fits no file"),
        ('"ris*.csv"', '"[z-a]*.csv"', "patterns holds '[z-a]*.csv', which fits no file"),
        ('"ris*.csv"', '"[Z-a]*.csv"', "which fits no file"),
        ('"ris*.csv"', '"out/*.csv"', "which fits no file"),
        ('"ris*.csv"', '".hidden"', "which fits no file"),
        ('"ris*.csv"', r'"\u0000"', "which fits no file"),
        (
            'folder = "inbox"',
            r'folder = "in\u0000box"',
            "folder is 'in\\x00box'; expected a text without NUL",
        ),
        ('issuer = "H"', f'issuer = "{"H" * 101}"', "expected a name of up to 100 characters"),
        ("[sources.ris]", f"[sources.{'r' * 101}]", "has a name that is not made of up to 100"),
        ('delimiter = ";"', "max_text_bytes = 1_000_000_000", "max_text_bytes is 1000000000; expected 1 to"),
    ],
)
def test_a_bad_setting_is_refused_with_file_key_and_expectation(tmp_path, old, new, said):
    assert old in GOOD
    with pytest.raises(SourceError) as error:
        load(tmp_path, GOOD.replace(old, new, 1))
    assert str(error.value).startswith(str(tmp_path / "sources.toml"))
    assert said in str(error.value)


@pytest.mark.parametrize(
    "content",
    ["", "[batch]\n[sources]\n", GOOD.replace('folder = "inbox"', 'folder = "inbox"\nenabled = false')],
)
def test_a_configuration_without_an_enabled_source_is_refused(tmp_path, content):
    with pytest.raises(SourceError, match=r"sources\.toml: has no source that is enabled"):
        load(tmp_path, content)


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "cp1252", "latin-1", "ascii", "shift_jis", "gb18030"]
)
def test_every_encoding_of_characters_is_accepted(tmp_path, encoding):
    _, (_, ris) = load(tmp_path, GOOD.replace('delimiter = ";"', f'encoding = "{encoding}"'))
    assert ris.encoding == encoding


@pytest.mark.parametrize("pattern", ["*", "*.", "[ab]*.csv", "[!a]?.csv", "[]a]*", "[[]x]*.csv", "a].csv"])
def test_a_pattern_that_some_name_fits_is_accepted(tmp_path, pattern):
    _, (_, ris) = load(tmp_path, GOOD.replace("ris*.csv", pattern))
    assert ris.patterns == (pattern,)


def test_a_configuration_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(SourceError, match="cannot be read"):
        sources.load(tmp_path / "none.toml", tmp_path)


def test_a_source_whose_folder_is_not_there_is_refused_when_it_is_searched(tmp_path):
    _, (ward, _) = load(tmp_path, GOOD)
    with pytest.raises(SourceError, match=r"\[sources\.ward\]: folder .*inbox cannot be listed"):
        list(formats.find(ward))


def test_somebodys_own_folder_is_searched_for_all_four_formats(tmp_path):
    place = tmp_path / "My Reports (2026)"
    (place / "deep" / "er").mkdir(parents=True)
    (place / "a.txt").write_text("Mass.")
    (place / "deep" / "b.csv").write_text("report_text\nMass.\n")
    (place / "deep" / "er" / "c.ndjson").write_text('{"report_text": "Mass."}\n')
    (place / "deep" / "er" / "IM1").write_bytes(b"")
    found = sources.adhoc(place)
    portions = [portion for source in found for portion in formats.find(source)]
    assert [portion.path for portion in portions] == ["a.txt", "deep/b.csv", "deep/er/c.ndjson", "deep/er"]
    assert all(source.name.startswith("my-reports-2026-") for source in found)


def test_two_own_folders_of_one_name_are_two_sources_whose_reports_have_other_keys(tmp_path):
    keys = set()
    for year in ("2025", "2026"):
        place = tmp_path / year / "reports"
        place.mkdir(parents=True)
        (place / "a.txt").write_text("Mass.")
        source = sources.adhoc(place)[0]
        for portion in formats.find(source):
            keys |= {report.key for report in formats.load_reports(source, portion)}
    assert len(keys) == 2


def test_a_key_fits_the_ledger_however_long_the_names_are(tmp_path):
    place = tmp_path / ("o" * 250)
    deep = place / ("d" * 200)
    deep.mkdir(parents=True)
    (deep / ("f" * 96 + ".txt")).write_text("Mass.")
    source = sources.adhoc(place)[0]
    (portion,) = formats.find(source)
    (report,) = formats.load_reports(source, portion)
    assert len(report.key) <= 500


def test_an_own_folder_that_is_no_folder_is_refused(tmp_path):
    with pytest.raises(SourceError, match="is not a folder"):
        sources.adhoc(tmp_path / "none")
