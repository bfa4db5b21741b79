"""Which rejected inputs are meant: filters as they stand in an address or command, and ids."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from urllib.parse import urlencode

from django.conf import settings
from django.db.models import QuerySet

from review.access import visible
from review.caseload import RefusedError
from review.meanings import REJECTIONS
from review.models import Account, Reject
from review.statistics.period import day, midnight

STATES = {state.value: state.label for state in Reject.State}
NAMES = ("state", "reason", "source", "since", "until", "overdue")
ORDER = ("since", "input")  # who waits longest comes first
YES = "1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What of the desk is asked for; an empty value means any."""

    state: str = Reject.State.WAITING
    reason: str = ""
    source: str = ""
    since: date | None = None  # rejected on this day or later, in the site's time zone
    until: date | None = None
    overdue: bool = False

    @property
    def query(self) -> str:
        """The filters as an address holds them."""
        said = {
            "state": "" if self.state == Reject.State.WAITING else self.state,
            "reason": self.reason,
            "source": self.source,
            "since": self.since or "",
            "until": self.until or "",
            "overdue": YES if self.overdue else "",
        }
        return urlencode({name: value for name, value in said.items() if value})

    @property
    def is_narrow(self) -> bool:
        """Whether anything but the state is asked for."""
        return any((self.reason, self.source, self.since, self.until, self.overdue))

    def of(self, account: Account, now: datetime) -> QuerySet[Reject]:
        """Return what is asked for among the sources that the person may see, in the order of waiting."""
        rows = visible(Reject.objects.filter(state=self.state), account)
        if self.reason:
            rows = rows.filter(reason=self.reason)
        if self.source:
            rows = rows.filter(source=self.source)
        if self.since:
            rows = rows.filter(since__gte=midnight(self.since))
        if self.until:
            rows = rows.filter(since__lt=midnight(self.until + timedelta(days=1)))
        if self.overdue:
            rows = rows.filter(since__lt=now - limit())
        return rows.order_by(*ORDER)


def limit() -> timedelta:
    """Return how long a rejected input may wait for a person."""
    return timedelta(minutes=settings.REJECTED_MINUTES)


def wanted(asked: Mapping[str, str]) -> Wanted:
    """Return the filters of an address or command; empty values and the page are left out.

    Raises
    ------
    RefusedError
        When a filter or its value is unknown; the text says what was expected.
    """
    given = {name: value for name, value in asked.items() if value and name != "page"}
    if unknown := sorted(given.keys() - set(NAMES)):
        raise RefusedError(f"There is no filter {unknown[0][:40]!r}; known are {', '.join(NAMES)}.")
    state = given.get("state", Reject.State.WAITING.value)
    _one_of("state", state, STATES)
    if reason := given.get("reason", ""):
        _one_of("reason", reason, REJECTIONS)
    if given.get("overdue", YES) != YES:
        raise RefusedError(f"overdue is {given['overdue'][:20]!r}; {YES} was expected.")
    try:
        since, until = (day(name, given[name]) if name in given else None for name in ("since", "until"))
    except ValueError as fault:
        raise RefusedError(f"{fault}.") from None
    if since and until and since > until:
        raise RefusedError(f"since is {since} and comes after until, {until}; give the earlier day first.")
    return Wanted(
        state=state,
        reason=reason,
        source=given.get("source", "").replace("\0", ""),
        since=since,
        until=until,
        overdue="overdue" in given,
    )


def _one_of(name: str, value: str, known: Iterable[str]) -> None:
    if value not in known:
        raise RefusedError(f"{name} is {value[:60]!r}; one of {', '.join(known)} was expected.")


def numbers(names: Iterable[str]) -> list[int]:
    """Return the ids of inputs named as `I12` or `12`, each once.

    Raises
    ------
    RefusedError
        When a name is none.
    """
    found = []
    for name in names:
        match = re.fullmatch(r"I?([0-9]{1,18})", name, re.ASCII)
        if match is None:
            raise RefusedError(f"{name[:40]!r} is no input; one such as I12 was expected.")
        found.append(int(match[1]))
    return list(dict.fromkeys(found))
