"""What people do with cases on the pages: every act is one POST, told in one sentence."""

from __future__ import annotations

from collections.abc import Callable

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone

from review import caseload
from review.models import Account
from review.pages.rights import needs, reader


@needs("decide")
def next_case(request: HttpRequest) -> HttpResponse:
    """Claim the first free case and open it; who comes here from the login is led to the list."""
    if request.method != "POST":
        return redirect("worklist")
    taken = caseload.next(reader(request))
    if taken is None:
        messages.info(request, "Nothing waits: every open case is claimed by somebody.")
        return redirect("worklist")
    return redirect("case", taken.pk)


@needs("decide")
def act(request: HttpRequest, case_id: int, name: str) -> HttpResponse:
    """Do one of the acts of the case page, and say what came of it; the login leads back to the case."""
    if name not in ACTS:
        raise Http404("There is no such act.")
    if request.method != "POST":
        return redirect("case", case_id)
    try:
        done = ACTS[name](reader(request), case_id, request)
    except caseload.RefusedError as refusal:
        messages.error(request, str(refusal))
        return redirect("case", case_id)
    messages.success(request, f"C{case_id}: {done}")
    return redirect("worklist") if name in LEAVES else redirect("case", case_id)


def _claim(account: Account, case_id: int, _: HttpRequest) -> str:
    if not caseload.claim(account, case_id):
        raise caseload.RefusedError(
            "The case is not free: somebody else was first, or it is decided already."
        )
    return "claimed."


def _extend(account: Account, case_id: int, _: HttpRequest) -> str:
    until = timezone.localtime(caseload.extend(account, case_id))
    return f"yours until {until:%H:%M}."


def _release(account: Account, case_id: int, _: HttpRequest) -> str:
    caseload.release(account, case_id)
    return "released."


def _return(account: Account, case_id: int, request: HttpRequest) -> str:
    caseload.give_back(account, case_id, _said(request, "note"))
    return "returned to the list."


def _reopen(account: Account, case_id: int, request: HttpRequest) -> str:
    caseload.reopen(account, case_id, _said(request, "note"))
    return "waits again."


def _confirm(account: Account, case_id: int, request: HttpRequest) -> str:
    comment = _said(request, "comment")
    caseload.decide(account, case_id, _seen(request), "confirmed", comment=comment)
    return "confirmed."


def _dismiss(account: Account, case_id: int, request: HttpRequest) -> str:
    reason, comment = _said(request, "reason"), _said(request, "comment")
    caseload.decide(account, case_id, _seen(request), "dismissed", reason=reason, comment=comment)
    return "dismissed."


LONGEST = 2000  # characters of a comment or note
ACTS: dict[str, Callable[[Account, int, HttpRequest], str]] = {
    "claim": _claim,
    "extend": _extend,
    "release": _release,
    "return": _return,
    "reopen": _reopen,
    "confirm": _confirm,
    "dismiss": _dismiss,
}
LEAVES = {"release", "return", "confirm", "dismiss"}  # after these the list is of more use than the case


def _said(request: HttpRequest, field: str) -> str:
    """Return what a person typed, as far as the field allows and the database can hold it."""
    return request.POST.get(field, "").replace("\0", "")[:LONGEST]


def _seen(request: HttpRequest) -> int:
    seen = request.POST.get("version_seen", "")
    if not seen.isdecimal() or len(seen) > 18:
        raise caseload.RefusedError("The page did not say which version you read. Open the case again.")
    return int(seen)
