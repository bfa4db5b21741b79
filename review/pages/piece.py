"""Which piece of a long list a page shows."""

from __future__ import annotations

from django.http import HttpRequest

SIZE = 50  # rows on a page


class Piece:
    """Which piece of a list is asked for; an impossible number means the nearest page there is."""

    def __init__(self, request: HttpRequest, total: int) -> None:
        asked = request.GET.get("page", "1")
        self.total = total
        self.last = max(1, -(-total // SIZE))
        self.number = min(int(asked), self.last) if asked.isdecimal() and len(asked) < 10 else 1
        self.number = max(1, self.number)
        self.start = (self.number - 1) * SIZE
        self.stop = self.start + SIZE
        self.before = self.number - 1
        self.after = self.number + 1 if self.number < self.last else 0
