"""Which of two versions of a report counts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol

from review.records import NewVersion, ReportStatus

Place = Literal["duplicate", "superseded", "version"]
RANK: dict[str, int] = {"preliminary": 0, "final": 1, "corrected": 2, "addendum": 2, "deleted": 3}


class Arrival(Protocol):
    """What decides the place of a version that arrives; `NewVersion` is one."""

    @property
    def status(self) -> ReportStatus: ...
    @property
    def text_digest(self) -> str: ...
    @property
    def result_time(self) -> datetime | None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Holding:
    """What is held of one report.

    `digest`, `status`, `result_time` and `text` are those of the current version; `digests` are those of
    every text ever held, superseded ones too; `number` is the highest version number. `only_addenda` says
    that the parent of the addenda held has not come yet.
    """

    digest: str
    digests: frozenset[str]
    status: str
    result_time: datetime | None
    text: str
    number: int
    only_addenda: bool


def place(new: Arrival, held: Holding | None) -> Place:  # noqa: PLR0911 - one rule a line
    """Say what an arriving version is beside what is held.

    The order is status (deleted, then corrected and addendum, then final, then preliminary), then result
    time, then arrival. Nothing follows a deletion. An addendum is never older than what it adds to: its
    words must be read. A parent that comes after its addendum is a version for the same reason.

    The text of an older version is a duplicate, as an export that lies there unchanged brings it again and
    again, unless its status or result time says that it was sent after the current one: then somebody took
    a correction back.

    The corridor may ask before it reads, and the ledger asks again inside its transaction. Should another
    shard have stored a version between that turns a duplicate into a version, or that an addendum adds to,
    the ledger refuses the shard, and it is read again.
    """
    if held is None:
        return "version"
    if new.status == "deleted":
        return "duplicate" if held.status == "deleted" else "version"
    is_known = new.text_digest in held.digests
    if held.status == "deleted":
        return "duplicate" if is_known else "superseded"
    if new.text_digest == held.digest or (is_known and not _is_sent_later(new, held)):
        return "duplicate"
    if new.status == "addendum" or held.only_addenda:
        return "version"
    if RANK[new.status] != RANK[held.status]:
        return "version" if RANK[new.status] > RANK[held.status] else "superseded"
    if new.result_time and held.result_time and new.result_time < held.result_time:
        return "superseded"
    return "version"


def belongs_to(status: ReportStatus, held: Holding | None) -> Holding | None:
    """Return what an arriving version is to be read together with: addendum and parent, in any order."""
    if held is None or held.status == "deleted":
        return None
    return held if status == "addendum" or held.only_addenda else None


def lacks(new: NewVersion, held: Holding | None) -> bool:
    """Whether the words that were read lack those that the version has to be read together with."""
    partner = belongs_to(new.status, held)
    return partner is not None and partner.text not in new.text


def _is_sent_later(new: Arrival, held: Holding) -> bool:
    if RANK[new.status] != RANK[held.status]:
        return RANK[new.status] > RANK[held.status]
    return bool(new.result_time and held.result_time and new.result_time > held.result_time)
