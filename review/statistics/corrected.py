"""How often people said that a finding of the machine was wrong, or that it missed one."""

from __future__ import annotations

from collections import Counter
from typing import Any

from review.models import Case, Correction
from review.statistics.confirmed import decided
from review.statistics.estimates import share_of
from review.statistics.period import Scope
from review.statistics.table import Column, Table, percent
from review.statistics.volume import ROUTINE

Kind = Correction.Kind
SAID = {
    Kind.NOT_A_LESION: "a finding was no lesion",
    Kind.OTHERWISE: "a finding was read otherwise",
    Kind.MISSED: "a finding was missed",
}


def corrected(scope: Scope) -> Table:
    """Decided cases with corrections, by kind."""
    total = decided(Case.objects.exclude(sample__stratum=ROUTINE), scope, "").count()
    # The newest correction of a stretch of a text counts; it may take an earlier one back.
    said = decided(Correction.objects.exclude(case__sample__stratum=ROUTINE), scope).order_by("pk")
    newest = {tuple(at): kind for *at, kind in said.values_list("case", "reading", "start", "end", "kind")}
    findings = Counter(newest.values())
    cases = {kind: {at[0] for at, found in newest.items() if found == kind} for kind in SAID}
    rows = [_row(words, len(cases[kind]), total, findings[kind]) for kind, words in SAID.items()]
    any_kind = set[Any]().union(*cases.values())
    rows.append(_row("any of these", len(any_kind), total, sum(findings[kind] for kind in SAID)))
    return Table(
        name="corrected",
        title="Corrections of the machine's findings",
        says=f"{len(any_kind):,} of {total:,} decided cases were corrected"
        + (f" ({percent(len(any_kind) / total)})." if total else "."),
        of="Cases that were decided in the period and whose decision stands, the quality sample left out; of "
        "each stretch of text the newest correction counts. People correct what they care to, so these are "
        "least numbers. 95 % interval by Wilson.",
        columns=(
            Column("what", "What people said", "text"),
            Column("findings", "findings"),
            Column("cases", "cases"),
            Column("decided", "decided cases"),
            Column("share", "share of cases", "share"),
            Column("low", "from", "share"),
            Column("high", "to", "share"),
        ),
        rows=rows,
    )


def _row(what: str, cases: int, decided: int, findings: int) -> dict[str, Any]:
    return {
        "what": what,
        "findings": findings,
        "cases": cases,
        "decided": decided,
        **share_of(cases, decided),
    }
