"""The filters of the worklist, as they stand in an address: names and codes, never a patient or a word.

Several values of one filter are or-ed, different filters are and-ed. A value that cannot be used is told.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from urllib.parse import urlencode

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.http import QueryDict
from django.utils import timezone

from review.access import visible
from review.caseload.acts import RefusedError
from review.caseload.claims import is_free
from review.caseload.corrections import COMPARTMENTS
from review.caseload.deadlines import overdue
from review.caseload.search import searched
from review.evidence import in_words
from review.models import Account, Case, CaseMark, Choice, Tier
from review.spine import VERTEBRAE

State = Case.State
Values = tuple[str, ...]
Chosen = dict[str, Values]
Offers = dict[str, dict[str, str]]  # by filter: the values that can be chosen, with their names

YES = "1"
FLAGS = {
    "mine": "mine",
    "unclaimed": "unclaimed",
    "overdue": "overdue",
    "untold": "confirmed, to be told",
}
FIXED: Offers = {
    "tier": {tier.label: tier.label for tier in Tier},
    "status": {
        "open": "open",
        "waiting": "waiting",
        "in_review": "in review",
        "confirmed": "confirmed",
        "dismissed": "dismissed",
        "withdrawn": "withdrawn",
        "all": "all",
    },
    "compartment": {code: in_words(code) for code in COMPARTMENTS},
    "level": {name: name for name in VERTEBRAE},
    "age": {"1h": "over 1 h", "4h": "over 4 h", "24h": "over 24 h", "7d": "over 7 d"},
    "decided": {"today": "today"},
    **{flag: {YES: name} for flag, name in FLAGS.items()},
}
AGES = {
    "1h": timedelta(hours=1),
    "4h": timedelta(hours=4),
    "24h": timedelta(hours=24),
    "7d": timedelta(days=7),
}
TO_TELL = Q(is_to_tell__in=(True,))  # written so that SQLite looks into the index
UNKNOWN = "unknown"  # the modality of a report that tells none
SEARCH = "search"
# These look for cases of any status, so that without a word on the status all are meant.
ANY_STATUS = {"decided", "untold", SEARCH}
ORDER = ("tier", "status", "age", "compartment", "level", "concept", "modality", "source", "decided", *FLAGS)


class FilterError(RefusedError):
    """A filter of the address cannot be used; the text says which, and what was expected."""


def offers(account: Account) -> Offers:
    """Return what can be chosen, at the same cost however many cases there are."""
    found: Offers = {kind: {} for kind in Choice.Kind.values}
    for row in sorted(Choice.objects.all(), key=lambda row: (row.name.lower(), row.value)):
        found[row.kind][row.value] = row.name
    found["modality"][UNKNOWN] = "not told"
    if account.sources:
        found["source"] = {name: name for name in account.sources}
    return FIXED | found


def chosen(account: Account, query: QueryDict, offered: Offers | None = None) -> Chosen:
    """Return the filters of an address, in one order; pages and empty values are left out.

    Raises
    ------
    FilterError
        When a filter or a value is unknown.
    """
    given = {name: tuple(dict.fromkeys(filter(None, query.getlist(name)))) for name in query}
    given = {name: values for name, values in given.items() if values and name != "page"}
    if given.keys() - {SEARCH} and offered is None:
        offered = offers(account)
    for name, values in given.items():
        if name == SEARCH:
            continue
        known = (offered or {}).get(name)
        if known is None:
            raise FilterError(f"There is no filter {name[:40]!r}; known are {', '.join(ORDER)}.")
        for value in values:
            if value not in known:
                raise FilterError(f"The filter {name!r} cannot be {value[:60]!r}{_instead(name, known)}.")
    return {name: given[name] for name in (*ORDER, SEARCH) if name in given}


def _instead(name: str, known: dict[str, str]) -> str:
    if name in Choice.Kind.values:
        return f": no case that came so far has this {name}"
    return f"; expected {', '.join(known)}"


def address(filters: Mapping[str, Values]) -> str:
    """Return the filters as they stand in an address."""
    return urlencode(filters, doseq=True)


def narrow(
    cases: QuerySet[Case],
    account: Account,
    query: QueryDict,
    searches: Mapping[str, str] | None = None,
    offered: Offers | None = None,
) -> QuerySet[Case]:
    """Leave the cases that the filters of an address ask for; without a word on the status, the open ones.

    Parameters
    ----------
    cases
        Cases that the person may see.
    query
        The filters; anything that is not one of them is an error, but for the page.
    searches
        What the person searched for in this session, by number: the address has the number only.
    offered
        What `offers` returned, when it has been asked already.

    Raises
    ------
    FilterError
        When a filter or a value is unknown, or the search is over.
    """
    filters = chosen(account, query, offered)
    now = timezone.now()
    if "status" not in filters and not ANY_STATUS & filters.keys():
        filters = filters | {"status": ("open",)}
    for name, values in filters.items():
        if name == SEARCH:
            cases = searched(cases, account, _words(values, searches or {}))
        else:
            cases = cases.filter(_NARROWING[name](values, account, now))
    return cases


def listed(
    account: Account,
    query: QueryDict,
    searches: Mapping[str, str] | None = None,
    offered: Offers | None = None,
) -> QuerySet[Case]:
    """Return the cases that the person may see and the filters ask for; see `narrow`."""
    return narrow(visible(Case.objects.all(), account), account, query, searches, offered)


def _words(values: Values, searches: Mapping[str, str]) -> str:
    said = searches.get(values[0]) if len(values) == 1 else None
    if said is None:
        raise FilterError("This search is over: searches last as long as your login. Search again.")
    return said


def mine(account: Account, now: datetime) -> QuerySet[Case]:
    """Return the open cases that the person holds, and those that wait for this person, by index."""
    waiting = Case.objects.filter(state=State.WAITING).order_by()
    held = waiting.filter(claimed_by=account, claim_expires__gt=now)
    return held.union(waiting.filter(assigned_to=account))


def _tier(values: Values, *_: object) -> Q:
    return Q(tier__in=[tier.value for tier in Tier if tier.label in values])


def _status(values: Values, _: Account, now: datetime) -> Q:
    if "all" in values:
        return Q()
    states = {value for value in values if value in State.values}
    held = Q(state=State.WAITING, claim_expires__gt=now)
    if "open" in values or {"waiting", "in_review"} <= set(values):
        return Q(state__in=sorted(states | {State.WAITING.value}))
    wanted = Q(state__in=sorted(states - {State.WAITING.value}))
    if "waiting" in values:
        wanted |= is_free(now)
    return wanted | held if "in_review" in values else wanted


def _age(values: Values, _: Account, now: datetime) -> Q:
    return Q(first_arrival__lt=now - min(AGES[value] for value in values))


def _marked(kind: CaseMark.Kind) -> Callable[[Values, Account, datetime], Q]:
    """Return the filter for what the newest reading affirms; what waits to be read blind has no marks."""

    def narrowing(values: Values, *_: object) -> Q:
        return Q(Exists(CaseMark.objects.filter(case=OuterRef("pk"), kind=kind, value__in=values)))

    return narrowing


def _modality(values: Values, *_: object) -> Q:
    return Q(modality__in=["" if value == UNKNOWN else value for value in values])


def _source(values: Values, *_: object) -> Q:
    return Q(source__in=values)


def _decided(_: Values, __: Account, now: datetime) -> Q:
    midnight = timezone.localtime(now).replace(hour=0, minute=0, second=0, microsecond=0)
    return Q(state__in=(State.CONFIRMED, State.DISMISSED), decided_at__gte=midnight)


def _mine(_: Values, account: Account, now: datetime) -> Q:
    return Q(pk__in=mine(account, now).values("pk"))


def _unclaimed(_: Values, __: Account, now: datetime) -> Q:
    return is_free(now)


def _overdue(_: Values, __: Account, now: datetime) -> Q:
    return overdue(now)


def _untold(*_: object) -> Q:
    return TO_TELL


_NARROWING: dict[str, Callable[[Values, Account, datetime], Q]] = {
    "tier": _tier,
    "status": _status,
    "age": _age,
    "compartment": _marked(CaseMark.Kind.COMPARTMENT),
    "level": _marked(CaseMark.Kind.LEVEL),
    "concept": _marked(CaseMark.Kind.CONCEPT),
    "modality": _modality,
    "source": _source,
    "decided": _decided,
    "mine": _mine,
    "unclaimed": _unclaimed,
    "overdue": _overdue,
    "untold": _untold,
}
