"""Times of day in the configuration, such as "02:00" or "sunday 03:30"."""

from __future__ import annotations

import re
from dataclasses import dataclass

DAYS = ("sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday")
TIME = re.compile(rf"(?:(?P<day>{'|'.join(DAYS)}) )?(?P<hour>[01]\d|2[0-3]):(?P<minute>[0-5]\d)")
EXPECTED = 'a time of day such as "02:00", for every day, or with a weekday before it, such as "sunday 03:30"'


@dataclass(frozen=True, slots=True)
class Clock:
    """A time of day, on every day or on one weekday; the time zone is the site's.

    Raises
    ------
    ValueError
        When `text` is no such time.
    """

    text: str

    def __post_init__(self) -> None:
        if not TIME.fullmatch(self.text):
            raise ValueError(self.text)

    @property
    def cron(self) -> str:
        """The same as a line of cron, which schedulers read."""
        day, hour, minute = TIME.fullmatch(self.text).groups()  # type: ignore[union-attr]
        return f"{int(minute)} {int(hour)} * * {DAYS.index(day) if day else '*'}"

    def __str__(self) -> str:
        day, _, time = self.text.rpartition(" ")
        return f"{day.capitalize() + 's' if day else 'daily'} at {time}"
