"""What is wrong in one reading, with the words that it is about."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from nlp.evaluation.counts import affirmed, over, places, vertebrae
from nlp.evaluation.labels import Labelled
from nlp.reading import Finding, Reading

LONGEST = 400  # characters of a sentence; dictation may know no full stop
_END = re.compile(r"[.!?](?=\s)|\n\s*\n")


@dataclass(frozen=True, slots=True)
class Mistake:
    """One difference between labels and reading; `rule` is the rule or the concept that made it."""

    identity: str | int
    kind: str  # tier, neural, missed lesion, wrongly affirmed, compartment, levels
    expected: str
    read: str
    quote: str
    cue: str
    rule: str
    sentence: str


def mistakes(label: Labelled, reading: Reading) -> list[Mistake]:
    """List all differences that some measure counts."""
    return [*_urgency(label, reading), *_lesions(label, reading), *_places(label, reading)]


def _urgency(label: Labelled, reading: Reading) -> Iterator[Mistake]:
    everything = reading.findings + reading.context_findings
    main = _main(label, reading)
    if label.tier != reading.tier:
        why = "; ".join(f"{reason.rule} {reason.text}" for reason in reading.reasons)
        read = f"{reading.tier} ({why})" if why else reading.tier
        quote = label.affirmed[0].quote if label.affirmed else ""
        yield _mistake(label, "tier", (label.tier, read), main, quote=quote, rule=reading.decided_by)
    if (label.neural == "none") != (reading.neural == "none"):
        pressed = next((f for f in everything if f.cls == "compression"), main)
        yield _mistake(label, "neural", (label.neural, reading.neural), pressed)


def _lesions(label: Labelled, reading: Reading) -> Iterator[Mistake]:
    for lesion in label.lesions:
        there = over(affirmed(reading), lesion.quote, label.text)
        if lesion.affirmed != bool(there):
            here = there or over(reading.findings + reading.context_findings, lesion.quote, label.text)
            kind = "missed lesion" if lesion.affirmed else "wrongly affirmed"
            read = f"{here[0].name}, {here[0].certainty}" if here else "nothing"
            at = here[0] if here else None
            yield _mistake(label, kind, (f"{lesion.cls}, {lesion.certainty}", read), at, quote=lesion.quote)


def _places(label: Labelled, reading: Reading) -> Iterator[Mistake]:
    found = affirmed(reading)
    wanted = {c for one in label.affirmed for c in one.compartments}
    read = {c for finding in found for c in finding.compartments}
    if wanted != read:
        odd = next((f for f in found if set(f.compartments) - wanted), _main(label, reading))
        yield _mistake(label, "compartment", (_said(wanted), _said(read)), odd)
    levels = {level for one in label.affirmed for level in one.levels}
    read = {level for finding in found for level in finding.levels}
    if vertebrae(levels) != vertebrae(read):
        odd = next((f for f in found if vertebrae(f.levels) - vertebrae(levels)), _main(label, reading))
        yield _mistake(label, "levels", (_said(levels), _said(read)), odd)


def _main(label: Labelled, reading: Reading) -> Finding | None:
    """What the report is about: the finding at its first affirmed lesion, else the first affirmed finding."""
    if not label.affirmed:
        return next(iter(affirmed(reading)), None)
    everything = reading.findings + reading.context_findings
    return next(iter(over(everything, label.affirmed[0].quote, label.text)), None)


def _mistake(
    label: Labelled,
    kind: str,
    differ: tuple[str, str],
    at: Finding | None,
    *,
    quote: str = "",
    rule: str = "",
) -> Mistake:
    quote = quote or (at.quote if at else "")
    span = (at.start, at.end) if at else next(iter(places(quote, label.text)), (0, 0))
    return Mistake(
        identity=label.identity,
        kind=kind,
        expected=differ[0],
        read=differ[1],
        quote=quote,
        cue=(at.cue or "") if at else "",
        rule=rule or (at.concept if at else ""),
        sentence=sentence(label.text, *span),
    )


def sentence(text: str, start: int, end: int) -> str:
    """The sentence around a span on one line, at most about `LONGEST` characters around it."""
    first, last = max(0, start - LONGEST // 2), min(len(text), end + LONGEST // 2)
    begin = max((m.end() for m in _END.finditer(text, first, start)), default=first)
    stop = _END.search(text, end, last)
    return " ".join(text[begin : stop.end() if stop else last].split())


def _said(values: set[str]) -> str:
    return ", ".join(sorted(values)) or "none"
