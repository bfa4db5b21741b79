"""The command `spinetriage evaluate`: labelled reports in, figures and mistakes out; nothing is stored."""

from __future__ import annotations

import dataclasses
import itertools
from collections import Counter
from pathlib import Path
from typing import Any

from rich.progress import track
from rich.table import Table
from rich.text import Text

from flows import display
from flows.reading import lines
from nlp import reader
from nlp.evaluation.counts import count
from nlp.evaluation.errors import Mistake, mistakes
from nlp.evaluation.labels import LabelError, Labelled, labelled
from nlp.evaluation.measures import Measure, measures

TOLD = 10  # wrong lines told at most
ROWS = (
    ("suspicious: sensitivity", "suspicious_sensitivity"),
    ("suspicious: PPV", "suspicious_ppv"),
    ("suspicious: specificity", "suspicious_specificity"),
    ("stat: sensitivity", "stat_sensitivity"),
    ("stat: PPV", "stat_ppv"),
    ("stat or urgent: sensitivity", "stat_or_urgent_sensitivity"),
    ("tier: exact", "tier_exact"),
    ("tier: within one", "tier_within_one"),
    ("compartment: macro-F1", "compartment_macro_f1"),
    ("  extradural: F1", "extradural_f1"),
    ("  intradural-extramedullary: F1", "intradural_extramedullary_f1"),
    ("  intramedullary: F1", "intramedullary_f1"),
    ("affirmed lesions found", "affirmed_lesions_found"),
    ("not affirmed, wrongly affirmed", "not_affirmed_wrongly_affirmed"),
    ("levels: F1", "levels_f1"),
    ("neural: precision", "neural_precision"),
    ("neural: recall", "neural_recall"),
    ("neural: F1", "neural_f1"),
)


class EvaluationError(Exception):
    """The labelled file cannot be used; the text says where and why, without a word of a report."""


def show(path: Path, as_json: bool, limit: int | None) -> None:
    """Read every labelled report of a file and print how right the readings are.

    Parameters
    ----------
    path
        JSON lines: `{"id", "text", "gold": {…}}` with the context keys of `spinetriage read`.
    as_json
        Print one JSON document instead of text for people.
    limit
        How many mistakes to list; None for all of them.

    Raises
    ------
    EvaluationError
        If a line is wrong: figures over a part of the file would mislead.
    """
    counted, wrong = [], []
    labels = _load(path)
    for label in track(
        labels,
        "Reading",
        console=display.complaints,
        transient=True,
        disable=not display.complaints.is_terminal,
    ):
        reading = reader.read(label.text, **label.context)
        counted.append(count(label, reading))
        wrong += mistakes(label, reading)
    figures = measures(counted)
    listed = wrong[:limit]
    if as_json:
        display.as_json(_as_json(len(labels), figures, wrong, listed))
    else:
        _print(len(labels), {figure.name: figure for figure in figures})
        _list(wrong, listed)


def _load(path: Path) -> list[Labelled]:
    """All labelled reports of the file; every line is checked before the first report is read."""
    found: list[Labelled] = []
    wrong: list[str] = []
    numbers: dict[str | int, int] = {}
    try:
        with path.open("rb") as file:
            for number, line in lines(file):
                try:
                    label = labelled(line)
                    if numbers.setdefault(label.identity, number) != number:
                        raise LabelError(f"its id stands already in line {numbers[label.identity]}")
                    found.append(label)
                except LabelError as error:
                    wrong.append(f"line {number}: {error}")
    except OSError as error:
        raise EvaluationError(f"{path}: cannot be read: {error.strerror}.") from None
    if wrong:
        more = [f"… and {len(wrong) - TOLD} more"] if len(wrong) > TOLD else []
        raise EvaluationError("\n  ".join([f"{path}: nothing was evaluated.", *wrong[:TOLD], *more]))
    if not found:
        raise EvaluationError(
            f'{path}: is empty; expected {{"id": …, "text": …, "gold": {{…}}}}, one a line.'
        )
    return found


def _as_json(
    reports: int, figures: list[Measure], wrong: list[Mistake], listed: list[Mistake]
) -> dict[str, Any]:
    told = {}
    for figure in figures:
        low, high = figure.interval or (None, None)
        told[figure.name] = {"value": figure.value, "low": low, "high": high, "of": figure.of}
    return {
        "reports": reports,
        "rules_version": reader.rules_version(),
        "measures": told,
        "mistakes": len(wrong),
        "listed": [dataclasses.asdict(mistake) for mistake in listed],
    }


def _print(reports: int, figures: dict[str, Measure]) -> None:
    table = Table(title=f"{reports:,} labelled reports", title_justify="left")
    table.add_column("Figure")
    for heading in ("Value", "95 % interval", "Of"):
        table.add_column(heading, justify="right")
    for words, name in ROWS:
        figure = figures[name]
        if figure.value is None or figure.interval is None:
            table.add_row(words, "–", "nothing to count", "0")
        else:
            low, high = figure.interval
            table.add_row(words, f"{figure.value:.3f}", f"{low:.3f} – {high:.3f}", f"{figure.of:,}")
    display.console.print(table)


def _list(wrong: list[Mistake], listed: list[Mistake]) -> None:
    if not wrong:
        display.console.print("No mistakes.")
        return
    kinds = ", ".join(f"{number} {kind}" for kind, number in Counter(one.kind for one in wrong).most_common())
    reports = len({one.identity for one in wrong})
    display.console.print(f"Mistakes: {len(wrong)}, in reports: {reports} ({kinds}).", highlight=False)
    for identity, mistakes_there in itertools.groupby(listed, key=lambda one: one.identity):
        display.console.print()
        display.console.print(Text(display.clean(str(identity)), style="bold"))
        said = ""
        for mistake in mistakes_there:
            display.text(_told(mistake))
            if mistake.sentence != said:
                said = mistake.sentence
                words = Text(f"    {display.clean(said)}", style="italic")
                words.highlight_words([display.clean(mistake.quote)] if mistake.quote else [], "bold reverse")
                display.text(words)
    if len(listed) < len(wrong):
        display.console.print(f"\n… and {len(wrong) - len(listed)} more; list them with --errors all.")


def _told(mistake: Mistake) -> Text:
    """One mistake in a line: what was expected and read, of which words, by which rule and cue."""
    words = f" “{display.clean(mistake.quote)}”" if mistake.quote else ""
    by = [f"rule {mistake.rule}"] if mistake.rule else []
    by += [f"cue “{display.clean(mistake.cue)}”"] if mistake.cue else []
    line = Text(f"  {mistake.kind}{words}: expected {mistake.expected}; read {mistake.read}")
    return line.append(f"  ← {', '.join(by)}" if by else "", style="dim")
