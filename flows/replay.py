"""Replay: stored reports are read again with the very rules of their readings, and compared to the byte."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any

from flows import display, editions
from flows.editions import Kept
from flows.verdict import verdict
from review import audit
from review.digests import canonical, reading_digest
from review.ledger import replays
from review.ledger.replays import Stored
from review.models import Account, ReportVersion

DIFFERENCES = 20  # told of one reading


class ReplayError(RuntimeError):
    """There is nothing of that name; the text says what was expected."""


class Result(StrEnum):
    """What a replay can come to."""

    SAME = "same"
    OTHER_PROGRAM = "other_program"
    OTHER_LIBRARIES = "other_libraries"
    UNEXPLAINED = "unexplained"
    NOT_KEPT = "rules_not_kept"
    ERASED = "erased"


@dataclass(frozen=True, slots=True, kw_only=True)
class Replayed:
    """One reading, made again."""

    report: str
    version: int
    reading: int
    result: Result
    why: str = ""
    # Where the two differ: `at`, `stored`, `now`. Empty while the case waits to be read blind.
    differences: list[dict[str, Any]] = field(default_factory=list)


class Tally:
    """What a replay came to, kept small: the counts, and the first readings that differ."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.counts = dict.fromkeys(map(str, Result), 0)
        self.whys: Counter[str] = Counter()
        self.listed: list[Replayed] = []

    def take(self, one: Replayed) -> None:
        """Count one reading."""
        self.counts[one.result] += 1
        if one.result in (Result.SAME, Result.ERASED):
            return
        self.whys[one.why] += 1
        if one.result != Result.NOT_KEPT and len(self.listed) < self.limit:
            self.listed.append(one)

    @property
    def is_sound(self) -> bool:
        """Whether every reading that could be made again is the same, or it is known why not."""
        return not self.counts[Result.UNEXPLAINED]

    def as_dict(self) -> dict[str, Any]:
        """Return it as `--json` prints it."""
        return {
            "readings": sum(self.counts.values()),
            "ok": self.is_sound,
            "results": self.counts,
            "why": [{"why": why, "readings": number} for why, number in self.whys.most_common()],
            "listed": [asdict(one) for one in self.listed],
        }


def replay(account: Account, run: int | None, report: str, limit: int) -> Tally:
    """Make readings again one by one, and record that it was done and what it came to.

    Parameters
    ----------
    run
        The run that made the readings; None for those of a report.
    report
        The name of a report, as `explain` takes it.
    limit
        How many readings that differ are listed.

    Raises
    ------
    ReplayError
        When there is no such run, or no such report that the person may see.
    """
    stored, total, subject = _asked(account, run, report)
    tally, is_complete = Tally(limit), False
    try:
        for one in display.counted(stored, total, "Reading again"):
            tally.take(replayed(one))
        is_complete = True
    finally:  # one that was broken off is recorded, too
        audit.record(
            audit.Action.RUN_REPLAYED,
            actor=account.actor,
            subject=subject,
            complete=is_complete,
            **tally.counts,
        )
    return tally


def _asked(account: Account, run: int | None, report: str) -> tuple[Iterable[Stored], int, str]:
    if run is not None:
        total = replays.count_readings(run, account)
        if total is None:
            raise ReplayError(f"There is no run {run}; `spinetriage runs` lists them.")
        return replays.run_readings(run, account), total, f"run:{run}"
    found = replays.report_readings(report, account)
    if found is None:
        raise ReplayError("No report of that name that this account may see.")
    return found[1], len(found[1]), f"report:{found[0]}"


def replayed(stored: Stored) -> Replayed:
    """Make one reading again, and say whether it is the same, and if not, why."""
    result, why, differences = _compared(stored)
    return Replayed(
        report=stored.reading.version.report.key,
        version=stored.reading.version.number,
        reading=stored.reading.pk,
        result=result,
        why=why,
        differences=[] if stored.is_hidden else differences[:DIFFERENCES],
    )


def _compared(stored: Stored) -> tuple[Result, str, list[dict[str, Any]]]:
    reading, version = stored.reading, stored.reading.version
    if stored.is_erased:
        return Result.ERASED, "", []
    kept = editions.kept(reading.rules_version)
    if kept is None:
        return Result.NOT_KEPT, "made before rules were kept", []
    said, fault = _again(kept, version)
    if fault:
        return *_explained(kept, fault), []
    differences = list(_differences(_loaded(reading.data), said))
    if reading_digest(version.text, version.context, reading.data) != reading.digest:
        why = "its text, context or reading was changed since it was stored; see `spinetriage audit verify`"
        return Result.UNEXPLAINED, why, differences
    if canonical(said) == reading.data:
        return Result.SAME, "", []
    return *_explained(kept, ""), differences


def _again(kept: Kept, version: ReportVersion) -> tuple[dict[str, Any], str]:
    """Return what the kept rules make of a version, and what prevents it."""
    if kept.reader is None:
        return {}, kept.fault
    try:
        said = verdict(version.text, version.context, version.warnings, kept.reader.read)
    except Exception as error:  # told as any other difference; its own text may quote the report
        return {}, f"the reader failed: {type(error).__name__}"
    # With another program the same rules have another name.
    return said | {"rules_version": kept.rules.version}, ""


def _explained(kept: Kept, fault: str) -> tuple[Result, str]:
    """Say what explains a difference: the program comes first, as it is what mostly changes."""
    if kept.is_changed:
        return Result.UNEXPLAINED, f"{fault}; see `spinetriage audit verify`"
    libraries, program = kept.other_libraries, kept.other_program
    parts = [f"the libraries differ ({'; '.join(libraries)})"] if libraries else []
    if program:
        parts.insert(0, f"the program differs (made by {kept.rules.code_version}; {', '.join(program)})")
    parts += [fault] if fault else []
    if program:
        return Result.OTHER_PROGRAM, "; ".join(parts)
    if libraries:
        return Result.OTHER_LIBRARIES, "; ".join(parts)
    return Result.UNEXPLAINED, fault or "rules, program and libraries are the same, the reading is not"


def _loaded(data: str) -> Any:
    try:
        return json.loads(data)
    except ValueError:
        return None


def _differences(stored: Any, now: Any, at: str = "") -> Iterator[dict[str, Any]]:
    """Yield where two JSON values differ, the innermost places."""
    if isinstance(stored, dict) and isinstance(now, dict):
        for key in sorted(stored.keys() | now.keys()):
            yield from _differences(stored.get(key), now.get(key), f"{at}.{key}" if at else key)
    elif isinstance(stored, list) and isinstance(now, list) and len(stored) == len(now):
        for number, (one, other) in enumerate(zip(stored, now, strict=True)):
            yield from _differences(one, other, f"{at}[{number}]")
    elif stored != now:
        yield {"at": at, "stored": stored, "now": now}
