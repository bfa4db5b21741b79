"""Speed of the whole reading, as a ratio to spaCy's bare English tokenizer on the same texts in one run.

Both are taken in turn over the same pieces, so that a machine whose speed drifts slows both alike.
"""

from __future__ import annotations

import argparse
import csv
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import spacy
from generate import main as generate

from nlp import reader

PIECE = 100


def texts(number: int) -> list[str]:
    """Generate unique reports."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder, "reports")
        generate(["--out", str(out), "--reports", str(number), "--format", "csv", "--seed", "7"])
        csv.field_size_limit(2**24)
        with next(out.rglob("*.csv")).open(encoding="utf-8", newline="") as file:
            return [row["report_text"] for row in csv.DictReader(file)]


def cpu_seconds(work: Callable[[str], object], piece: list[str]) -> float:
    begin = time.process_time()
    for text in piece:
        work(text)
    return time.process_time() - begin


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--reports", type=int, default=2000)
    wanted = parser.parse_args().reports
    reports = texts(wanted)
    bare = spacy.blank("en")
    reader.read(reports[0])
    bare(reports[0])
    pieces = [reports[at : at + PIECE] for at in range(0, len(reports), PIECE)]
    timed = [(cpu_seconds(bare, piece), cpu_seconds(reader.read, piece)) for piece in pieces]
    ratios = [tokenizer / reading for tokenizer, reading in timed]
    read = sum(reading for _, reading in timed)
    print(f"reports                              {len(reports):,}")
    print(f"read a CPU-second                    {len(reports) / read:,.0f}")
    print(
        "ratio to the bare tokenizer          "
        f"{statistics.median(ratios):.2f} (least {min(ratios):.2f}, most {max(ratios):.2f})"
    )


if __name__ == "__main__":
    main()
