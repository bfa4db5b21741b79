"""What the filters of the worklist ask for: the concepts, compartments and levels that a reading affirms."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from review.evidence import AFFIRMED
from review.models import Case, CaseMark, Choice
from review.spine import covered

Kind = CaseMark.Kind


def marks(content: dict[str, Any]) -> set[tuple[str, str]]:
    """Return the marks of a reading as (kind, value); those of what presses on the cord are among them."""
    found: set[tuple[str, str]] = set()
    for finding in (*content["findings"], *content["context_findings"]):
        if finding["certainty"] in AFFIRMED:
            found.add((Kind.CONCEPT, finding["concept"]))
            found |= {(Kind.COMPARTMENT, place) for place in finding["compartments"]}
            found |= {(Kind.LEVEL, name) for level in finding["levels"] for name in covered(level)}
    return found


def mark(cases: Iterable[Case]) -> None:
    """Write the marks of cases anew from their newest readings, called in the transaction of the change.

    A case that is read blind has none until it is decided: a filter that finds it would tell its reading.
    """
    there = list(cases)
    CaseMark.objects.filter(case__in=there).delete()
    CaseMark.objects.bulk_create(
        [
            CaseMark(case=case, kind=kind, value=value[:60])
            for case in there
            if not case.is_blind
            for kind, value in sorted(marks(case.reading.content))
        ]
    )
    _offer(choices(there))


def choices(cases: Iterable[Case]) -> dict[tuple[str, str], str]:
    """Return what the filters offer for the sake of these cases: names by kind and value."""
    found: dict[tuple[str, str], str] = {}
    for case in cases:
        content = case.reading.content
        found |= {
            (str(Choice.Kind.CONCEPT), finding["concept"][:60]): finding["name"]
            for finding in (*content["findings"], *content["context_findings"])
            if finding["certainty"] in AFFIRMED
        }
        found[str(Choice.Kind.SOURCE), case.source] = case.source
        if case.modality:
            found[str(Choice.Kind.MODALITY), case.modality] = case.modality
    return found


def _offer(found: dict[tuple[str, str], str]) -> None:
    """Keep new choices; mostly there are none, and then nothing is written."""
    if not found:
        return
    known = {(row.kind, row.value): row.name for row in Choice.objects.all()}
    Choice.objects.bulk_create(
        # In one order everywhere, so that two shards that bring the same ones wait instead of blocking.
        [
            Choice(kind=kind, value=value, name=found[kind, value])
            for kind, value in sorted(found)
            if known.get((kind, value)) != found[kind, value]
        ],
        update_conflicts=True,
        unique_fields=["kind", "value"],
        update_fields=["name"],
    )
