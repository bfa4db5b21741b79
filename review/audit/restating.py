"""Shards of before digests of rows, recorded anew: an erasure needs a digest for each row that it takes."""

from __future__ import annotations

from collections.abc import Iterable

from review.audit.chain import SYSTEM, Action, record
from review.audit.shards import Stored, early_digest
from review.digests import FORM
from review.models import AuditRow, Shard


def restate(shards: Iterable[int]) -> list[int]:
    """Record early shards in the new form, each once; to be called in the transaction of what needs it.

    Each is verified against its old digest first, so the chain goes on vouching for what it vouched for. What
    that digest did not cover (file names, bytes, warnings) is vouched for from now on, as it is found.

    Returns
    -------
    list of int
        The shards that do not fit their old digest, which are left as they are.
    """
    changed = []
    # Locked: who erases another report of the shard at the same time waits, and finds it recorded anew.
    for shard in (
        Shard.objects.select_for_update().filter(pk__in=shards, state=Shard.State.DONE).order_by("pk")
    ):
        was = _early(shard)
        if was is None:
            continue
        if early_digest(shard) != was:
            changed.append(shard.pk)
            continue
        record(
            Action.SHARD_RESTATED,
            actor=SYSTEM,
            subject=f"shard:{shard.pk}",
            shard=shard.pk,
            was=was,
            form=FORM,
            **Stored(shard=shard.pk).digests(shard),
        )
    return changed


def _early(shard: Shard) -> str | None:
    """Return the digest of a shard that is vouched for as a whole only; None for another."""
    acts = (Action.SHARD_STORED, Action.SHARD_RESTATED)
    rows = AuditRow.objects.filter(subject=f"shard:{shard.pk}", action__in=acts).order_by("-number")
    said = rows.values_list("detail", flat=True).first()
    return str(said["digest"]) if said and "form" not in said else None
