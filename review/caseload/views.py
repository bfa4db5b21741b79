"""What each person sets for the worklist: the columns, and filters kept under a name."""

from __future__ import annotations

from collections.abc import Iterable

from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.http import QueryDict

from review import audit
from review.caseload.acts import RefusedError
from review.caseload.filters import SEARCH, address, chosen
from review.models import Account, SavedView

# In the order in which they stand; without the first ones nobody can work through a list.
ALWAYS = ("priority", "waiting", "case", "why")
COLUMNS = {
    "priority": "Priority",
    "waiting": "Waiting",
    "case": "Case",
    "patient": "Patient",
    "study": "Study",
    "why": "Why",
    "status": "Status",
    "holder": "Claimed by",
    "arrived": "Arrived",
    "source": "Source",
}
USUAL = ("priority", "waiting", "case", "patient", "study", "why", "status", "holder")
LONGEST_NAME, LONGEST_QUERY = 60, 500
MOST = 30  # views of one person


def columns(account: Account) -> dict[str, str]:
    """Return the columns that the person sees, with their headings."""
    wanted = {*ALWAYS, *(account.columns or USUAL)}
    return {name: heading for name, heading in COLUMNS.items() if name in wanted}


def choose_columns(account: Account, names: Iterable[str]) -> None:
    """Keep which columns a person wants to see beside those that always stay.

    Raises
    ------
    RefusedError
        When there is no such column.
    """
    wanted = {*names, *ALWAYS}
    if unknown := wanted - COLUMNS.keys():
        raise RefusedError(f"There is no column {min(unknown)[:40]!r}; known are {', '.join(COLUMNS)}.")
    with transaction.atomic():
        account.columns = [name for name in COLUMNS if name in wanted]
        account.save(update_fields=["columns"])
        _record(account, columns=account.columns)


def views(account: Account) -> QuerySet[SavedView]:
    """Return the person's saved views by name."""
    return SavedView.objects.filter(account=account).order_by("name")


def save_view(account: Account, name: str, query: str) -> SavedView:
    """Keep filters under a name; the same name again takes the new filters.

    Raises
    ------
    RefusedError
        When the name or the filters cannot be kept.
    """
    filters = chosen(account, QueryDict(query))
    if SEARCH in filters:
        raise RefusedError("A search cannot be saved: its words are kept only until you log out.")
    kept = address(filters)
    if not kept:
        raise RefusedError("There is no filter to save. Choose filters first.")
    if len(kept) > LONGEST_QUERY:
        raise RefusedError("These are too many filters for a saved view. Choose fewer values.")
    with transaction.atomic():
        held = views(account).filter(name=_checked(name)).first()
        if held is None and views(account).count() >= MOST:
            raise RefusedError(f"You have {MOST} saved views already. Delete one first.")
        view, _ = SavedView.objects.update_or_create(
            account=account, name=_checked(name), defaults={"query": kept}
        )
        _record(account, view=view.pk)
    return view


def rename_view(account: Account, view_id: int, name: str) -> SavedView:
    """Give a saved view another name, one that no other view of the person has."""
    view = _own(account, view_id)
    view.name = _checked(name)
    try:
        with transaction.atomic():
            view.save(update_fields=["name"])
            _record(account, view=view.pk)
    except IntegrityError:
        raise RefusedError(f"You have another view called {view.name!r}. Choose another name.") from None
    return view


def delete_view(account: Account, view_id: int) -> SavedView:
    """Forget a saved view."""
    view = _own(account, view_id)
    with transaction.atomic():
        SavedView.objects.filter(pk=view_id).delete()
        _record(account, view=view_id)
    return view


def _own(account: Account, view_id: int) -> SavedView:
    view = views(account).filter(pk=view_id).first()
    if view is None:
        raise RefusedError("You have no such saved view; perhaps it was deleted in another window.")
    return view


def _checked(name: str) -> str:
    name = " ".join(name.replace("\0", "").split())
    if not name:
        raise RefusedError("Give the view a name.")
    if len(name) > LONGEST_NAME:
        raise RefusedError(f"The name has {len(name)} characters; at most {LONGEST_NAME} were expected.")
    return name


def _record(account: Account, **detail: object) -> None:
    """Record a change of what is a person's own; neither names nor filters go into the audit."""
    audit.record(audit.Action.ACCOUNT_CHANGED, actor=account.actor, subject=account.actor, **detail)
