"""What stands for rows that lost their words: the digests that they had before."""

from __future__ import annotations

from review.models import ErasedRow


def erased(table: str) -> dict[int, str]:
    """Return the digests before erasure, by row id, of a table of `review.digests`."""
    return dict(ErasedRow.objects.filter(table=table).values_list("row", "digest"))
