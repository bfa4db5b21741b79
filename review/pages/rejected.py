"""The pages of rejected inputs: the desk, one input, its bytes, and what people do about them."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from review import desk
from review.access import may
from review.caseload import RefusedError
from review.dump import dump
from review.models import Account
from review.pages import typed
from review.pages.pace import paced
from review.pages.piece import Piece
from review.pages.rights import needs, reader


@require_GET
@needs("rejected")
def rejected(request: HttpRequest) -> HttpResponse:
    """Show the inputs that could not be taken, who waits longest first; nothing of their text."""
    account, now = reader(request), timezone.now()
    counts = desk.counts(account, now)
    shown: dict[str, Any] = {
        "counts": counts,
        "states": [(state, label, counts.by_state[state]) for state, label in desk.STATES.items()],
        "reasons": desk.reasons(),
        "offered": desk.sources(account),
        "sources": account.sources,
        "requests": desk.requests(),
    }
    try:
        asked = desk.wanted(request.GET.dict())
    except RefusedError as fault:
        return render(request, "pages/rejected.html", shown | {"fault": str(fault)}, status=400)
    total = asked.of(account, now).count() if asked.is_narrow else counts.by_state[asked.state]
    page = Piece(request, total)
    rows = desk.listing(account, asked, now, page.start, page.stop)
    found = {"asked": asked, "query": asked.query, "page": page, "rows": rows}
    return render(request, "pages/rejected.html", shown | found | _rights(account))


@require_GET
@needs("rejected")
def one(request: HttpRequest, input_id: int) -> HttpResponse:
    """Show one rejected input, every attempt at it, and what can be done about it."""
    account = reader(request)
    found = desk.facts(account, input_id, timezone.now())
    if found is None:
        raise Http404("There is no such rejected input among those you may see.")
    return render(request, "pages/rejected_one.html", found | _rights(account))


@require_GET
@needs("raw")
@paced("exports")
def raw(request: HttpRequest, input_id: int) -> HttpResponse:
    """Show the bytes kept of an input as text and as numbers; that is recorded."""
    try:
        kept = desk.read_bytes(reader(request), input_id)
    except RefusedError as refusal:
        raise Http404(str(refusal)) from None
    return render(request, "pages/rejected_raw.html", {"input_id": input_id, "dump": dump(kept)})


@require_GET
@needs("raw")
@paced("exports")
def download(request: HttpRequest, input_id: int) -> HttpResponse:
    """Hand out the bytes kept of an input, as bytes that no browser opens; that is recorded."""
    try:
        kept = desk.read_bytes(reader(request), input_id)
    except RefusedError as refusal:
        raise Http404(str(refusal)) from None
    response = HttpResponse(kept, content_type="application/octet-stream")
    response["Content-Disposition"] = f'attachment; filename="I{input_id}.bin"'
    return response


def _rights(account: Account) -> dict[str, bool]:
    return {f"may_{right}": may(account, right) for right in ("retry", "discard", "raw")}


Act = Callable[[HttpRequest, Account], str]


def _told(act: Act) -> Callable[[HttpRequest], HttpResponse]:
    """Do an act, say in one sentence what came of it, and go back to the piece of the desk it was done on."""

    @wraps(act)
    def answer(request: HttpRequest) -> HttpResponse:
        try:
            messages.success(request, act(request, reader(request)))
        except RefusedError as refusal:
            messages.error(request, str(refusal))
        return _back(request)

    return answer


def _back(request: HttpRequest) -> HttpResponseRedirect:
    try:
        query = desk.wanted(_asked(request)).query
    except RefusedError:
        query = ""
    return redirect(reverse("rejected") + (f"?{query}" if query else ""))


def _asked(request: HttpRequest) -> dict[str, str]:
    return {name: request.POST.get(name, "") for name in desk.NAMES}


def _ids(request: HttpRequest) -> list[int]:
    return desk.numbers(request.POST.getlist("input"))


def _inputs(number: int) -> str:
    return f"{number} input{'' if number == 1 else 's'}"


@require_POST
@needs("retry")
@_told
def retry(request: HttpRequest, account: Account) -> str:
    """Ask for another attempt at the chosen inputs, or at all that fit the filters."""
    if request.POST.get("all"):
        number = desk.retry_all(account, desk.wanted(_asked(request)), timezone.now())
    else:
        number = desk.retry(account, _ids(request))
    return f"{_inputs(number)} will be tried again by the next run."


@require_POST
@needs("discard")
@_told
def discard(request: HttpRequest, account: Account) -> str:
    """Put the chosen inputs away for a reason."""
    number = desk.discard(account, _ids(request), typed.text(request, "why"))
    return f"{_inputs(number)} discarded; they stay recorded and can be taken back."


@require_POST
@needs("discard")
@_told
def take_back(request: HttpRequest, account: Account) -> str:
    """Let the chosen discarded inputs wait again."""
    return f"{_inputs(desk.take_back(account, _ids(request)))} taken back."
