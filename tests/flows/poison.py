"""The process that reads, with a reader that some words kill: started in the place of `flows.isolated`."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from typing import Any

from flows import isolated
from flows.intake import dicom, rows, text

WORDS = ("POISON-SEGV", "POISON-EXIT", "POISON-STALL", "POISON-MEMORY", "POISON-ERROR")


def touch(words: str) -> None:
    if "POISON-SEGV" in words:
        os.kill(os.getpid(), signal.SIGSEGV)
    if "POISON-EXIT" in words:
        os._exit(3)
    if "POISON-STALL" in words:
        time.sleep(60)
    if "POISON-MEMORY" in words:
        bytearray(2**40)
    if "POISON-ERROR" in words:
        raise ZeroDivisionError(words)


def deadly(function: Callable[..., Any], words: Callable[..., str]) -> Callable[..., Any]:
    def touched(*args: Any, **options: Any) -> Any:
        touch(words(*args))
        return function(*args, **options)

    return touched


def main() -> None:
    isolated.verdict = deadly(isolated.verdict, lambda said, *_: said)
    # The same words with "EARLY-" kill before there is a report.
    early = lambda raw: raw.decode("latin-1").replace("POISON", "").replace("EARLY-", "POISON-")  # noqa: E731
    text.decode = deadly(text.decode, lambda raw, _: early(raw))
    rows.CsvTable.values = deadly(rows.CsvTable.values, lambda _, item: early(item.raw))
    rows.JsonLines.values = deadly(rows.JsonLines.values, lambda _, item: early(item.raw))
    dicom._header = deadly(dicom._header, lambda source, path: early((source.folder / path).read_bytes()))
    isolated.main()
