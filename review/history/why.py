"""Why a report was queued, or not: in a sentence, with the evidence and the rules of that day.

Nothing is read anew. The reading that counts is the one that the input's version had when it came in, not one
that a later reread made of it.
"""

from __future__ import annotations

import json
import tomllib
import zlib
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from review.access import is_hidden
from review.evidence import AFFIRMED, UNREADABLE, Finding, in_words, sentence
from review.findings import certainty
from review.history.since import since
from review.meanings import meaning
from review.models import Account, Case, Input, Outcome, Reading, ReportVersion, RuleSet
from review.reasons import Reason, decided, reasons

BLIND = (
    "The case of this report is to be read blind: what the machine made of it is shown once it is decided. "
    "Who may not decide, such as an auditor, sees it now."
)
STUDIES = "studies"  # the kind of a shard that takes image files
# Why a finding that the report does not affirm raises nothing.
NOT_AFFIRMED = {
    "absent": "The report denies it",
    "unlikely": "The report holds it unlikely",
    "historical": "The report says it of the past",
    "indication": "It is only what the report was asked about",
    "recommendation": "It is only what the report recommends to look for",
}
SAID = {
    "absent": "denied",
    "unlikely": "held unlikely",
    "historical": "in the past",
    "indication": "only asked about",
    "recommendation": "only recommended to be looked for",
}


@dataclass(frozen=True, slots=True)
class Considered:
    """One finding of the reading, and what became of it."""

    finding: Finding
    certainty: str
    words: tuple[str, str, str]  # before, the words, and after, within their sentence
    why: str


@dataclass(slots=True)
class Why:
    """What became of one input, and why."""

    input: Input
    sentence: str
    hidden: bool = False
    version: ReportVersion | None = None
    case: Case | None = None
    reading: Reading | None = None  # of the version when it came
    later: list[Reading] = field(default_factory=list)  # what rereads made of it since
    considered: list[Considered] = field(default_factory=list)
    reasons: list[Reason] = field(default_factory=list)
    points: str = ""  # how many points there were and how many it takes
    rules: RuleSet | None = None  # as kept with the reading's rules version
    counts: Input | None = None  # the input whose text counts instead of this one
    standing: ReportVersion | None = None  # the version that counts instead of this one


def why(item: Input, account: Account) -> Why:
    """Return what became of an input and why, for who may see its source.

    Parameters
    ----------
    item
        With its portion and shard.
    account
        Who asks: while the report's case is to be read blind, who may decide it learns nothing of the
        reading, and nothing from which it would follow.
    """
    version = item.version
    case = _case(version)
    if case and is_hidden(case, account):
        return Why(item, BLIND, hidden=True, version=version, case=case)
    found = Why(item, "", version=version, case=case)
    if version is not None:
        readings = list(Reading.objects.filter(version=version).order_by("id"))
        found.reading = next((one for one in readings if one.shard_id is None), None)
        found.later = [one for one in readings if one.shard_id is not None]
    if item.outcome == Outcome.DUPLICATE and version is not None:
        found.counts = _first(version, item)
    if version is not None and not version.is_current:
        found.standing = ReportVersion.objects.filter(report=version.report_id, is_current=True).first()
    if found.reading is not None:
        found.rules = RuleSet.objects.filter(version=found.reading.rules_version).first()
    if (content := _content(found.reading)) and version is not None:
        found.reasons = reasons(content)
        found.considered = considered(content, version.text)
        found.points = _points(content, found.rules)
    found.sentence = " ".join([*said(found), *since(found, account)])
    return found


def said(found: Why) -> list[str]:
    """Say in a sentence or two what became of an input and why."""
    item = found.input
    match item.outcome:
        case Outcome.REJECTED:
            return _rejected(item)
        case Outcome.DUPLICATE:
            return [_duplicate(found)]
        case Outcome.SUPERSEDED:
            return ["It was kept but not read: a newer version of the report was already held."]
        case Outcome.UNREADABLE_TEXT:
            fault = UNREADABLE.get(item.reason, "The text could not be read")
            return [f"{fault}, so it was put before a person: it became a case of the kind unread."]
        case Outcome.QUEUED:
            return [_queued(found)]
        case _:
            return [_routine(found)]


def _rejected(item: Input) -> list[str]:
    if item.shard.kind != STUDIES:
        return ["It was not read: no report text could be taken from it.", meaning(item.reason)]
    return [
        "It is no report but an image file, from which the facts of a study are taken, and was not taken.",
        meaning(item.reason),
        "Reports of that study are read all the same, without what the file would have told.",
    ]


def _duplicate(found: Why) -> str:
    if found.version is None:  # of something that had been rejected
        return f"It was not read. {meaning(found.input.reason)}"
    text = "The same text of the same report had come before"
    if found.counts is None:
        return f"{text}; that one counts."
    first = found.counts
    was = in_words(first.outcome)
    return f"{text}, as input I{first.pk} in run {first.shard.run_id}; that one counts, and was {was}."


def _queued(found: Why) -> str:
    content = _content(found.reading)
    if content is None or found.reading is None:
        return "It was read and queued."
    return f"It was read and queued as {found.reading.tier}; what decided was {decided(content)}."


