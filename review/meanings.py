"""What the codes of rejections and warnings mean, in plain English; intake gives the codes."""

from __future__ import annotations

HIDDEN = {
    "blind": "The case is to be read without the machine's reading, which is shown once it is decided.",
}
REJECTIONS = {
    "binary": "The bytes are not text.",
    "undecodable": "The text is in none of the encodings that were tried.",
    "too_large": "The text is larger than the source allows.",
    "unreadable": "The file or folder could not be opened or read.",
    "vanished": "The file was gone before it could be read.",
    "changed": "The file changed after it had been found; the next run takes it as it is then.",
    "broken_row": "The table's row has unbalanced quotes or other columns than the header.",
    "broken_line": "The line is not a JSON object.",
    "no_text": "The column that holds the report text is missing.",
    "reader_failed": "The reader failed on it; that is a fault of the program.",
    "reader_killed": "The reader died of it, twice; that is a fault of the program or of one of its parts.",
    "reader_stalled": "The reader did not come to an end with it in the time allowed, twice.",
    "out_of_memory": "The reader needed more memory for it than allowed, twice.",
    "not_dicom": "The file is not DICOM.",
    "truncated": "The DICOM header ends before its study, series and instance numbers.",
    "deflated": "The DICOM header is compressed (deflated); such a file can swell without limit.",
    "broken_dicom": "The DICOM header cannot be understood.",
    "mixed_patients": "The file names another patient than the other files of its study.",
    "not_delivered": "Nothing came back for this item; the next run tries it again.",
}
DUPLICATES = {
    "already_rejected": "The same bytes were rejected before, and stand in the list of rejected inputs.",
}
WARNINGS = {
    "decoded_as_utf-8": "The file was not in the encoding of its source; it was read as UTF-8.",
    "decoded_as_cp1252": "The file was not in the encoding of its source; it was read as Windows-1252.",
    "characters_replaced": "Characters that no text can hold were replaced.",
    "identity_conflict": "The report names another patient than its study, so it was not linked.",
    "no_study_found": "No study was found for the report.",
    "ambiguous_study": "Several studies fit the report, so none was linked.",
}
_FIELD = "_not_understood"


def meaning(code: str) -> str:
    """Say what a code means; one that is not known, such as of an older version, is said as it is."""
    if code.endswith(_FIELD):
        field = code.removesuffix(_FIELD).replace("_", " ")
        return f"The {field} could not be understood and counts as unknown."
    said = REJECTIONS | DUPLICATES | WARNINGS | HIDDEN
    return said.get(code) or code.replace("_", " ")
