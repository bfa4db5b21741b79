"""The heads of the chain that are kept outside the database: so a cut tail and a whole new chain are found.

Each head stands for all rows before it. So one that could not be written leaves no hole as soon as a later
one is there, and machines that keep a file each need not know each other's heads.
"""

from __future__ import annotations

import logging
import os
from collections import OrderedDict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.conf import settings

from review.models import AuditHead, AuditRow

Fault = dict[str, Any]
log = logging.getLogger("review.audit")
# Lines of processes that end at once may have changed places: so many rows are remembered for them.
_REMEMBERED = 1000


def keep(number: int, mac: str) -> None:
    """Append a head to the file; an act is never undone because that fails, but it is told."""
    try:
        _append(number, mac)
    except OSError as error:
        log.error(
            "the head of audit row %s could not be kept outside the database, in %s: %s. Until it can, "
            "a cut tail of the audit is not found. Make room, or mend the file.",
            number,
            settings.AUDIT_ANCHOR,
            error.strerror,
        )


def trouble() -> str:
    """Keep the newest head once more, and return why that failed; "" when it did not.

    So heads that were missed while the disk was full are made up for as soon as it is not.
    """
    head = AuditHead.objects.filter(id=1).exclude(number=0).first()
    if head is None:
        return ""
    try:
        _append(head.number, head.mac)
    except OSError as error:
        return (
            f"heads of the audit cannot be kept outside the database, in {settings.AUDIT_ANCHOR}: "
            f"{error.strerror}"
        )
    return ""


def _append(number: int, mac: str) -> None:
    """Write one line at once, so that lines of several processes do not mix."""
    line = f"{number} {mac}\n".encode()
    handle = os.open(settings.AUDIT_ANCHOR, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        written = os.write(handle, line)
        if written < len(line):
            os.write(handle, b"\n")  # else the next line would hang on to the torn one
    finally:
        os.close(handle)
    if written < len(line):
        raise OSError(28, "No space left on device")


def heads() -> Iterator[tuple[int, str]]:
    """Yield number and HMAC of each head in the file, in its order."""
    yield from Anchors()._lines()


class Anchors:
    """The heads in the file, compared with the chain while its rows go by; only a few are in memory."""

    def __init__(self) -> None:
        self.file = Path(settings.AUDIT_ANCHOR)
        head = AuditHead.objects.filter(id=1).first()
        self.due = head.number if head else 0
        head = AuditHead.objects.filter(id=1).first()
        self.due = head.number if head else 0
        self.size = self.file.stat().st_size if self.file.exists() else 0
        self.torn = self.kept = self.newest = 0
        self.lines = self._lines()
        self.ahead = next(self.lines, None)
        self.passed: OrderedDict[int, str] = OrderedDict()

    def compare(self, number: int, mac: str) -> Iterator[Fault]:
        """Compare the heads up to a row of the chain; rows must come in their order."""
        self.passed[number] = mac
        if len(self.passed) > _REMEMBERED:
            self.passed.popitem(last=False)
        while self.ahead and self.ahead[0] <= number:
            kept, said = self.ahead
            if self._mac(kept) != said:
                yield {"row": kept, "what": "differs from the head kept outside the database"}
            self.ahead = next(self.lines, None)

    def rest(self) -> Iterator[Fault]:
        """Tell what the file knows of rows after the end of the chain."""
        beyond = [self.ahead[0], *(number for number, _ in self.lines)] if self.ahead else []
        if beyond:
            last = max(beyond)
            yield {"row": last, "what": f"was kept outside the database up to row {last}, the chain lacks it"}

    def warnings(self) -> list[str]:
        """Say what the file cannot prove; to be asked at the end."""
        found = []
        if self.due and not self.kept:
            found.append(f"no head is kept outside the database, in {self.file}: a cut tail is not found")
        elif self.newest < self.due:
            found.append(f"the heads in {self.file} end at row {self.newest}, the chain at {self.due}")
        if self.torn:
            found.append(f"{self.torn} lines of {self.file} are torn")
        return found

    def _mac(self, number: int) -> str | None:
        if number in self.passed:
            return self.passed[number]
        return AuditRow.objects.filter(pk=number).values_list("mac", flat=True).first()

    def _lines(self) -> Iterator[tuple[int, str]]:
        """Yield number and HMAC of each head; torn lines, as a full disk leaves them, are counted."""
        if not self.size:
            return
        left = self.size
        with self.file.open("rb") as lines:
            while left > 0 and (line := lines.readline()):
                left -= len(line)
                number, _, mac = line.strip().partition(b" ")
                if not (number.isdigit() and len(mac) == 64 and line.endswith(b"\n")):
                    self.torn += 1
                    continue
                self.kept += 1
                self.newest = max(self.newest, int(number))
                yield int(number), mac.decode("ascii", "replace")
