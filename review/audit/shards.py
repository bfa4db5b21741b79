"""What shards stored, recomputed row by row against the audit rows that vouch for it.

Everything is asked for once and in the order of the shards, so that a million reports need no more memory
than a hundred.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from itertools import groupby
from operator import itemgetter
from typing import Any

from django.db.models import FilteredRelation, Q, QuerySet

from review.audit.chain import Action
from review.audit.erased import erased
from review.digests import (
    COLUMNS,
    canonical,
    digest_of,
    input_line,
    reading_digest,
    row_digest,
    sha256,
    shard_digest,
    stored_line,
)
from review.models import AuditRow, Input, Outcome, Portion, Reading, Shard

Fault = dict[str, Any]
Values = tuple[Any, ...]
_READING = ("id", "data", *COLUMNS["reading"])
# Where a version and the reading of it begin in the row of an input, and what is asked of them by place.
_VERSION = 1 + len(COLUMNS["input"])
_FIRST = _VERSION + len(COLUMNS["version"])
_TEXT, _CONTEXT = COLUMNS["version"].index("text"), COLUMNS["version"].index("context")
_DIGEST = COLUMNS["reading"].index("digest")
_OUTCOME = COLUMNS["input"].index("outcome")
SOME = 500  # ids asked for at once
_NOTHING: tuple[int | None, dict[str, Any]] = (None, {})


def early_shards() -> Iterator[list[int]]:
    """Yield, some at a time, the ids of shards that were stored before each row had a digest of its own."""
    rows = AuditRow.objects.filter(action=Action.SHARD_STORED).exclude(detail__has_key="form")
    told = rows.order_by("number").values_list("detail__shard", flat=True)
    # The chain has named a row that says anything else.
    ids = [shard for shard in told if isinstance(shard, int)]
    return (ids[first : first + SOME] for first in range(0, len(ids), SOME))


def shard_faults() -> Iterator[Fault]:
    """Find shards of which anything was changed, removed or made up behind the program's back."""
    vouched: dict[int, tuple[int | None, dict[str, Any]]] = {}
    rows = AuditRow.objects.filter(action__in=(Action.SHARD_STORED, Action.SHARD_RESTATED)).order_by("number")
    for act, action, said in rows.values_list("number", "action", "detail").iterator():
        if (
            action == Action.SHARD_RESTATED
            and vouched.get(said["shard"], _NOTHING)[1].get("digest") != said["was"]
        ):
            yield {"row": act, "what": f"shard {said['shard']} was recorded anew, but not as it had been"}
        vouched[said["shard"]] = act, said
    stored = Stored()
    for shard in Shard.objects.filter(state=Shard.State.DONE).order_by("id").iterator():
        number, said = vouched.pop(shard.pk, _NOTHING)
        if number is None:
            yield {"row": None, "what": f"shard {shard.pk} is done, but no row of the audit says so"}
        elif "form" in said:
            yield from ({"row": number, "what": what} for what in stored.faults(shard, said))
        elif early_digest(shard) != said["digest"]:
            yield {"row": number, "what": f"an input, version or reading of shard {shard.pk} was changed"}
    for missing, (number, _) in vouched.items():
        yield {"row": number, "what": f"shard {missing} was stored, but is not there as done"}


class Stored:
    """What is in the tables of all shards, or of one, given out shard by shard in the order of their ids."""

    def __init__(self, **only: int) -> None:
        first = FilteredRelation("version__readings", condition=Q(version__readings__shard=None))
        inputs = Input.objects.annotate(first=first).filter(**only)
        version = [f"version__{name}" for name in COLUMNS["version"]]
        reading = [f"first__{name}" for name in _READING]
        texts = ("version__text", "version__context")
        self.portions = _ByShard(Portion.objects.filter(**only), "id", *COLUMNS["portion"])
        self.inputs = _ByShard(inputs, "id", *COLUMNS["input"], *version, *reading)
        self.readings = _ByShard(Reading.objects.exclude(shard=None).filter(**only), *_READING, *texts)
        self.erased = {table: erased(table) for table in ("input", "version", "reading", "portion")}

    def faults(self, shard: Shard, said: dict[str, Any]) -> Iterator[str]:
        """Compare a shard with what its audit row says."""
        found = self.digests(shard)
        versions = sha256(canonical(shard.versions))
        # The first shards of this form do not vouch for the versions that they were to read again.
        if found["row"] != said["row"] or versions != said.get("versions", versions):
            yield f"shard {shard.pk} was changed"
        if found["portions"] != said["portions"]:
            yield f"a portion of shard {shard.pk} was changed"
        if found["digest"] != said["digest"]:
            yield f"an input, version or reading of shard {shard.pk} was changed"

    def digests(self, shard: Shard) -> dict[str, str]:
        """Return the digests of the shard's row, its portions and what it stored."""
        portions = [self._row("portion", row[0], row[1:]) for row in self.portions.take(shard.pk)]
        lines = [self._line(row) for row in self.inputs.take(shard.pk)]
        lines += [self._reading(row[:-2], *row[-2:]) for row in self.readings.take(shard.pk)]
        return {
            "row": digest_of("shard", shard),
            "portions": shard_digest(portions),
            "digest": shard_digest(lines),
        }

    def _line(self, row: Values) -> str:
        item, version, reading = row[1:_VERSION], row[_VERSION:_FIRST], row[_FIRST:]
        own = self._row("input", row[0], item)
        of_version = self._row("version", version[0], version) if version[0] else ""
        is_read = reading[0] and item[_OUTCOME] != Outcome.DUPLICATE
        of_reading = self._reading(reading, version[_TEXT], version[_CONTEXT]) if is_read else ""
        return stored_line(own, of_version, of_reading)

    def _row(self, table: str, pk: int, values: Values) -> str:
        return self.erased[table].get(pk) or row_digest(values)

    def _reading(self, row: Values, text: str, context: dict[str, Any]) -> str:
        """Return the digest of a reading; none for one that gives another digest than its content has."""
        pk, data, *said = row
        found = self.erased["reading"].get(pk) or reading_digest(text, context, data)
        return row_digest(said) if said[_DIGEST] == found else ""


class _ByShard:
    """Rows of one table in the order of their shards, asked for once."""

    def __init__(self, rows: QuerySet[Any], *columns: str) -> None:
        found = rows.order_by("shard_id", "id").values_list("shard_id", *columns).iterator()
        self.groups = groupby(found, key=itemgetter(0))
        self.ahead: tuple[int, list[Values]] | None = None

    def take(self, shard_id: int) -> list[Values]:
        """Return the rows of a shard; ids must be asked for in rising order."""
        while self.ahead is None or self.ahead[0] < shard_id:
            shard, rows = next(self.groups, (sys.maxsize, ()))
            self.ahead = shard, [row[1:] for row in rows]
        return self.ahead[1] if self.ahead[0] == shard_id else []


def early_digest(shard: Shard) -> str:
    """Return the digest of a shard as it was made before each row had its own (`review.digests.FORM`)."""
    return shard_digest(_early_lines(shard))


def _early_lines(shard: Shard) -> Iterator[str]:
    readings: dict[int, Reading] = {}
    for reading in Reading.objects.filter(version__inputs__shard=shard, shard=None).order_by("id"):
        readings.setdefault(reading.version_id, reading)
    for item in Input.objects.filter(shard=shard).select_related("version__report").defer("raw"):
        version = item.version
        found = readings.get(version.pk) if version else None
        read = reading_digest(version.text, version.context, found.data) if version and found else ""
        yield input_line(item, version, read)
