"""Speed of the whole reading, as ratios to spaCy's bare English tokenizer on the same texts in one run.

    python bench/reading.py --reports 2000
    python bench/reading.py --texts FILE.jsonl
    python bench/reading.py --memory 200000

Both are taken in turn over the same pieces, so that a machine whose speed drifts slows both alike. No two
texts are the same. Texts are generated, unless a file of JSON lines with a key `text` is named.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import spacy
from generate import reports

from nlp import reader
from nlp.page import new_page
from nlp.vocabulary import current

PIECE = 25
WITH, WITHOUT, OTHER = "with spinal findings", "without a spinal candidate", "others"
START = "from nlp import reader; reader.read('No fracture of the spine.')"


def kind(text: str) -> str:
    """Which of the three kinds a report is of, by its own reading."""
    if not any(term.concept for _, _, term in new_page(text, {}, current()).hits):
        return WITHOUT
    return WITH if reader.read(text).findings else OTHER


def cpu_seconds(work: Callable[[str], object], piece: list[str]) -> float:
    """CPU time of work over the texts of a piece."""
    begin = time.process_time()
    for text in piece:
        work(text)
    return time.process_time() - begin


def compare(name: str, texts: list[str]) -> None:
    """Print how many texts a CPU-second are read, and the ratio to the tokenizer."""
    if not texts:
        return
    bare = spacy.blank("en")
    pieces = [texts[at : at + PIECE] for at in range(0, len(texts), PIECE)]
    timed = [(cpu_seconds(bare, piece), cpu_seconds(reader.read, piece)) for piece in pieces]
    ratios = [tokenizer / reading for tokenizer, reading in timed]
    rate = len(texts) / sum(reading for _, reading in timed)
    spread = f"{statistics.median(ratios):.2f} (least {min(ratios):.2f}, most {max(ratios):.2f})"
    print(f"{name:<28} {len(texts):>6,} texts {rate:>8,.0f} a CPU-second   ratio {spread}")


def read_piece(texts: list[str]) -> list[dict[str, object]]:
    """Read a few texts in a worker process."""
    return [reader.read(text).to_dict() for text in texts]


def two_processes(texts: list[str]) -> None:
    """Print how much faster two worker processes are than one."""
    pieces = [texts[at : at + 8 * PIECE] for at in range(0, len(texts), 8 * PIECE)]
    seconds = []
    for processes in (1, 2):
        with ProcessPoolExecutor(processes) as workers:
            list(workers.map(read_piece, [[]] * processes))  # they start
            begin = time.perf_counter()
            list(workers.map(read_piece, pieces))
            seconds.append(time.perf_counter() - begin)
    print(f"{'two processes':<28} {seconds[0] / seconds[1]:.2f} times as fast as one, wall clock")


def start_up() -> None:
    """Print the time from nothing to the first reading."""
    begin = time.perf_counter()
    subprocess.run([sys.executable, "-c", START], check=True)
    print(f"{'start-up':<28} {time.perf_counter() - begin:.2f} s to the first reading")


def memory(count: int) -> None:
    """Print the resident memory while many reports are read."""
    size = os.sysconf("SC_PAGE_SIZE")
    for number, row in enumerate(reports(count, seed=7), 1):
        reader.read(row["report_text"])
        if number % max(1, count // 10) == 0:
            resident = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * size
            print(f"{number:>9,} reports {resident / 2**20:>8,.0f} MiB")
    print(f"peak {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10:,.0f} MiB")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--reports", type=int, default=2000)
    parser.add_argument("--texts", type=Path, help="JSON lines with a key 'text' instead of generated texts")
    parser.add_argument("--memory", type=int, metavar="REPORTS", help="read so many and print the memory")
    chosen = parser.parse_args()
    if chosen.memory:
        memory(chosen.memory)
        return
    if chosen.texts:
        lines = chosen.texts.read_text(encoding="utf-8").splitlines()
        texts = list(dict.fromkeys(json.loads(line)["text"] for line in lines))
    else:
        texts = [row["report_text"] for row in reports(chosen.reports, seed=7)]
    kinds = [(text, kind(text)) for text in texts]
    for name in (WITH, WITHOUT, OTHER):
        compare(name, [text for text, its in kinds if its == name])
    two_processes(texts)
    start_up()


if __name__ == "__main__":
    main()
