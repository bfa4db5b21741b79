"""Times as whole numbers that the database counts with; Django's own date functions call Python on SQLite."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

from django.db.models import BigIntegerField, Case, Func, Value, When

from review.statistics.period import Period, midnight

SECOND = 1_000_000  # microseconds
BEGIN = datetime(1970, 1, 1, tzinfo=UTC)


class Microseconds(Func):
    """A time as microseconds since 1970, exact; takes a field's name, as SQLite needs it twice."""

    arity = 1
    output_field = BigIntegerField()

    def as_postgresql(self, compiler: Any, connection: Any, **_: Any) -> Any:
        whole = "CAST(EXTRACT(EPOCH FROM %(expressions)s) * 1000000 AS BIGINT)"
        return self.as_sql(compiler, connection, template=whole)

    def as_sqlite(self, compiler: Any, connection: Any, **_: Any) -> Any:
        # Kept as text, "2026-11-01 08:30:00" and perhaps ".123456". Whole seconds only are given to strftime,
        # which may round the rest up into the next day. The template, then the parameters, halve each %.
        seconds = "CAST(strftime('%%%%s', substr(%(expressions)s, 1, 19)) AS INTEGER)"
        rest = "CAST(substr(%(expressions)s, 21) AS INTEGER)"
        return self.as_sql(compiler, connection, template=f"({seconds} * 1000000 + {rest})")


def microseconds(moment: datetime) -> int:
    """Return the same of a moment."""
    return (moment - BEGIN) // timedelta(microseconds=1)


class Day(BigIntegerField):  # type: ignore[type-arg]  # Django's own fields take no arguments
    """A day, which the database counts as a number."""

    def from_db_value(self, value: int, *_: Any) -> date:
        return date.fromordinal(value)


def local_day(field: str, period: Period) -> Case:
    """Return an expression for the day of a time in the site's time zone, right for times in the period.

    Days are equally long but where the clock changes, so each stretch of equally long days is counted by
    division from its first midnight.
    """
    stretches: list[When] = []
    length = 0
    for day in period.days:
        start, end = midnight(day), midnight(day + timedelta(days=1))
        if microseconds(end) - microseconds(start) != length:
            length = microseconds(end) - microseconds(start)
            since = Microseconds(field) - Value(microseconds(start))
            number = Value(day.toordinal()) + since / Value(length)
            stretches.insert(0, When(**{f"{field}__gte": start}, then=number))  # the first that holds counts
    return Case(*stretches, output_field=Day())
