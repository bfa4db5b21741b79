"""What people say of the findings: not a lesion, read otherwise, missed; kept as labelled data.

Allowed is it for whoever holds the case, and once it is decided for whoever decided it: the labels and the
decision are one person's word. Anybody else opens the case again.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.db import transaction
from django.utils import timezone

from review import audit
from review.access import is_hidden, visible
from review.caseload.acts import Kind, RefusedError, State, check_held, locked, tell
from review.digests import correction_digest
from review.evidence import Finding
from review.findings import COMPARTMENTS as LETTERS
from review.models import Account, Case, Correction, Decision, Reading
from review.spine import covered

# The words of the reader's contract.
CLASSES = (
    "malignant",
    "suspicious",
    "benign_tumor",
    "infection",
    "haemorrhage",
    "vascular",
    "cyst",
    "inflammatory",
    "fracture",
    "benign_other",
)
CERTAINTIES = (
    "present",
    "probable",
    "possible",
    "unlikely",
    "absent",
    "historical",
    "indication",
    "recommendation",
)
COMPARTMENTS = tuple(LETTERS)
LONGEST = 400  # characters of a stretch
Span = tuple[int, int]
What = Correction.Kind


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What a person says of a stretch of the text."""

    kind: str  # of Correction.Kind
    category: str = ""  # a missed lesion's class
    certainty: str = ""
    compartments: Sequence[str] = ()
    levels: Sequence[str] = ()


def correct(account: Account, case_id: int, version_seen: int, span: Span, said: Said) -> Correction:
    """Write down what a person says of a stretch; the newest word on a stretch counts.

    Parameters
    ----------
    version_seen
        The id of the report version that the person read.
    span
        Start and end in code points of that version's text.

    Raises
    ------
    RefusedError
        When the person may not say it, or it does not fit the text or the reading.
    """
    with transaction.atomic():
        case = locked(account, case_id)
        _check_may(case, account)
        if case.reading.version_id != version_seen:
            raise RefusedError("A newer version of the report has arrived. Read it first.")
        before = standing(case, version_seen).get(span)
        found = None if is_hidden(case, account) else _machine(case.reading, span)
        values = _values(case, span, said, found, before)
        if before and all(getattr(before, name) == value for name, value in values.items()):
            return before  # sent twice
        written = Correction.objects.create(
            case=case,
            reading=case.reading,
            account=account,
            at=timezone.now(),
            start=span[0],
            end=span[1],
            **values,
        )
        digest = correction_digest(written)
        action = audit.Action.CASE_CORRECTED
        tell(case, account, Kind.CORRECTED, action, correction=written.pk, digest=digest)
    return written


def may_correct(case: Case, account: Account) -> bool:
    """Whether the person holds the case, or made the decision that stands."""
    if case.state == State.WAITING:
        return case.is_claimed and case.claimed_by_id == account.pk
    last = case.decisions.order_by("-id").first()
    return case.state in Decision.Verdict.values and last is not None and last.account_id == account.pk


def standing(case: Case, version: int) -> dict[Span, Correction]:
    """Return by stretch what counts of a version: the newest word, when it was not taken back."""
    return newest(case.corrections.filter(reading__version=version).select_related("account").order_by("id"))


def newest(corrections: Iterable[Correction]) -> dict[Span, Correction]:
    """Return the newest correction of each stretch, given them in order; those taken back are left out."""
    last = {(one.start, one.end): one for one in corrections}
    return {span: one for span, one in last.items() if one.kind != What.AS_READ}


def places(text: str, words: str) -> list[Span]:
    """Return where words stand in a text, however it is spaced and capitalised."""
    parts = [re.escape(word) for word in words.split()]
    if not parts:
        return []
    return [found.span() for found in re.finditer(r"\s+".join(parts), text, re.IGNORECASE)]


