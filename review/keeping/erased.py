"""What pages, exports and readers ask: whether words are there, and if not, since when."""

from __future__ import annotations

from collections.abc import Iterable

from django.db.models import Exists, OuterRef, QuerySet

from review.models import ErasedRow, Erasure, ReportVersion


def erasures(versions: Iterable[int]) -> dict[int, Erasure]:
    """Return by which act each of these versions lost its words; one that has them is left out."""
    rows = ErasedRow.objects.filter(table="version", row__in=list(versions))
    return {row.row: row.erasure for row in rows.select_related("erasure__account")}


def told(versions: Iterable[int]) -> dict[str, str] | None:
    """Say of the newest of these versions that lost its words: when, by whom and why; None when none did."""
    found = erasures(versions)
    if not found:
        return None
    erasure = found[max(found)]
    by = erasure.account.username if erasure.account else ""
    return {"at": erasure.at.isoformat(), "by": by or "retention", "reason": erasure.reason}


def with_words(versions: QuerySet[ReportVersion]) -> QuerySet[ReportVersion]:
    """Leave out versions that lost their words: nothing can be read in them again."""
    return versions.exclude(Exists(ErasedRow.objects.filter(table="version", row=OuterRef("pk"))))
