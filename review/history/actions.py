"""The rows of the audit as people read them: filtered, folded, and as a table to take away."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC
from typing import Any

from django.db.models import Q, QuerySet

from review import audit
from review.access import may
from review.digests import canonical
from review.formulas import harmless
from review.history.asked import Asked, AskedError, Span, address, asked, number, one_of, span
from review.history.words import Named, details, named, who, words
from review.models import Account, AuditHead, AuditRow, Case

FILTERS = ("by", "action", "about", "since", "until")
BEFORE = "before"  # where in the list: what comes after the row of this number
PIECE = 300  # rows of the audit on a page; folded they are far fewer
CHUNK = 2000  # rows of a table in memory
HEADINGS = ("number", "at_utc", "by", "action", "words", "about", "from", "detail")
BLIND = "not shown while the case is to be read blind"
_SUBJECT = re.compile(r"[a-z_]{1,20}:[A-Za-z0-9_.-]{1,39}")
_SHORT = {"C": "case", "I": "input"}


@dataclass(slots=True)
class Entry:
    """What one actor did to one thing, once or again and again with nothing else in between."""

    by: str
    account: int  # 0 for the program
    words: tuple[str, str, str]  # before what it was done to, that, and behind
    about: Named
    origin: str
    lines: list[tuple[AuditRow, str]] = field(
        default_factory=list
    )  # the newest first, with what is beside it

    @property
    def newest(self) -> AuditRow:
        return self.lines[0][0]

    @property
    def oldest(self) -> AuditRow:
        return self.lines[-1][0]


@dataclass(frozen=True, slots=True)
class Shown:
    """A piece of the audit, the newest first."""

    entries: list[Entry]
    rows: int
    before: int  # where the next, older piece begins; 0 = there is none


def chosen(query: Mapping[str, str]) -> Asked:
    """Return the filters of an address: `by` an account's id or `system`, an act, `about` something, a span.

    Raises
    ------
    AskedError
        When one cannot be used.
    """
    given = asked(query, FILTERS, beside=(BEFORE,))
    one_of(given, "action", [str(action) for action in audit.Action])
    if given.get("by") != audit.SYSTEM:
        number(given, "by")
    if "about" in given:
        given["about"] = _subject(given["about"])
    span(given)
    return given


def by_name(name: str) -> str:
    """Return the `by` of a person's name, or of `system`; "" for everybody.

    Raises
    ------
    AskedError
        When there is no such account.
    """
    if name in ("", audit.SYSTEM):
        return name
    found = Account.objects.filter(username=name).values_list("pk", flat=True).first()
    if found is None:
        raise AskedError(f"There is no account {name[:60]!r}; `spinetriage user list` names them all.")
    return str(found)


def rows_of(given: Asked, than: AuditRow | None = None) -> QuerySet[AuditRow]:
    """Return the rows that the filters leave, the newest first; with `than` only those that come after it.

    They are in the order of the time and then of the number, as the indexes are: by number alone a span of
    time would have to be sorted as a whole, or all rows after it gone through.
    """
    within: Span = span(given)
    rows = AuditRow.objects.order_by("-at", "-number")
    if than is not None and (within.until is None or than.at < within.until):
        # One upper end, not two: SQLite would go by the first of them, which may be far away.
        within = Span(within.since, None)
        rows = rows.filter(Q(at__lt=than.at) | Q(number__lt=than.number), at__lte=than.at)
    rows = rows.filter(within.within("at"))
    if by := given.get("by"):
        rows = rows.filter(actor=by if by == audit.SYSTEM else f"account:{by}")
    if action := given.get("action"):
        rows = rows.filter(action=action)
    if about := given.get("about"):
        rows = rows.filter(subject=about)
    return rows


def show(account: Account, given: Asked, before: int = 0, size: int = PIECE) -> Shown:
    """Return a piece of the audit, folded. That it was read is recorded, with the filters."""
    than = AuditRow.objects.filter(pk=before).first() if before else None
    found = list(rows_of(given, than)[: size + 1])
    shown, more = found[:size], len(found) > size
    entries = fold(shown, account)
    audit.record(
        audit.Action.AUDIT_READ, actor=account.actor, subject=account.actor, filters=given, rows=len(shown)
    )
    return Shown(entries, len(shown), shown[-1].number if more else 0)


def fold(rows: Iterable[AuditRow], account: Account) -> list[Entry]:
    """Put repeats together: the same act on the same thing, with no other act of the actor in between.

    Parameters
    ----------
    rows
        The newest first; none is dropped.
    account
        Who reads. Who may decide learns nothing from the audit of a case that is to be read blind.
    """
    rows = list(rows)
    names, blind = _names(rows), _blind(rows, account)
    entries: list[Entry] = []
    last: dict[str, Entry] = {}
    for row in rows:
        said = BLIND if _is_kept(row, blind, account) else details(row.detail)
        entry = last.get(row.actor)
        if entry is None or _key(entry.newest) != _key(row):
            about = named(row.subject, names)
            by = 0 if row.actor == audit.SYSTEM else int(row.actor.partition(":")[2])
            did = words(row.action, about)
            entry = Entry(who(row.actor, names), by, did, about, row.origin)
            entries.append(entry)
            last[row.actor] = entry
        entry.lines.append((row, said))
    return entries


def as_csv(account: Account, given: Asked) -> Iterator[str]:
    """Give all rows that the filters leave as CSV, some at a time in memory; that is recorded at once."""
    head = AuditHead.objects.filter(pk=1).values_list("number", flat=True).first() or 0
    count = rows_of(given).filter(number__lte=head).count()
    audit.record(
        audit.Action.EXPORTED,
        actor=account.actor,
        subject=account.actor,
        what="audit",
        filters=given,
        count=count,
    )
    return _lines(account, given, head)


def as_dict(entry: Entry) -> dict[str, Any]:
    """Return an entry as `spinetriage actions --json` prints it, with all its rows."""
    return {
        "by": entry.by,
        "what": "".join(entry.words),
        "action": entry.newest.action,
        "about": entry.newest.subject,
        "from": entry.origin,
        "times": len(entry.lines),
        "first_at": entry.oldest.at.isoformat(),
        "last_at": entry.newest.at.isoformat(),
        "rows": [{"row": row.number, "at": row.at.isoformat(), "detail": said} for row, said in entry.lines],
    }


def people() -> list[tuple[int, str]]:
    """Return everybody who ever had an account, by name."""
    return sorted(Account.objects.values_list("pk", "username"), key=lambda one: one[1].lower())


def query(given: Asked) -> str:
    """Return the filters as they stand in an address."""
    return address(given)


def _lines(account: Account, given: Asked, head: int) -> Iterator[str]:
    yield line(HEADINGS)
    before = None
    while some := list(rows_of(given, before).filter(number__lte=head)[:CHUNK]):
        names, blind = _names(some), _blind(some, account)
        for row in some:
            at = row.at.astimezone(UTC).isoformat()
            detail = BLIND if _is_kept(row, blind, account) else canonical(row.detail)
            did = "".join(words(row.action, named(row.subject, names)))
            yield line(
                (row.number, at, who(row.actor, names), row.action, did, row.subject, row.origin, detail)
            )
        before = some[-1]


def line(cells: Iterable[Any]) -> str:
    """Return one line of CSV that no spreadsheet reckons with."""
    file = io.StringIO()
    csv.writer(file).writerow(harmless(str(cell)) for cell in cells)
    return file.getvalue()


def _key(row: AuditRow) -> tuple[str, str, str]:
    return row.action, row.subject, row.origin


def _subject(said: str) -> str:
    short = re.fullmatch(r"([CI])([0-9]{1,18})", said)
    subject = f"{_SHORT[short[1]]}:{short[2]}" if short else said
    if not _SUBJECT.fullmatch(subject):
        raise AskedError(
            f"The filter 'about' cannot be {said[:60]!r}; expected what an act was done to, such as "
            "case:12, report:7, run:3, input:9 or account:2."
        )
    return subject


def _names(rows: Iterable[AuditRow]) -> dict[int, str]:
    said = {name for row in rows for name in (row.actor, row.subject)}
    ids = [
        int(pk)
        for kind, _, pk in (one.partition(":") for one in said)
        if kind == "account" and pk.isdecimal()
    ]
    return dict(Account.objects.filter(pk__in=ids).values_list("pk", "username"))


def _blind(rows: Iterable[AuditRow], account: Account) -> set[str]:
    """Return the subjects of which this person must learn nothing that the machine read."""
    if not may(account, "decide"):
        return set()
    subjects = {row.subject for row in rows}
    waiting = Case.objects.filter(is_blind=True, state=Case.State.WAITING)
    hidden = waiting.filter(
        Q(pk__in=_ids(subjects, "case"))
        | Q(report__in=_ids(subjects, "report"))
        | Q(report__versions__inputs__in=_ids(subjects, "input"))
    )
    return {
        name
        for pk, report in hidden.values_list("pk", "report")
        for name in (f"case:{pk}", f"report:{report}")
    }


def _ids(subjects: Iterable[str], kind: str) -> list[int]:
    parts = (subject.partition(":") for subject in subjects)
    return [int(pk) for name, _, pk in parts if name == kind and pk.isdecimal()]


def _is_kept(row: AuditRow, blind: set[str], account: Account) -> bool:
    """Whether what stands beside an act is kept from the reader: it tells what is read blind, or why."""
    drawn = row.action == audit.Action.SAMPLE_DRAWN and may(account, "decide")
    return drawn or row.subject in blind
