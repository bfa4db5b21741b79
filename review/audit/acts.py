"""What people did to cases, recomputed against the rows that vouch for it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import zip_longest
from typing import Any

from review.audit.chain import Action
from review.audit.erased import erased
from review.digests import communication_digest, correction_digest, decision_digest, event_digest
from review.models import AuditRow, CaseEvent, Communication, Correction, Decision

Fault = dict[str, Any]
Kind = CaseEvent.Kind
Vouched = tuple[int, int, str]  # id, number of the audit row, digest
There = tuple[int, str]  # id, digest

# Each act of a person, or of time, writes one event and one row of the audit.
ACTS = {
    Kind.CLAIMED: Action.CASE_CLAIMED,
    Kind.EXTENDED: Action.CASE_EXTENDED,
    Kind.RELEASED: Action.CASE_RELEASED,
    Kind.RETURNED: Action.CASE_RETURNED,
    Kind.CONFIRMED: Action.CASE_DECIDED,
    Kind.DISMISSED: Action.CASE_DECIDED,
    Kind.REOPENED: Action.CASE_REOPENED,
    Kind.TAKEN_OVER: Action.CASE_TAKEN_OVER,
    Kind.ASSIGNED: Action.CASE_ASSIGNED,
    Kind.COMMENTED: Action.CASE_COMMENTED,
    Kind.CORRECTED: Action.CASE_CORRECTED,
    Kind.TOLD: Action.CASE_TOLD,
    Kind.EXPIRED: Action.CLAIM_EXPIRED,
    Kind.AGAIN: Action.CASE_ESCALATED,
    Kind.LEAD: Action.CASE_ESCALATED,
}


def act_faults() -> Iterator[Fault]:
    """Find acts of people that were changed, removed or made up behind the program's back."""
    decisions = Decision.objects.select_related("reading__version__report").order_by("id").iterator()
    readings = erased("reading")
    made = (
        (one.pk, decision_digest(one, one.reading.version.report.key, readings.get(one.reading_id, "")))
        for one in decisions
    )
    yield from _faults("decision", _vouched("decision", "digest", Action.CASE_DECIDED), made)
    corrections = Correction.objects.order_by("id").iterator()
    said = ((one.pk, correction_digest(one)) for one in corrections)
    yield from _faults("correction", _vouched("correction", "digest", Action.CASE_CORRECTED), said)
    communications = Communication.objects.order_by("id").iterator()
    told = ((one.pk, communication_digest(one)) for one in communications)
    yield from _faults("communication", _vouched("communication", "digest", Action.CASE_TOLD), told)
    yield from _event_faults()


def _event_faults() -> Iterator[Fault]:
    """Check what happened to cases: who, when, and the words they wrote."""
    acts = AuditRow.objects.filter(action__in=set(ACTS.values()))
    named = acts.filter(detail__has_key="event").order_by("number").values_list("detail__event", flat=True)
    # Acts that ended at once may have changed places, but not so many; the chain has named what is no number.
    first = min((event for event in named[:1000] if isinstance(event, int)), default=None)
    # Rows of before events were vouched for do not name them: only their number can be compared.
    early = CaseEvent.objects.filter(kind__in=ACTS)
    nameless = (early if first is None else early.filter(pk__lt=first)).count()
    unnamed = acts.exclude(detail__has_key="event").count()
    if unnamed != nameless:
        yield {"row": None, "what": f"{nameless} events of early acts are there, the audit has {unnamed}"}
    events = early.none() if first is None else early.filter(pk__gte=first)
    there = ((event.pk, event_digest(event)) for event in events.order_by("id").iterator())
    yield from _faults("event", _vouched("event", "event_digest", *ACTS.values()), there)
    begun = next(_vouched_together(), None)
    events = CaseEvent.objects.exclude(kind__in=ACTS).filter(pk__gte=begun[0]) if begun else early.none()
    there = ((event.pk, event_digest(event)) for event in events.order_by("id").iterator())
    yield from _faults("event", _vouched_together(), there)


def _vouched_together() -> Iterator[Vouched]:
    """Yield the events of shards and drawings, for which one row vouches together."""
    rows = AuditRow.objects.filter(action__in=(Action.SHARD_STORED, Action.SAMPLE_DRAWN)).order_by("number")
    for number, detail in rows.values_list("number", "detail").iterator():
        for pk, digest in detail.get("events", ()):
            yield pk, number, digest


def _vouched(key: str, digest: str, *actions: Action) -> Iterator[Vouched]:
    rows = AuditRow.objects.filter(action__in=set(actions)).order_by("number")
    for number, detail in rows.values_list("number", "detail").iterator():
        if key in detail:
            yield detail[key], number, detail[digest]


def _faults(name: str, vouched: Iterable[Vouched], there: Iterable[There]) -> Iterator[Fault]:
    before = erased(name)
    there = ((pk, before.get(pk, digest)) for pk, digest in there)
    for pk, number, said, found in _paired(vouched, there):
        if number is None:
            yield {"row": None, "what": f"{name} {pk} stands in no row of the audit"}
        elif found is None:
            yield {"row": number, "what": f"{name} {pk} is not there"}
        elif found != said:
            yield {"row": number, "what": f"{name} {pk}, or what it was made on, was changed"}


def _paired(
    vouched: Iterable[Vouched], there: Iterable[There]
) -> Iterator[tuple[int, int | None, str, str | None]]:
    """Pair rows of the audit with what they vouch for, by id.

    Both come in nearly the same order, as acts that ended at once may have changed places; only what has
    not met its other half is kept in memory.
    """
    waiting: dict[int, tuple[int, str]] = {}
    early: dict[int, str] = {}
    for row, one in zip_longest(vouched, there):
        if row and row[0] in waiting:
            yield row[0], row[1], row[2], None  # vouched for twice
        elif row:
            waiting[row[0]] = row[1:]
        if one:
            early[one[0]] = one[1]
        for pk in {side[0] for side in (row, one) if side}:
            if pk in waiting and pk in early:
                yield pk, *waiting.pop(pk), early.pop(pk)
    yield from ((pk, number, said, None) for pk, (number, said) in waiting.items())
    yield from ((pk, None, "", found) for pk, found in early.items())
