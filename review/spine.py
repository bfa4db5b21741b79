"""The column of vertebrae, and which of them a level such as `T6-T8` covers."""

from __future__ import annotations

VERTEBRAE = tuple(
    f"{region}{number}"
    for region, last in (("C", 7), ("T", 12), ("L", 5), ("S", 5))
    for number in range(1, last + 1)
)
_PLACE = {name: place for place, name in enumerate(VERTEBRAE)} | {"C8": 6}  # the root between C7 and T1


def covered(level: str) -> tuple[str, ...]:
    """Return the vertebrae that a level covers, downwards; () when it names none."""
    places = [_PLACE[name] for name in level.split("-") if name in _PLACE]
    return VERTEBRAE[min(places) : max(places) + 1] if places else ()
