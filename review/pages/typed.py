"""What people typed into a form, as far as it can be used; the rest is refused in plain words."""

from __future__ import annotations

from datetime import datetime

from django.http import HttpRequest
from django.utils import timezone

from review.caseload import RefusedError
from review.models import Tier

LONGEST = 2000  # characters of a comment or note


def text(request: HttpRequest, field: str) -> str:
    """Return what a person typed, as far as the field allows and the database can hold it."""
    return request.POST.get(field, "").replace("\0", "")[:LONGEST]


def texts(request: HttpRequest, field: str) -> list[str]:
    """Return all that was chosen of a field with several boxes."""
    return [one.replace("\0", "")[:LONGEST] for one in request.POST.getlist(field)]


def number(request: HttpRequest, field: str, told: str) -> int:
    """Return a whole number; `told` is said when there is none."""
    written = request.POST.get(field, "")
    if not written.isascii() or not written.isdecimal() or len(written) > 18:
        raise RefusedError(told)
    return int(written)


def seen(request: HttpRequest) -> int:
    """Return the id of the version that the page showed."""
    return number(
        request, "version_seen", "The page did not say which version you read. Open the case again."
    )


def reading_seen(request: HttpRequest) -> int | None:
    """Return the id of the reading that the page showed; None when it showed none."""
    told = "The page did not say which reading you saw. Open the case again."
    return number(request, "reading_seen", told) if "reading_seen" in request.POST else None


def tier(request: HttpRequest) -> Tier | None:
    """Return the tier that was chosen; None when none was."""
    written = request.POST.get("tier_given", "")
    for one in Tier:
        if one.label == written:
            return one
    if written:
        raise RefusedError("A confirmed case is stat, urgent or soon.")
    return None


def moment(request: HttpRequest, field: str, what: str) -> datetime:
    """Return a time as a form writes it, meant in the site's time zone.

    In the night in which an hour comes twice, the later one that is not in the future is meant.
    """
    try:
        naive = datetime.fromisoformat(request.POST.get(field, ""))
        if naive.tzinfo is not None:
            raise ValueError
        zone = timezone.get_default_timezone()
        first, second = (naive.replace(tzinfo=zone, fold=fold) for fold in (0, 1))
        later = max(first.timestamp(), second.timestamp())
        chosen = second if later <= timezone.now().timestamp() else first
        if datetime.fromtimestamp(chosen.timestamp(), zone).replace(tzinfo=None) != naive:
            raise RefusedError(f"The time at which it was {what} does not exist: the clock was put forward.")
    except (ValueError, OverflowError):
        raise RefusedError(f"Say when it was {what}, as a date and a time.") from None
    return chosen
