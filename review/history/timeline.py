"""Everything that is recorded of one report, in one line of time and in words."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q, TextField
from django.db.models.functions import Cast

from review import audit
from review.access import is_hidden, visible
from review.audit.acts import ACTS
from review.evidence import in_words
from review.findings import corrected
from review.history.actions import Entry, fold
from review.history.finding import of_report
from review.history.words import who
from review.meanings import meaning
from review.models import Account, AuditRow, Case, CaseEvent, Reading, Report, ReportVersion
from review.reasons import decided

Kind = CaseEvent.Kind
# What a newer version did to a case; each would tell what the machine reads.
TELLING = {Kind.RAISED, Kind.CALMER, Kind.WAITS_AGAIN}
MOST = 500  # rows of the audit, of the newest; the page of all acts has the rest
LISTS = 200  # lists that showed the case, of the newest


@dataclass(frozen=True, slots=True)
class Moment:
    """One thing that happened, in words."""

    at: datetime
    kind: str  # came, read, case, decided, told, looked
    said: str
    until: datetime | None = None  # of repeats
    page: str = ""  # the page that shows more
    number: int = 0
    link: str = ""  # the words of that link


@dataclass(frozen=True, slots=True)
class Timeline:
    """The history of one report."""

    report: Report
    case: Case | None
    hidden: bool
    moments: list[Moment]
    rows: int  # of the audit that were read for it
    is_cut: bool


def timeline(report: Report, account: Account, *, lists: bool = False) -> Timeline:
    """Return what is recorded of a report, the oldest first. That its audit was read is recorded.

    Parameters
    ----------
    account
        Who asks: while the case is to be read blind, who may decide it sees nothing of the reading.
    lists
        Also the lists that showed the case, and the tables that may have held it; to find them, the rows of
        all lists since it came are gone through.
    """
    case = Case.objects.filter(report=report).select_related("claimed_by").first()
    hidden = case is not None and is_hidden(case, account)
    found = list(_inputs(report, account)) if not hidden else []
    found += _versions(report)
    if not hidden:
        found += _readings(report)
    if case is not None:
        found += [*_events(case, hidden=hidden), *_decisions(case), *_told(case)]
        found += _corrections(case, account if hidden else None)
    rows, is_cut = _rows(report, case)
    if lists and case is not None:
        rows += _lists(case)
        rows.sort(key=lambda row: -row.number)
        found += _exports(case)
    found += [_looked(entry) for entry in fold(rows, account)]
    subject = f"report:{report.pk}"
    audit.record(audit.Action.AUDIT_READ, actor=account.actor, subject=subject, rows=len(rows), lists=lists)
    found.sort(key=lambda one: one.at)
    return Timeline(report, case, hidden, found, len(rows), is_cut)


def report_of(report_id: int, account: Account) -> Report | None:
    """Return a report that the person may see."""
    return visible(Report.objects.all(), account).filter(pk=report_id).first()


def _inputs(report: Report, account: Account) -> Iterator[Moment]:
    for row in of_report(report.pk, account).defer("raw", "version__text", "version__context"):
        at = row.shard.ended_at or row.shard.created_at
        why = f": {meaning(row.reason)}" if row.reason else ""
        which = f"input I{row.pk} of run {row.shard.run_id} ({row.portion.source})"
        came = f"{which} was {in_words(row.outcome)}{why}"
        yield Moment(at, "came", came, page="why_input", number=row.pk, link="why")


def _versions(report: Report) -> Iterator[Moment]:
    for row in ReportVersion.objects.filter(report=report).defer("text", "context"):
        now = ", the one that counts" if row.is_current else ""
        said = f"version {row.number} arrived, {row.status}{now}; digest of its text {row.text_digest[:12]}"
        yield Moment(row.arrived_at, "came", said)


def _readings(report: Report) -> Iterator[Moment]:
    rows = Reading.objects.filter(version__report=report).select_related("version", "shard")
    for row in rows.defer("version__text", "version__context"):
        again = f"run {row.shard.run_id} read version {row.version.number} again" if row.shard else ""
        first = again or f"version {row.version.number} was read"
        by = f"; what decided was {decided(row.content)}" if row.data else ""
        unread = f" (could not be read: {row.unreadable})" if row.unreadable else ""
        said = f"{first} as {row.tier}{by}{unread}; rules {row.rules_version[:19]}"
        yield Moment(row.at, "read", said)


def _events(case: Case, *, hidden: bool) -> Iterator[Moment]:
    events = case.events.exclude(kind__in=(Kind.CONFIRMED, Kind.DISMISSED, Kind.TOLD, Kind.CORRECTED))
    for row in events.select_related("account", "whom"):
        if hidden and row.kind in TELLING:
            continue
        by = f" by {row.account.username}" if row.account else ""
        whom = f" ({'from' if row.kind == Kind.TAKEN_OVER else 'to'} {row.whom.username})" if row.whom else ""
        note = f": {row.note}" if row.note else ""
        tier = "" if hidden else f" · {row.get_tier_display()}"
        yield Moment(row.at, "case", f"{case.name} {row.get_kind_display()}{by}{whom}{note}{tier}")


def _decisions(case: Case) -> Iterator[Moment]:
    for row in case.decisions.select_related("account", "reading__version").defer("reading__data"):
        why = f", {row.get_reason_display()}" if row.reason else ""
        comment = f": {row.comment}" if row.comment else ""
        seen = f"version {row.reading.version.number}, rules {row.reading.rules_version[:19]}"
        said = (
            f"{case.name} {row.verdict} by {row.account.username}{why}{comment} · with {seen} before the eyes"
        )
        yield Moment(row.at, "decided", said)


def _told(case: Case) -> Iterator[Moment]:
    for row in case.communications.select_related("account"):
        note = f". {row.note}" if row.note else ""
        said = f"{row.told_by} told {row.told_to} {row.get_method_display()}: {row.finding}{note}"
        yield Moment(row.told_at, "told", f"{said} · written down by {row.account.username}")


def _corrections(case: Case, only: Account | None) -> Iterator[Moment]:
    rows = case.corrections.select_related("account")
    for row in rows.filter(account=only) if only else rows:
        where = f"characters {row.start} to {row.end}"
        yield Moment(row.at, "decided", f"{row.account.username} said of {where}: {corrected(row)}")


def _rows(report: Report, case: Case | None) -> tuple[list[AuditRow], bool]:
    """Return the newest rows of the audit about a report, without what its case's events tell already."""
    about = Q(subject=f"report:{report.pk}")
    if case is not None:
        about |= Q(subject=f"case:{case.pk}")
    inputs = report.versions.values_list("inputs", flat=True)
    about |= Q(subject__in=[f"input:{pk}" for pk in inputs if pk][:MOST])
    rows = AuditRow.objects.filter(about).exclude(action__in=set(ACTS.values()))
    found = list(rows.order_by("-number")[: MOST + 1])
    return found[:MOST], len(found) > MOST