def stretch(account: Account, case_id: int, version_seen: int, words: str, at: Span | int | None) -> Span:
    """Return the stretch of the text that a person means, without the space around it.

    Parameters
    ----------
    words
        What they marked or typed.
    at
        Where it was marked; or which of the places of typed words is meant, from 1; or None.
    """
    cases = visible(Case.objects.select_related("reading__version"), account)
    case = cases.filter(pk=case_id, reading__version=version_seen).first()
    if case is None:
        raise RefusedError("A newer version of the report has arrived. Read it first.")
    text = case.reading.version.text
    if isinstance(at, tuple):
        marked = text[at[0] : at[1]]
        if not marked.strip() or (words.strip() and marked.split() != words.split()):
            raise RefusedError("The marked words do not stand there; mark them again.")
        start = at[0] + len(marked) - len(marked.lstrip())
        return start, start + len(marked.strip())
    found = places(text, words)
    if not found:
        raise RefusedError("These words do not stand in the report; copy them as they are.")
    if at is None and len(found) > 1:
        raise RefusedError(f"These words stand {len(found)} times in the report; say which one you mean.")
    if at is not None and not 1 <= at <= len(found):
        raise RefusedError(f"These words stand {len(found)} times in the report; there is no number {at}.")
    return found[(at or 1) - 1]


def parse_levels(written: str) -> list[str]:
    """Return levels as people type them (`t6-8, L1`) in the words of the contract (`T6-T8`, `L1`).

    Raises
    ------
    RefusedError
        When a part is no vertebra and no range of them.
    """
    found = []
    for part in re.split(r"[,;\s]+", re.sub(r"\s*[-–—]\s*", "-", written.strip().upper())):
        if not part:
            continue
        first, dash, last = part.partition("-")
        last = f"{first[:1]}{last}" if last.isdecimal() else last
        level = first + dash + last
        if not covered(first) or (dash and not covered(last)):
            raise RefusedError(f"“{part[:20]}” is no level; write levels as T6, or T6-T8.")
        found.append(level)
    return list(dict.fromkeys(found))


def _check_may(case: Case, account: Account) -> None:
    if may_correct(case, account):
        return
    if case.state in Decision.Verdict.values:
        raise RefusedError("Only who decided the case can correct its findings; open it again to say more.")
    check_held(case, account)


def _machine(reading: Reading, span: Span) -> Finding | None:
    return next((f for f in reading.content["findings"] if (f["start"], f["end"]) == span), None)


def _values(
    case: Case, span: Span, said: Said, found: Finding | None, before: Correction | None
) -> dict[str, object]:
    """Return the columns of the correction, or refuse what does not fit."""
    if said.kind == What.AS_READ:
        if before is None:
            raise RefusedError("There is no correction here to take back.")
        return _columns(said.kind)
    if said.kind == What.MISSED:
        _check_stretch(case.reading.version.text, span)
        if found is not None:
            raise RefusedError("The machine found these words itself; correct its finding in the table.")
        _one_of(said.category, CLASSES, "Choose what kind of lesion it is.")
        return _columns(said.kind, said.category, said)
    if said.kind not in What.values:
        raise RefusedError("Choose what is wrong with the finding.")
    if found is None:
        raise RefusedError("The machine found nothing at these words; open the case again.")
    if said.kind == What.NOT_A_LESION:
        return _columns(said.kind)
    values = _columns(said.kind, found["class"], said)
    same = ("certainty", "compartments", "levels")
    if all(_plain(values[name]) == _plain(found[name]) for name in same):
        raise RefusedError("That is what the machine read; change what is wrong, or take a correction back.")
    return values


def _columns(kind: str, category: str = "", said: Said | None = None) -> dict[str, object]:
    if said is None:
        return {"kind": kind, "category": "", "certainty": "", "compartments": [], "levels": []}
    _one_of(said.certainty, CERTAINTIES, "Choose how sure the report is.")
    for compartment in said.compartments:
        _one_of(compartment, COMPARTMENTS, "Choose the compartments from the list.")
    return {
        "kind": kind,
        "category": category,
        "certainty": said.certainty,
        "compartments": [one for one in COMPARTMENTS if one in said.compartments],
        "levels": parse_levels(",".join(said.levels)),
    }


def _plain(value: object) -> object:
    return sorted(value) if isinstance(value, list) else value


def _one_of(value: str, allowed: Sequence[str], told: str) -> None:
    if value not in allowed:
        raise RefusedError(told)


def _check_stretch(text: str, span: Span) -> None:
    start, end = span
    if not 0 <= start < end <= len(text) or not text[start:end].strip():
        raise RefusedError("Mark the words of the lesion in the report.")
    if end - start > LONGEST:
        raise RefusedError(f"Mark the words of the lesion only, at most {LONGEST} characters.")
