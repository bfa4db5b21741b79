"""Why a report was queued, or not: for any report ever seen."""

from __future__ import annotations

import re
from typing import Any

from django.db.models import QuerySet

from review import audit
from review.access import is_hidden, visible
from review.digests import sha256
from review.history.finding import open_to
from review.history.why import why
from review.keeping.erased import told as erased_told
from review.ledger.history import input_facts, summary
from review.models import Account, Case, Input, Reading, Report

ROWS = 1000  # items of a file that are named
ALSO = 20  # other reports named when a name fits several


def explain(name: str, account: Account) -> dict[str, Any] | None:
    """Return everything recorded about one report, or about an input that was rejected.

    Parameters
    ----------
    name
        A report key, a case (`C12`), an input (`I345`), an accession number or a file's path; tried in this
        order.
    account
        Who asks: only inputs of the sources that this person may see are looked at, and the answer is
        recorded. While a case is to be read blind, who may decide it learns nothing of the reading, and
        nothing from which it would follow: the outcomes are None and the reason is `blind`.

    Returns
    -------
    dict or None
        `report`, `outcome`, `reason`, `reading`, `case`, `run` of the newest input that stands for itself
        (a duplicate only says that the same came again), `why` in a sentence, its `versions`, `inputs`,
        `warnings`, and `also`: the keys of other reports of this name. `rows` are the items of a file that
        holds several, at most `ROWS`. None when nothing of this name was ever seen.
    """
    allowed = visible(Input.objects.all(), account, "portion__source")
    inputs = next((found for found in _candidates(allowed, name) if found.exists()), None)
    if inputs is None:
        return None
    newest = inputs.exclude(outcome="duplicate").order_by("-id").first() or inputs.order_by("-id")[0]
    report = newest.version.report if newest.version else None
    keys = inputs.exclude(version__report=report).exclude(version=None)
    also = (
        keys.values_list("version__report__key", flat=True).distinct().order_by("version__report__key")[:ALSO]
    )
    explained = _explained(newest, report, account) | {"also": list(also)}
    explained["rows"] = _rows(inputs, name, account)
    subject = f"report:{report.pk}" if report else f"input:{newest.pk}"
    audit.record(audit.Action.REPORT_EXPLAINED, actor=account.actor, subject=subject)
    return explained


def _rows(inputs: QuerySet[Input], name: str, account: Account) -> list[dict[str, Any]]:
    """Return the items of a table asked for by its path; what is to be read blind without its outcome."""
    of_file = inputs.filter(portion__path_digest=sha256(name)).order_by("portion__first", "item", "id")
    ids = list(of_file.values_list("pk", flat=True)[:ROWS])
    if len(ids) < 2:
        return []
    open_ids = set(open_to(account).filter(pk__in=ids).values_list("pk", flat=True))
    return [_row(row, row["input"] in open_ids) for row in input_facts(ids)]


def _row(row: dict[str, Any], is_open: bool) -> dict[str, Any]:
    told = {"outcome": None, "reason": "blind", "tier": ""}
    if is_open:
        told = {name: row[name] for name in told}
    return {
        "input": f"I{row['input']}",
        "item": row["item"],
        "report": row["report"],
        **told,
        "case": row["case"],
    }


def report_of(name: str, account: Account) -> int | None:
    """Return the id of the report of a name, as `explain` finds it; None when the person may see none."""
    allowed = visible(Input.objects.all(), account, "portion__source")
    inputs = next((found for found in _candidates(allowed, name) if found.exists()), None)
    newest = inputs.exclude(version=None).order_by("-id").first() if inputs is not None else None
    return newest.version.report_id if newest and newest.version else None


def _candidates(allowed: QuerySet[Input], name: str) -> list[QuerySet[Input]]:
    number = re.fullmatch(r"([CI])([0-9]{1,18})", name)
    found = [allowed.filter(version__report__key=name)]
    if number and number[1] == "C":
        found.append(allowed.filter(version__report__case=int(number[2])))
    if number and number[1] == "I":
        found.append(allowed.filter(pk=int(number[2])))
    found.append(allowed.filter(version__accession=name))
    found.append(allowed.filter(portion__path_digest=sha256(name)))
    return [inputs.select_related("portion", "shard", "version__report").defer("raw") for inputs in found]


def _explained(newest: Input, report: Report | None, account: Account) -> dict[str, Any]:
    version = newest.version
    reading = Reading.objects.filter(version=version).order_by("-id").first() if version else None
    case = Case.objects.filter(report=report).select_related("claimed_by").first() if report else None
    explained = {
        "report": report.key if report else None,
        "source": newest.portion.source,
        "path": newest.portion.path,
        "outcome": newest.outcome,
        "reason": newest.reason,
        "detail": newest.detail,
        "warnings": version.warnings if version else [],
        "reading": reading.content if reading else None,
        "why": why(newest, account).sentence,
        "case": _case(case) if case else None,
        "run": summary(newest.shard.run_id),
        "versions": _versions(report) if report else [],
        "inputs": _inputs(report) if report else [],
        "erased": erased_told([version.pk]) if version else None,
    }
    return _blinded(explained) if case and is_hidden(case, account) else explained


def _blinded(explained: dict[str, Any]) -> dict[str, Any]:
    """Leave out what the machine made of the report."""
    inputs = [row | {"outcome": None, "reason": "", "run": None} for row in explained["inputs"]]
    hidden = {"outcome": None, "reason": "blind", "detail": "", "reading": None, "run": None}
    return explained | hidden | {"inputs": inputs}


def _case(case: Case) -> dict[str, Any]:
    decisions = case.decisions.order_by("id").select_related("account")
    return {
        "case": case.name,
        "tier": case.get_tier_display(),
        "status": case.status,
        "first_arrival": case.first_arrival.isoformat(),
        "decisions": [
            {"verdict": d.verdict, "reason": d.reason, "by": d.account.username, "at": d.at.isoformat()}
            for d in decisions
        ],
    }


def _versions(report: Report) -> list[dict[str, Any]]:
    return [
        {
            "version": version.number,
            "status": version.status,
            "current": version.is_current,
            "arrived_at": version.arrived_at.isoformat(),
            "result_time": version.result_time.isoformat() if version.result_time else None,
            "text_digest": version.text_digest,
        }
        for version in report.versions.defer("text", "context").order_by("number")
    ]


def _inputs(report: Report) -> list[dict[str, Any]]:
    rows = Input.objects.filter(version__report=report).select_related("portion", "shard").defer("raw")
    return [
        {
            "input": f"I{row.pk}",
            "run": row.shard.run_id,
            "path": row.portion.path,
            "item": row.item,
            "outcome": row.outcome,
            "reason": row.reason,
        }
        for row in rows.order_by("id")
    ]
