"""The worklist's rows, the same for pages and commands."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.conf import settings
from django.utils import timezone

from review import audit
from review.caseload.acts import queue
from review.evidence import UNREADABLE, headline, neural, sentence, spoken, telling
from review.models import Account, Case, Escalation, ReportVersion

CONFLICT = "identity_conflict"  # the warning of a version whose patient is not its study's


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One case as a line of the worklist."""

    case: Case
    tier: str
    waiting_minutes: int
    limit_minutes: int
    patient: str  # short id, age, sex
    study: str  # modality, description, date
    why: str  # finding, level, compartment
    words: tuple[str, str, str]  # the sentence: before, the words found, after

    @property
    def is_overdue(self) -> bool:
        """Whether the case has waited longer than its tier allows."""
        return self.waiting_minutes > self.limit_minutes

    @property
    def waited(self) -> str:
        """How long the case has waited, in words."""
        return _in_words(self.waiting_minutes)

    @property
    def limit(self) -> str:
        """How long a case of this tier may wait, in words."""
        return _in_words(self.limit_minutes)

    def as_dict(self) -> dict[str, Any]:
        """Return the row as `spinetriage queue --json` prints it."""
        quoted = "".join(self.words)
        return {
            "case": self.case.name,
            "report": self.case.report.key,
            "tier": self.tier,
            "status": self.case.status,
            "waiting_minutes": self.waiting_minutes,
            "limit_minutes": self.limit_minutes,
            "overdue": self.is_overdue,
            "escalation": Escalation(self.case.escalation).name.lower(),
            "patient": self.patient,
            "study": self.study,
            "why": f"{self.why}: “{quoted}”" if quoted else self.why,
        }


def rows(account: Account, start: int, stop: int | None) -> list[Row]:
    """Return a piece of the queue as the person may see it, and record which cases were shown."""
    cases = queue(account).select_related("report", "reading__version__study", "claimed_by")[start:stop]
    now = timezone.now()
    listed = [_row(case, now) for case in cases]
    if listed:
        shown = [row.case.pk for row in listed]
        audit.record(audit.Action.LIST_READ, actor=account.actor, subject=account.actor, cases=shown)
    return listed


def listing(account: Account, limit: int | None) -> list[dict[str, Any]]:
    """Return the first cases of the queue (None = all) as `spinetriage queue --json` prints them."""
    return [row.as_dict() for row in rows(account, 0, limit)]


def _row(case: Case, now: datetime) -> Row:
    version = case.reading.version
    why, words = _why(case, version)
    tier = case.get_tier_display()
    return Row(
        case=case,
        tier=tier,
        waiting_minutes=max(0, int((now - case.waiting_since).total_seconds() // 60)),
        limit_minutes=settings.WAITING_MINUTES[tier],
        patient=patient(version, now.date()),
        study=study(version),
        why=why,
        words=words,
    )


def _why(case: Case, version: ReportVersion) -> tuple[str, tuple[str, str, str]]:
    content = case.reading.content
    if content["unreadable"]:
        return f"{UNREADABLE.get(content['unreadable'], 'The report could not be read')}: please read it", (
            "",
            "",
            "",
        )
    chief, pressing, shown = headline(content), neural(content), telling(content)
    said = ["the report names another patient than its study"] if CONFLICT in version.warnings else []
    if chief is not None and (chief in content["findings"] or not pressing):
        said.append(spoken(chief))
    if pressing:
        said.append(pressing)
    words = sentence(version.text, shown["start"], shown["end"]) if shown else ("", "", "")
    return " + ".join(said) or "no affirmed finding in the newest version", words


def _in_words(minutes: int) -> str:
    days, rest = divmod(minutes, 24 * 60)
    parts = zip((days, rest // 60, rest % 60), ("d", "h", "min"), strict=True)
    return " ".join(f"{number} {unit}" for number, unit in parts if number) or "0 min"


def patient(version: ReportVersion, today: date) -> str:
    """Return the patient as a list shows it: the end of the id, the age, the sex."""
    short = f"…{version.patient_id[-4:]}" if len(version.patient_id) > 4 else version.patient_id
    return ", ".join(part for part in (short or "no id", _age(version, today), version.sex) if part)


def _age(version: ReportVersion, today: date) -> str:
    try:
        born = date.fromisoformat(version.birth_date)
    except ValueError:
        told = str(version.context.get("patient_age") or "")
        return f"{int(told[:3])} {told[3].lower()}" if told[:3].isdigit() and len(told) == 4 else told
    return f"{today.year - born.year - ((today.month, today.day) < (born.month, born.day))} y"


def study(version: ReportVersion) -> str:
    """Return the study as a list shows it: modality, description, date."""
    found = version.study
    modality = (found and found.modality) or version.modality
    description = (found and found.description) or version.description
    when = (found and found.study_time[:10]) or str(version.context.get("study_date") or "")[:10]
    parts = [part for part in (modality, description, when) if part]
    return " · ".join([*parts, *([] if found else ["no study found"])])