def _routine(found: Why) -> str:
    if found.input.reason == "withdrawn":
        return "Its sender withdrew the report, so there was nothing to read."
    content = _content(found.reading)
    if content is None:
        return "It was read and not queued. What the machine found in it is not kept any more."
    return f"It was read and not queued: {_unmoved(content, found.rules)}"


def _unmoved(content: dict[str, Any], rules: RuleSet | None) -> str:
    """Say why a reading asked for nothing."""
    every = [*content["findings"], *content["context_findings"]]
    if not every:
        return "no word for a lesion, or for what presses on the cord, was found in it."
    lesions = [one for one in content["findings"] if one["certainty"] in AFFIRMED]
    if not lesions and not any(one["certainty"] in AFFIRMED for one in every):
        return f"{_listed(every)}, and none of it is affirmed."
    if not lesions:
        beside = _named(one for one in content["context_findings"] if one["certainty"] in AFFIRMED)
        named = (
            f"{_listed(content['findings'])}, and affirms no lesion"
            if content["findings"]
            else "it names no lesion"
        )
        return f"{named}; what it does affirm ({beside}) asks for nobody by itself{_limit(content)}."
    return f"it affirms {_named(lesions)}, but {_too_little(content, rules)}."


def _too_little(content: dict[str, Any], rules: RuleSet | None) -> str:
    limit = _limit(content)
    if limit:
        return limit.removeprefix(": ")
    return f"no rule asks for a person because of that, and {_points(content, rules)}"


def _limit(content: dict[str, Any]) -> str:
    """Say which cap held the priority down; "" when none did."""
    rule = content["decided_by"]
    text = next((one["text"] for one in content["reasons"] if one["rule"] == rule and one.get("tier")), "")
    return f": rule {rule} limits it to routine ({text})" if text else ""


def _points(content: dict[str, Any], rules: RuleSet | None) -> str:
    needed = threshold(rules)
    told = f"it came to {content['score']} points"
    return f"{told}, and {needed} are needed" if needed is not None and content["score"] < needed else told


def threshold(rules: RuleSet | None) -> int | None:
    """Return how many points queued a report by the rules of that day; None when the rules are not kept."""
    if rules is None:
        return None
    try:
        files = json.loads(zlib.decompress(rules.files))
        text = next(text for name, text in files.items() if name.rpartition("/")[2] == "priority.toml")
        return int(tomllib.loads(text)["tiers"]["soon"])
    except (ValueError, KeyError, StopIteration, zlib.error, AttributeError):
        return None


def _listed(found: list[Finding]) -> str:
    """Say how often a report names something, and how it speaks of it."""
    counted = Counter(SAID.get(one["certainty"], one["certainty"]) for one in found)
    how = ", ".join(f"{number} {word}" for word, number in counted.most_common())
    return f"it names {_named(found)} ({how})"


def _named(found: Iterable[Finding]) -> str:
    names = list(dict.fromkeys(one["name"] for one in found))
    return ", ".join(names[:4]) + (f" and {len(names) - 4} more" if len(names) > 4 else "")


def considered(content: dict[str, Any], text: str) -> list[Considered]:
    """Return each finding of a reading with its words, and why it raised the report or did not."""
    scored = next((one["text"] for one in content["reasons"] if one["rule"] == "B"), "")
    pressing = next((one["text"] for one in content["reasons"] if one["rule"] == "N"), "")
    rows = [(one, True) for one in content["findings"]] + [
        (one, False) for one in content["context_findings"]
    ]
    rows.sort(key=lambda row: (row[0]["certainty"] not in AFFIRMED, not row[1], row[0]["start"]))
    return [
        Considered(
            one,
            certainty(one["certainty"]),
            sentence(text, one["start"], one["end"])
            if text[one["start"] : one["end"]]
            else ("", one["quote"], ""),
            _effect(one, is_lesion, scored, pressing),
        )
        for one, is_lesion in rows
    ]


def _effect(one: Finding, is_lesion: bool, scored: str, pressing: str) -> str:
    if one["certainty"] not in AFFIRMED:
        by = f": “{one['cue']}”" if one["cue"] else ""
        return f"{NOT_AFFIRMED.get(one['certainty'], in_words(one['certainty']))}{by}."
    if is_lesion:
        if scored.startswith(one["name"]):
            return "Affirmed: it gave the report its points for the lesion."
        return "Affirmed: another finding weighed as much or more."
    if pressing.startswith(one["name"]):
        return "Affirmed: it gave the report its points for pressure on cord or nerves."
    return f"Affirmed, but no lesion ({in_words(one['class'])}): it asks for nobody by itself."


def _content(reading: Reading | None) -> dict[str, Any] | None:
    """Return what a reading holds; None when there is none, or it was erased."""
    return reading.content if reading is not None and reading.data else None


def _case(version: ReportVersion | None) -> Case | None:
    if version is None:
        return None
    return Case.objects.filter(report=version.report_id).select_related("claimed_by").first()


def _first(version: ReportVersion, item: Input) -> Input | None:
    """Return the input that brought a version, which its duplicates name too."""
    brought = Input.objects.filter(version=version).exclude(pk=item.pk).exclude(outcome=Outcome.DUPLICATE)
    return brought.select_related("shard", "portion").defer("raw").order_by("id").first()
