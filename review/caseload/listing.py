"""The worklist's rows, the same for pages and commands."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db.models import OuterRef, QuerySet, Subquery
from django.http import QueryDict
from django.utils import timezone

from review import audit
from review.access import is_hidden
from review.caseload.acts import ORDER
from review.caseload.filters import listed
from review.caseload.standing import Standing, standing
from review.evidence import UNREADABLE, in_a_line, sentence, telling
from review.facts import age
from review.models import Account, Case, CaseEvent, Escalation, ReportVersion

CONFLICT = "identity_conflict"  # the warning of a version whose patient is not its study's
NO_WORDS = ("", "", "")
BLIND = "read without the machine's marks"
REACH = 110  # characters of the sentence on each side of the words found: two or three lines
CHUNK = 500  # cases with their texts in memory at once
Kind = CaseEvent.Kind
NOTEWORTHY: dict[str, str] = {
    Kind.RETURNED: "returned",
    Kind.REOPENED: "opened again",
    Kind.WAITS_AGAIN: "newer version",
    Kind.NEWER: "newer version",
    Kind.RAISED: "raised by a newer version",
    Kind.REREAD_UP: "raised, read again with other rules",
    Kind.REREAD_AGAIN: "waits again, read with other rules",
    Kind.EXPIRED: "claim expired",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One case as a line of the worklist."""

    case: Case
    tier: str
    standing: Standing
    patient: str  # short id, age, sex
    study: str  # modality, description, date
    why: str  # finding, level, compartment
    words: tuple[str, str, str]  # the sentence: before, the words found, after
    happened: str  # what last happened to it, when the next reader should know

    @property
    def patient_parts(self) -> list[str]:
        """What is told of the patient, piece by piece, so that no id is broken over two lines."""
        return self.patient.split(", ")

    @property
    def study_parts(self) -> list[str]:
        """What is told of the study, piece by piece, so that no date is broken over two lines."""
        return self.study.split(" · ")

    @property
    def escalation(self) -> str:
        """How far the overdue case has been called out, in words; "" when it was not."""
        level = self.case.escalation if self.case.state == Case.State.WAITING else Escalation.NONE
        return str(Escalation(level).label) if level else ""

    def as_dict(self) -> dict[str, Any]:
        """Return the row as `spinetriage queue --json` prints it."""
        quoted = "".join(self.words)
        return {
            "case": self.case.name,
            "report": self.case.report.key,
            "tier": self.tier,
            "status": self.case.status,
            "waiting_minutes": self.standing.waiting_minutes,
            "limit_minutes": self.standing.limit_minutes,
            "overdue": self.standing.is_overdue,
            "escalation": Escalation(self.case.escalation).name.lower(),
            "patient": self.patient,
            "study": self.study,
            "why": f"{self.why}: “{quoted}”" if quoted else self.why,
        }


@dataclass(frozen=True, slots=True)
class Showing:
    """A piece of a list as it was shown, and the digest of which cases it showed."""

    rows: list[Row]
    digest: str


def show(account: Account, cases: QuerySet[Case], start: int, stop: int | None, last: str = "") -> Showing:
    """Return a piece of a list in the order in which people look, and record which cases were shown.

    Parameters
    ----------
    last
        The digest of what the same person was shown last of this list; the same cases again are no new row
        of the audit. "" for a showing that is recorded in any case.
    """
    ids = list(cases.order_by(*ORDER).values_list("pk", flat=True)[start:stop])
    digest = hashlib.sha256(repr(sorted(ids)).encode()).hexdigest()[:16]
    rows = list(rows_of(account, ids))
    if ids and digest != last:
        audit.record(audit.Action.LIST_READ, actor=account.actor, subject=account.actor, cases=ids)
    return Showing(rows, digest)


def rows_of(account: Account, ids: list[int]) -> Iterator[Row]:
    """Give the rows of cases in the order of their ids, some at a time in memory."""
    now = timezone.now()
    last = CaseEvent.objects.filter(case=OuterRef("pk")).order_by("-id").values("kind")[:1]
    cases = Case.objects.select_related("report", "reading__version__study", "claimed_by", "assigned_to")
    for at in range(0, max(1, len(ids)), CHUNK):
        some = ids[at : at + CHUNK]
        found = cases.annotate(last_event=Subquery(last)).in_bulk(some)
        yield from (_row(found[pk], account, now) for pk in some)


def listing(account: Account, limit: int | None, filters: str = "") -> list[dict[str, Any]]:
    """Return the first cases (None = all) as `spinetriage queue --json` prints them.

    Parameters
    ----------
    filters
        Filters as in the address of the worklist, such as `tier=stat&overdue=1`.
    """
    return [row.as_dict() for row in show(account, listed(account, QueryDict(filters)), 0, limit).rows]


def total(account: Account, filters: str = "") -> int:
    """Return how many cases the whole list of `listing` has."""
    return listed(account, QueryDict(filters)).count()


def _row(case: Case, account: Account, now: datetime) -> Row:
    version = case.reading.version
    why, words = (BLIND, NO_WORDS) if is_hidden(case, account) else _why(case, version)
    tier = case.get_tier_display()
    return Row(
        case=case,
        tier=tier,
        standing=standing(case, now),
        patient=patient(version, now.date()),
        study=study(version),
        why=why,
        words=words,
        happened=NOTEWORTHY.get(getattr(case, "last_event", ""), ""),
    )


def _why(case: Case, version: ReportVersion) -> tuple[str, tuple[str, str, str]]:
    content = case.reading.content
    if content["unreadable"]:
        fault = UNREADABLE.get(content["unreadable"], "The report could not be read")
        return f"{fault}: please read it", NO_WORDS
    shown = telling(content)
    conflict = "the report names another patient than its study" if CONFLICT in version.warnings else ""
    said = [part for part in (conflict, in_a_line(content)) if part]
    words = sentence(version.text, shown["start"], shown["end"], REACH) if shown else NO_WORDS
    return " + ".join(said) or "no affirmed finding in the newest version", words


def patient(version: ReportVersion, today: date) -> str:
    """Return the patient as a list shows it: the end of the id, the age, the sex."""
    short = f"…{version.patient_id[-4:]}" if len(version.patient_id) > 4 else version.patient_id
    return ", ".join(part for part in (short or "no id", _age(version, today), version.sex) if part)


def _age(version: ReportVersion, today: date) -> str:
    try:
        born = date.fromisoformat(version.birth_date)
    except ValueError:
        return age(str(version.context.get("patient_age") or ""))
    return f"{today.year - born.year - ((today.month, today.day) < (born.month, born.day))} y"


def study(version: ReportVersion) -> str:
    """Return the study as a list shows it: modality, description, date."""
    found = version.study
    modality = (found and found.modality) or version.modality
    description = (found and found.description) or version.description
    when = (found and found.study_time[:10]) or str(version.context.get("study_date") or "")[:10]
    parts = [part for part in (modality, description, when) if part]
    return " · ".join([*parts, *([] if found else ["no study found"])])
