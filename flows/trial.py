"""A trial of other rules: what would change of the reports of before if they went live; nothing is stored."""

from __future__ import annotations

import csv
import os
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from itertools import chain
from pathlib import Path
from typing import Any, TextIO

from django.utils import timezone

from flows import display
from flows.applying import ApplyError
from flows.verdict import verdict
from nlp import vocabulary
from nlp.reader import Reader
from nlp.rules import Rules
from review import audit, caseload, ledger
from review.access import is_hidden
from review.caseload.marks import marks
from review.comparison import ROUTINE, rank
from review.evidence import AFFIRMED
from review.formulas import harmless
from review.ledger import HeldReading
from review.models import Account, CaseEvent, CaseMark, Decision
from review.statistics.estimates import share_of

SOME = 250  # reports in memory at once
EXAMPLES = 3  # reports named with a word
TIERS = ("stat", "urgent", "soon", "unread", "routine")  # by rank
Kind = CaseEvent.Kind
EFFECTS: dict[str, str] = {
    Kind.OPENED: "a case opens",
    Kind.REREAD_UP: "its open case rises",
    Kind.REREAD_AGAIN: "its decided case waits again",
    Kind.REREAD_DOWN: "reads as less urgent, its case keeps its tier",
}
QUEUED, STILL, RISE, FALL = "queued so far", "queued then", "rise", "fall"
COLUMNS = ("report", "case", "before", "after", "effect", "rule_before", "rule_after", "new", "lost")
Word = tuple[str, str, str]  # concept, certainty, quote in lower case


@dataclass(frozen=True, slots=True, kw_only=True)
class Changed:
    """A report whose tier would change, with the words that make the difference."""

    report: str
    case: str
    before: str
    after: str
    effect: str
    rules: tuple[str, str]  # which decided, before and after
    new: list[Word]
    lost: list[Word]

    def cells(self) -> list[str]:
        """Return it as a row of the CSV."""
        words = [
            "; ".join(f"{quote} ({concept}, {certainty})" for concept, certainty, quote in some)
            for some in (self.new, self.lost)
        ]
        cells = [self.report, self.case, self.before, self.after, self.effect, *self.rules, *words]
        return [harmless(cell) for cell in cells]


