"""A length of time as people say it."""

from __future__ import annotations


def duration(minutes: float) -> str:
    """Say a time in its two largest units: who waits for days asks for no minutes."""
    whole = round(minutes)
    if whole < 1:
        return "under 1 min" if minutes > 0 else "0 min"
    numbers = (whole // 1440, whole % 1440 // 60, whole % 60)
    units = list(zip(numbers, ("d", "h", "min"), strict=True))
    first = next(place for place, (number, _) in enumerate(units) if number)
    return " ".join(f"{number} {unit}" for number, unit in units[first : first + 2] if number)
