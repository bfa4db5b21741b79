"""What the filters of the worklist ask for: the concepts, compartments and levels that a reading affirms."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from review.evidence import AFFIRMED
from review.models import Case, CaseMark
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