@dataclass
class Trial:
    """What other rules would change, counted: the same memory for ten reports and for a million."""

    reports: int = 0
    tiers: Counter[tuple[str, str]] = field(default_factory=Counter)
    new: Counter[str] = field(default_factory=Counter)  # reports that affirm a concept only then, by concept
    lost: Counter[str] = field(default_factory=Counter)
    effects: Counter[str] = field(default_factory=Counter)
    decided: Counter[tuple[str, str]] = field(default_factory=Counter)
    words: Counter[tuple[str, Word]] = field(default_factory=Counter)
    examples: dict[tuple[str, Word], list[str]] = field(default_factory=dict)

    def take(
        self, held: HeldReading, said: dict[str, Any], account: Account, now: datetime
    ) -> Changed | None:
        """Count one report; return it when its tier would change and the person may see how it reads."""
        old, new = held.reading, ledger.new_reading(held.version, said, now)
        before, after = TIERS[rank(old)], TIERS[rank(new)]
        is_blind = held.case is not None and is_hidden(held.case, account)
        self.reports += 1
        self.tiers[before, after] += 1
        concepts, later = _concepts(old.content), _concepts(new.content)
        self.new.update(later - concepts)
        self.lost.update(concepts - later)
        self._judge(held, rank(old), rank(new))
        effect = self._effect(held, ledger.change_of(new), now)
        if before == after or is_blind:
            return None
        changed = Changed(
            report=held.version.report.key,
            case=held.case.name if held.case else "",
            before=before,
            after=after,
            effect=EFFECTS.get(effect or "", ""),
            rules=(old.decided_by, new.decided_by),
            new=sorted(_words(new.content) - _words(old.content)),
            lost=sorted(_words(old.content) - _words(new.content)),
        )
        self._keep(changed)
        return changed

    def _judge(self, held: HeldReading, before: int, after: int) -> None:
        """Compare with what a person decided of this very text."""
        last = held.case.decisions.select_related("reading").order_by("-id") if held.case else None
        decision = last.first() if last is not None else None
        if decision is None or decision.reading.version_id != held.version.pk:
            return
        self.decided[decision.verdict, ""] += 1
        said = {
            QUEUED: before != ROUTINE,
            STILL: after != ROUTINE,
            RISE: after < before,
            FALL: after > before,
        }
        self.decided.update((decision.verdict, what) for what, is_so in said.items() if is_so)

    def _effect(self, held: HeldReading, change: caseload.Change, now: datetime) -> str | None:
        kind: str | None
        if held.case is None:
            kind = Kind.OPENED if change.tier is not None else None
        else:
            kind = caseload.reread(held.case, change, now)  # on this copy of the case, which is not saved
        if kind in EFFECTS:
            self.effects[kind] += 1
        return kind

    def _keep(self, changed: Changed) -> None:
        for what, some in (("new", changed.new), ("lost", changed.lost)):
            for word in some:
                self.words[what, word] += 1
                examples = self.examples.setdefault((what, word), [])
                if len(examples) < EXAMPLES:
                    examples.append(changed.report)

    def as_dict(self, limit: int) -> dict[str, Any]:
        """Return it as `--json` prints it, with the words that matter most."""
        both = self.new + self.lost
        return {
            "reports": self.reports,
            "changed": sum(n for (before, after), n in self.tiers.items() if before != after),
            "tiers": [
                {"before": before, "after": after, "reports": self.tiers[before, after]}
                for before in TIERS
                for after in TIERS
                if self.tiers[before, after]
            ],
            "cases": {what: self.effects[kind] for kind, what in EFFECTS.items()},
            "concepts": [
                {"concept": concept, "new": self.new[concept], "lost": self.lost[concept]}
                for concept in sorted(both, key=lambda one: (-both[one], one))
            ],
            "decided": self._decided(),
            "words": [
                {"what": what, "concept": concept, "certainty": certainty, "quote": quote}
                | {"reports": number, "examples": self.examples[what, (concept, certainty, quote)]}
                for (what, (concept, certainty, quote)), number in self.words.most_common(limit)
            ],
        }

    def _decided(self) -> list[dict[str, Any]]:
        """Return of the cases that people decided how many would be queued, rise and fall."""
        rows = []
        for verdict_ in Decision.Verdict.values:
            of = self.decided[verdict_, ""]
            for what in (QUEUED, STILL, RISE, FALL) if of else ():
                count = self.decided[verdict_, what]
                rows.append(
                    {"verdict": verdict_, "what": what, "count": count, "of": of} | share_of(count, of)
                )
        return rows


def run(account: Account, found: Rules, since: datetime, source: str, to: Path | None) -> Trial:
    """Read with other rules what a reread would read, and return what would change.

    That it was done is recorded first, as it shows words of reports.

    Parameters
    ----------
    to
        A new file, which only its owner may read, for a row of each report whose tier would change.
    """
    total = ledger.count_held(account, since, source)
    read = Reader(vocabulary.compile_rules(found)).read
    trial, now = Trial(), timezone.now()
    with _opened(to) as file:
        audit.record(
            audit.Action.EXPORTED,
            actor=account.actor,
            subject=account.actor,
            what="trial of rules",
            rules_version=found.version,
            since=since.isoformat(),
            count=total,
        )
        rows = csv.writer(file)
        rows.writerow(COLUMNS)
        held = chain.from_iterable(ledger.held_readings(account, since, source, SOME))
        for one in display.counted(held, total, "Reading again"):
            version = one.version
            said = verdict(version.text, version.context, version.warnings, read)
            if changed := trial.take(one, said, account, now):
                rows.writerow(changed.cells())
    return trial


def _opened(to: Path | None) -> TextIO:
    try:
        # A new file always: one that is there may be readable by others, or be a link to elsewhere.
        how = os.O_WRONLY | (os.O_CREAT | os.O_EXCL if to else 0)
        handle = os.open(to or os.devnull, how, 0o600)
    except FileExistsError:
        raise ApplyError(f"{to} is there already; name a new file.") from None
    except OSError as error:
        raise ApplyError(f"{to} cannot be written: {error.strerror}.") from None
    return os.fdopen(handle, "w", encoding="utf-8", newline="")


def _concepts(content: dict[str, Any]) -> set[str]:
    return {value for kind, value in marks(content) if kind == CaseMark.Kind.CONCEPT}


def _words(content: dict[str, Any]) -> set[Word]:
    return {
        (finding["concept"], finding["certainty"], " ".join(finding["quote"].lower().split()))
        for finding in (*content["findings"], *content["context_findings"])
        if finding["certainty"] in AFFIRMED
    }