def _lists(case: Case) -> list[AuditRow]:
    """Return the newest rows of lists that showed the case: its number stands in what is beside them."""
    rows = AuditRow.objects.filter(action=audit.Action.LIST_READ, at__gte=case.first_arrival)
    rows = rows.annotate(text=Cast("detail", TextField())).filter(text__contains=str(case.pk))
    found: list[AuditRow] = []
    for row in rows.order_by("-at", "-number").iterator():  # as the index has them
        if case.pk in row.detail.get("cases", ()):
            found.append(row)
        if len(found) == LISTS:
            break
    return found


def _exports(case: Case) -> Iterator[Moment]:
    """Tell of the newest tables of cases since the case came: the audit has a digest of what was in each."""
    rows = AuditRow.objects.filter(action=audit.Action.EXPORTED, at__gte=case.first_arrival)
    tables = [row for row in rows.order_by("-at", "-number")[: 5 * LISTS] if "cases" in row.detail]
    names = dict(Account.objects.values_list("pk", "username")) if tables else {}
    for row in tables[:LISTS]:
        count = row.detail["count"]
        cases = f"{count} case{'' if count == 1 else 's'}"
        what = f"a table of {cases}; whether this one was among them, only the file tells"
        yield Moment(row.at, "looked", f"{who(row.actor, names)} took away {what} (row {row.number})")


def _looked(entry: Entry) -> Moment:
    times = f" {len(entry.lines)} times" if len(entry.lines) > 1 else ""
    origin = f" (from {entry.origin})" if entry.origin else ""
    first, about, rest = entry.words
    until = entry.newest.at if times else None
    said = f"{entry.by} {first}{about}{rest}{times}{origin}"
    return Moment(entry.oldest.at, "looked", said, until)
