"""Decided cases as labelled reports, as `spinetriage evaluate` takes them.

Which decisions say what of the text, after the label guide:

- confirmed: suspicious, with the tier that the person gave;
- no lesion, misread, not of the spine: not suspicious, and what the machine affirmed is not there;
- known and stable, degenerative or benign: not suspicious (routine), the findings stand as read;
- other: left out, as only the comment knows. So are decisions of before a tier was asked for, and reports
  that the machine could not read: there is no reading to be judged.

Findings count as people corrected them; the others as read. Nobody is asked about pressure on the cord, so
`neural` repeats the machine's word, and no figure about it can be drawn from these labels.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from django.db.models import Exists, F, Max, OuterRef, Prefetch, Q, QuerySet, Subquery
from django.utils import timezone

from review import audit
from review.access import visible
from review.caseload.corrections import newest
from review.evidence import AFFIRMED
from review.models import Account, Correction, Decision, ErasedRow, Tier

Reason = Decision.Reason
SAYS_NONE = (Reason.NO_LESION, Reason.MISREAD, Reason.NOT_SPINE)
SAYS_ROUTINE = (*SAYS_NONE, Reason.KNOWN_STABLE, Reason.DEGENERATIVE)
SOME = 200  # decisions in memory at once


def labels(account: Account, since: datetime | None) -> Iterator[str]:
    """Yield one JSON line for each decided case that says something of its text.

    The export is recorded before the first line, so that one broken off is no secret.

    Parameters
    ----------
    since
        Only cases decided then or later; None for all.
    """
    now = timezone.now()
    chosen = _chosen(account, since, now)
    audit.record(
        audit.Action.EXPORTED,
        actor=account.actor,
        subject=account.actor,
        what="labels",
        count=chosen.count(),
        since=since.isoformat() if since else None,
    )
    corrections = Prefetch("case__corrections", Correction.objects.select_related("reading").order_by("id"))
    read = chosen.select_related("case", "reading__version").prefetch_related(corrections)
    for decision in read.order_by("id").iterator(chunk_size=SOME):
        yield json.dumps(_label(decision))


def _chosen(account: Account, since: datetime | None, until: datetime) -> QuerySet[Decision]:
    """Return the decisions that stand and can be told as labels."""
    last = Decision.objects.filter(case=OuterRef("case")).order_by().values("case")
    stand = visible(Decision.objects.filter(case__state__in=Decision.Verdict.values), account, "case__source")
    told = Q(verdict=Decision.Verdict.CONFIRMED, tier_given__isnull=False) | Q(reason__in=SAYS_ROUTINE)
    chosen = stand.filter(told, reading__unreadable="", at__lte=until)
    if since:
        chosen = chosen.filter(at__gte=since)
    erased = ErasedRow.objects.filter(table="reading", row=OuterRef("reading"))
    chosen = chosen.exclude(Exists(erased))  # a text that was erased labels nothing
    newest_id = Subquery(last.annotate(newest=Max("id")).values("newest"))
    return chosen.annotate(newest=newest_id).filter(pk=F("newest"))


def _label(decision: Decision) -> dict[str, Any]:
    version = decision.reading.version
    content = decision.reading.content
    suspicious = decision.verdict == Decision.Verdict.CONFIRMED
    tier = Tier(decision.tier_given).label if decision.tier_given is not None else "routine"
    gold = {
        "suspicious": suspicious,
        "tier": tier,
        "neural": content["neural"],
        "lesions": list(_lesions(decision, content["findings"])),
    }
    # The id names the report to those who hold the ledger, and nothing to anybody else.
    return {**version.context, "id": f"R{version.report_id}", "text": version.text, "gold": gold}


def _lesions(decision: Decision, findings: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Yield the lesions of a report: the machine's as people corrected them, and those it missed."""
    version = decision.reading.version
    said = [one for one in decision.case.corrections.all() if one.reading.version_id == version.pk]
    standing = newest(said)
    for finding in findings:
        span = finding["start"], finding["end"]
        if span not in standing and any(start < span[1] and span[0] < end for start, end in standing):
            continue  # a person marked these words otherwise, such as when reading without the machine
        if span in standing:
            yield _corrected(version.text, standing.pop(span), finding["class"])
        elif decision.reason in SAYS_NONE and finding["certainty"] in AFFIRMED:
            yield _lesion(finding["quote"], finding["class"], "absent")
        else:
            places = finding["compartments"], finding["levels"]
            yield _lesion(finding["quote"], finding["class"], finding["certainty"], *places)
    for correction in standing.values():
        yield _corrected(version.text, correction, correction.category)


def _corrected(text: str, said: Correction, category: str) -> dict[str, Any]:
    quote = text[said.start : said.end]
    if said.kind == Correction.Kind.NOT_A_LESION:
        return _lesion(quote, category, "absent")
    return _lesion(quote, said.category, said.certainty, said.compartments, said.levels)


def _lesion(
    quote: str, category: str, certainty: str, compartments: Sequence[str] = (), levels: Sequence[str] = ()
) -> dict[str, Any]:
    return {
        "quote": quote,
        "class": category,
        "certainty": certainty,
        "compartment": list(compartments),
        "levels": list(levels),
    }
