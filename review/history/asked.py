"""What an address or a command asks of a history: ids, codes and a span of time, never a name or a word."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from urllib.parse import urlencode

from django.db.models import Q
from django.utils import timezone

Asked = dict[str, str]
SPAN = ("since", "until")
_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_MOMENT = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d)?(Z|[+-]\d\d:\d\d)?", re.ASCII)


class AskedError(ValueError):
    """A filter cannot be used; the text says which, what came and what was expected."""


@dataclass(frozen=True, slots=True)
class Span:
    """A span of time; None where it is open."""

    since: datetime | None
    until: datetime | None  # the first moment after

    def within(self, field: str) -> Q:
        """Return the condition that a time lies in the span."""
        condition = Q()
        if self.since:
            condition &= Q(**{f"{field}__gte": self.since})
        if self.until:
            condition &= Q(**{f"{field}__lt": self.until})
        return condition


def asked(query: Mapping[str, str], known: Collection[str], *, beside: Collection[str] = ()) -> Asked:
    """Return the filters that are given, in the order of `known`.

    Parameters
    ----------
    beside
        Names that may stand in the address without being a filter, such as the place in a list.

    Raises
    ------
    AskedError
        When a name is none of them.
    """
    for name in query:
        if name not in known and name not in beside:
            raise AskedError(f"There is no filter {name[:40]!r}; known are {', '.join(known)}.")
    return {name: query[name].strip() for name in known if query.get(name, "").strip()}


def span(given: Asked) -> Span:
    """Return the span of `since` and `until`, each a day or a minute, meant in the site's time zone.

    A day as `until` counts to its end. In the hour that comes twice `since` means the earlier and `until` the
    later one, so that nothing of it is left out; a time with an offset means what it says.

    Raises
    ------
    AskedError
        When one is no time, or the first does not come before the second.
    """
    since = _moment("since", given["since"]) if "since" in given else None
    until = _moment("until", given["until"]) if "until" in given else None
    if since and until and since >= until:
        raise AskedError(
            f"since is {given['since']} and does not come before until, {given['until']}; "
            "give the earlier first."
        )
    return Span(since, until)


def one_of(given: Asked, name: str, known: Collection[str]) -> str:
    """Return a filter with a closed list of values; "" when it is not given."""
    value = given.get(name, "")
    if value and value not in known:
        raise AskedError(f"The filter {name!r} cannot be {value[:60]!r}; expected {', '.join(known)}.")
    return value


def number(given: Asked, name: str) -> int:
    """Return a filter that is an id; 0 when it is not given."""
    value = given.get(name, "")
    if value and not re.fullmatch(r"[0-9]{1,18}", value):
        raise AskedError(f"The filter {name!r} cannot be {value[:60]!r}; expected a number.")
    return int(value or 0)


def address(given: Mapping[str, str]) -> str:
    """Return the filters as they stand in an address."""
    return urlencode(given)


def _moment(name: str, said: str) -> datetime:
    is_last = name == "until"
    try:
        if not "1970" <= said[:4] < "9999":  # no database looks for what was before or comes after
            raise ValueError
        if _DAY.fullmatch(said):
            day = date.fromisoformat(said) + timedelta(days=is_last)
            return _meant(datetime(day.year, day.month, day.day), is_last)  # noqa: DTZ001 - the zone comes next
        if not _MOMENT.fullmatch(said):
            raise ValueError
        moment = datetime.fromisoformat(said)
        return moment.astimezone(UTC) if moment.tzinfo else _meant(moment, is_last)
    except (ValueError, OverflowError):
        raise AskedError(
            f"{name} is {said[:30]!r}; expected a day such as 2026-11-01, or a minute such as "
            "2026-11-01T08:30."
        ) from None


def _meant(naive: datetime, is_last: bool) -> datetime:
    zone = timezone.get_default_timezone()
    both = [naive.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1)]
    return max(both) if is_last else min(both)
