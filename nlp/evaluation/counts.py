"""What is counted in one report: right and wrong, by comparing its labels with its reading.

A lesion is found when an affirmed finding overlaps any place where its quote stands. All else is counted
over reports; levels over vertebrae.
"""

import re
from collections import Counter
from collections.abc import Iterable

from nlp.evaluation.labels import Labelled
from nlp.extents import COLUMN
from nlp.pricing import TIERS
from nlp.reading import Finding, Reading
from nlp.schema import AFFIRMED, COMPARTMENTS

_LEVEL = re.compile(r"([CTDLS])\s*(\d{1,2})")


def affirmed(reading: Reading) -> list[Finding]:
    """The lesions that the reader takes to be there."""
    return [finding for finding in reading.findings if finding.certainty in AFFIRMED]


def places(quote: str, text: str) -> list[tuple[int, int]]:
    """Where a quote stands in the text."""
    return [match.span() for match in re.finditer(re.escape(quote), text)]


def over(findings: Iterable[Finding], quote: str, text: str) -> list[Finding]:
    """Those of the findings that overlap a place of the quote."""
    spans = places(quote, text)
    return [f for f in findings if any(f.start < end and start < f.end for start, end in spans)]


def vertebrae(labels: Iterable[str]) -> set[str]:
    """All vertebrae that level labels name: 'T6-T9' is four of them, 'D10' is T10."""
    found: set[str] = set()
    for label in labels:
        named = [f"{'T' if region == 'D' else region}{int(n)}" for region, n in _LEVEL.findall(label.upper())]
        named = [name for name in named if name in COLUMN]
        if len(named) == 2:
            first, last = sorted(map(COLUMN.index, named))
            named = [*COLUMN[first : last + 1]]
        found.update(named)
    return found


def count(label: Labelled, reading: Reading) -> Counter[str]:
    """Count one report. A name ends in tp, fp, fn or tn: true or false, positive or negative."""
    counts: Counter[str] = Counter(reports=1)

    def judge(name: str, wanted: bool, read: bool) -> None:
        counts[f"{name} {'t' if wanted == read else 'f'}{'p' if read else 'n'}"] += 1

    wanted, read = TIERS.index(label.tier), TIERS.index(reading.tier)
    judge("suspicious", label.suspicious, reading.suspicious)
    judge("stat", wanted == 0, read == 0)
    judge("stat or urgent", wanted <= 1, read <= 1)
    judge("neural", label.neural != "none", reading.neural != "none")
    counts["tier exact"] += wanted == read
    counts["tier within one"] += abs(wanted - read) <= 1
    found = affirmed(reading)
    gold_places = {c for lesion in label.affirmed for c in lesion.compartments}
    read_places = {c for finding in found for c in finding.compartments}
    for compartment in COMPARTMENTS:
        judge(compartment, compartment in gold_places, compartment in read_places)
    gold_levels = vertebrae(level for lesion in label.affirmed for level in lesion.levels)
    read_levels = vertebrae(level for finding in found for level in finding.levels)
    counts["levels tp"] += len(gold_levels & read_levels)
    counts["levels fp"] += len(read_levels - gold_levels)
    counts["levels fn"] += len(gold_levels - read_levels)
    for lesion in label.lesions:
        judge("lesion", lesion.affirmed, bool(over(found, lesion.quote, label.text)))
    return counts
