"""The tables that pandas holds: one shard between the steps, and the outcomes of a run."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import pandas as pd

from flows.intake.linking import Link
from flows.intake.report import Report
from review.versions import RANK

OUTCOMES = ["queued", "routine", "unreadable_text", "duplicate", "superseded", "rejected"]
TIERS = ["stat", "urgent", "soon", "routine"]

_TIME = "datetime64[us, UTC]"
_SHARD: dict[str, Any] = {
    "portion": "int64",
    "item": "int64",
    "key": "str",
    "digest": "str",
    "status": "str",
    "rank": "int64",
    "result_time": _TIME,
    "study_uid": "str",
    "characters": "int64",
    "warnings": "object",
    "text": "str",
    "report": "object",
    "study": "object",
}
_OUTCOME: dict[str, Any] = {
    "input": "int64",
    "source": "str",
    "path": "str",
    "item": "int64",
    "report": "str",
    "outcome": pd.CategoricalDtype(OUTCOMES),
    "reason": "str",
    "tier": pd.CategoricalDtype(TIERS, ordered=True),
    "score": "Int64",
    "case": "str",
    "study": "str",
    "warnings": "str",
    "rules_version": "str",
}


def frame(results: Iterable[tuple[int, int, Report, Link]]) -> pd.DataFrame:
    """One shard's reports, one row each, in the order in which they are to be handled.

    Parameters
    ----------
    results
        The ledger's number of the portion, the item's number in its file from 0, the report, its link.

    Returns
    -------
    pandas.DataFrame
        Sorted so that versions of one report follow each other from the oldest to the newest: by status,
        then result time (unknown first), then arrival; reports in the order of their first arrival.

        ============  ====================  ==============================================================
        column        dtype                 meaning, unit
        ============  ====================  ==============================================================
        portion       int64                 number of the portion in the ledger
        item          int64                 number of the item in its file, from 0
        key           str                   report key
        digest        str                   SHA-256 of the text, hexadecimal
        status        str                   preliminary, final, corrected, addendum or deleted
        rank          int64                 order of the status: 0 preliminary … 3 deleted
        result_time   datetime64[us, UTC]   NaT when unknown
        study_uid     str                   "" when no study was linked
        characters    int64                 length of the text, characters
        warnings      object                tuple of codes, the report's and the link's
        text          str                   the report's text
        report        object                the `Report`
        study         object                the linked `NewStudy` or None
        ============  ====================  ==============================================================
    """
    rows = [
        {
            "portion": portion,
            "item": item,
            "key": report.key,
            "digest": report.text_digest,
            "status": report.status,
            "rank": RANK[report.status],
            "result_time": report.result_time,
            "study_uid": link.study.study_uid if link.study else "",
            "characters": len(report.text),
            "warnings": report.warnings + link.warnings,
            "text": report.text,
            "report": report,
            "study": link.study,
        }
        for portion, item, report, link in results
    ]
    shard = pd.DataFrame(rows, columns=list(_SHARD))
    shard["result_time"] = pd.to_datetime(shard["result_time"], utc=True)  # of any zones
    shard = shard.astype(_SHARD)
    shard["arrival"] = shard.groupby("key", sort=False).ngroup()
    ordered = shard.sort_values(["arrival", "rank", "result_time"], kind="stable", na_position="first")
    return ordered.drop(columns="arrival").reset_index(drop=True)


def outcome_table(rows: Iterable[Mapping[str, Any]]) -> pd.DataFrame:
    """The outcomes of a run, one row an input, for people and auditors. It holds no text and no names.

    Parameters
    ----------
    rows
        What `review.ledger.outcome_rows` gives.

    Returns
    -------
    pandas.DataFrame
        In the order given.

        =============  ==================  ================================================================
        column         dtype               meaning, unit
        =============  ==================  ================================================================
        input          int64               number of the input in the ledger
        source         str                 name of the source
        path           str                 file, relative to the source's folder
        item           int64               number of the item in its file, from 0
        report         str                 report key; "" for a rejected input
        outcome        category            one of `OUTCOMES`
        reason         str                 code of the rejection; "" otherwise
        tier           category, ordered   one of `TIERS`, stat first; NaN when there was no reading
        score          Int64               points of the reading, without unit; NA when there was none
        case           str                 number of the case; "" when there is none
        study          str                 UID of the linked study; "" when there is none
        warnings       str                 codes, separated by spaces
        rules_version  str                 of the reading; "" when there was none
        =============  ==================  ================================================================
    """
    flat = [{**row, "warnings": " ".join(row["warnings"]), "tier": row["tier"] or None} for row in rows]
    return pd.DataFrame(flat, columns=list(_OUTCOME)).astype(_OUTCOME)
