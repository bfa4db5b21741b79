"""What people do with cases on the pages: every act is one POST, told in one sentence."""

from __future__ import annotations

from collections.abc import Callable

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse, QueryDict
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html

from review import caseload
from review.caseload import RefusedError, Said, Telling, corrections
from review.caseload.search import SEARCHES
from review.models import Account, Case, CaseEvent, Correction
from review.pages import case, typed
from review.pages.offers import UNSENT, Kept
from review.pages.passed import begin_again, pass_by, passed
from review.pages.rights import needs, reader
from review.pages.worklist import LIST, to_list

Kind = Correction.Kind


@needs("decide")
def next_case(request: HttpRequest) -> HttpResponse:
    """Claim the first free case and open it; who comes here from the login is led to the list."""
    if request.method != "POST":
        return redirect("worklist")
    begin_again(request)
    return _next(request, reader(request))


@needs("decide")
def act(request: HttpRequest, case_id: int, name: str) -> HttpResponse:
    """Do one of the acts of the case page, and say what came of it; the login leads back to the case.

    When it is refused, the case is shown as it is now, with what the person had typed.
    """
    if name != "beat" and name not in ACTS:
        raise Http404("There is no such act.")
    if request.method != "POST":
        return redirect("case", case_id)
    account = reader(request)
    if name == "beat":
        return _beat(account, case_id)
    try:
        done = ACTS[name](account, case_id, request)
    except RefusedError as refusal:
        messages.error(request, str(refusal))
        return case.show(request, case_id, _typed(request, name))
    if name == "claim" and (unsent := _typed(request, name)):
        _tell_done(request, case_id, done, None)
        return case.show(request, case_id, unsent)
    onward = _onward(request, account, case_id, name)
    stays = onward.url.startswith(_page(case_id))
    _tell_done(request, case_id, done, None if stays else PLACES.get(name, ""))
    return onward


def _typed(request: HttpRequest, name: str) -> Kept:
    """Return what was typed, by its act: a claim carries along what an expired one left unsent."""
    of = request.POST.get(UNSENT, "") if name == "claim" else name
    return {of: request.POST} if of in ACTS else {}


def _tell_done(request: HttpRequest, case_id: int, done: str, back: str | None) -> None:
    """Tell what was done; who was led away finds the way back, for a slip or for what is left to do.

    Parameters
    ----------
    back
        The place on the page of the case to go back to, such as #tell; None on that page itself.
    """
    if back is None:
        messages.success(request, f"C{case_id}: {done}")
        return
    link = (
        '<a href="{}" data-key="u" data-label="back to C{}">Back to C{} <kbd aria-hidden="true">u</kbd></a>'
    )
    told = format_html("C{}: {} " + link, case_id, done, _page(case_id) + back, case_id, case_id)
    messages.success(request, told)


def _page(case_id: int) -> str:
    return reverse("case", args=(case_id,))


def _beat(account: Account, case_id: int) -> JsonResponse:
    """Extend the claim of a page that somebody looks at; tell its script how long it lasts, or who has it."""
    try:
        until = caseload.extend(account, case_id)
    except RefusedError as refusal:
        return JsonResponse({"mine": False, "told": str(refusal)})
    version = Case.objects.values_list("reading__version", flat=True).get(pk=case_id)
    left = int((until - timezone.now()).total_seconds())
    return JsonResponse({"mine": True, "left": left, "version": version})


def _onward(request: HttpRequest, account: Account, case_id: int, name: str) -> HttpResponseRedirect:
    """Go where the work goes on: the next case, the list, or the case again."""
    if name in LEAVES and request.POST.get("then") == "next":
        if name == "release":
            pass_by(request, case_id)
        return _following(account, case_id) or _next(request, account)
    if name in LEAVES and not (name == "confirm" and Case.objects.get(pk=case_id).is_to_tell):
        return to_list(request)
    return redirect(_page(case_id) + PLACES.get(name, ""))


def _next(request: HttpRequest, account: Account) -> HttpResponseRedirect:
    """Claim the next case of the list that the person came from, but for those just passed by."""
    query = request.session.get(LIST, "")
    try:
        within = caseload.listed(account, QueryDict(query), request.session.get(SEARCHES)) if query else None
        taken = caseload.next(account, within, left_out=passed(request))
    except RefusedError as refusal:  # the list cannot be made any more, such as a search that is over
        messages.error(request, str(refusal))
        return redirect("worklist")
    if taken is not None:
        return redirect("case", taken.pk)
    if passed(request):
        messages.info(request, "No other case is free; what you passed by comes again now.")
    else:
        what = (
            "in this list; show all cases to go on" if query else "for you: what is open is held by somebody"
        )
        messages.info(request, f"Nothing waits {what}.")
    begin_again(request)
    return to_list(request)


def _following(account: Account, case_id: int) -> HttpResponseRedirect | None:
    """Return to the case that was claimed since this one was decided: the form was sent twice."""
    decided_at = Case.objects.values_list("decided_at", flat=True).get(pk=case_id)
    if decided_at is None:
        return None
    claimed = CaseEvent.objects.filter(
        account=account, kind=CaseEvent.Kind.CLAIMED, at__gt=decided_at, case__claimed_by=account
    )
    last = claimed.order_by("-id").values_list("case", flat=True).first()
    return None if last is None else redirect("case", last)


def _claim(account: Account, case_id: int, _: HttpRequest) -> str:
    mine = Case.objects.filter(pk=case_id, claimed_by=account, claim_expires__gt=timezone.now())
    if not caseload.claim(account, case_id) and not mine.exists():
        raise RefusedError("The case is not free: somebody else was first, or it is decided already.")
    return "claimed."


def _extend(account: Account, case_id: int, _: HttpRequest) -> str:
    until = timezone.localtime(caseload.extend(account, case_id))
    return f"yours until {until:%H:%M}."


def _release(account: Account, case_id: int, _: HttpRequest) -> str:
    caseload.release(account, case_id)
    return "released."


def _return(account: Account, case_id: int, request: HttpRequest) -> str:
    caseload.give_back(account, case_id, typed.text(request, "note"))
    return "returned to the list."


def _take_over(account: Account, case_id: int, request: HttpRequest) -> str:
    caseload.take_over(account, case_id, typed.text(request, "note"))
    return "taken over; it is yours now."


def _reopen(account: Account, case_id: int, request: HttpRequest) -> str:
    caseload.reopen(account, case_id, typed.text(request, "note"))
    return "waits again."


def _confirm(account: Account, case_id: int, request: HttpRequest) -> str:
    comment, given = typed.text(request, "comment"), typed.tier(request)
    seen, read = typed.seen(request), typed.reading_seen(request)
    caseload.decide(account, case_id, seen, "confirmed", comment=comment, tier_given=given, reading_seen=read)
    to_tell = Case.objects.filter(pk=case_id, is_to_tell=True).exists()
    return "confirmed. Its result is to be told, and that written down." if to_tell else "confirmed."


def _dismiss(account: Account, case_id: int, request: HttpRequest) -> str:
    reason, comment = typed.text(request, "reason"), typed.text(request, "comment")
    seen, read = typed.seen(request), typed.reading_seen(request)
    caseload.decide(account, case_id, seen, "dismissed", reason=reason, comment=comment, reading_seen=read)
    return "dismissed."


def _correct(account: Account, case_id: int, request: HttpRequest) -> str:
    told = "The page did not say which finding you mean. Open the case again."
    span = typed.number(request, "start", told), typed.number(request, "end", told)
    kind = typed.text(request, "kind")
    caseload.correct(account, case_id, typed.seen(request), span, _said(request, kind))
    return "the correction was taken back." if kind == Kind.AS_READ else "corrected."


def _missed(account: Account, case_id: int, request: HttpRequest) -> str:
    seen = typed.seen(request)
    span = corrections.stretch(account, case_id, seen, typed.text(request, "words"), _marked(request))
    caseload.correct(account, case_id, seen, span, _said(request, Kind.MISSED))
    return "the missed finding is marked."


def _marked(request: HttpRequest) -> tuple[int, int] | int | None:
    """Return the stretch marked on the page, else which of several places is meant; None when not said."""
    told = "Mark the words again."
    if request.POST.get("start"):
        return typed.number(request, "start", told), typed.number(request, "end", told)
    which = "Say which one you mean as a number: 1 is the first in the report."
    return typed.number(request, "which", which) if request.POST.get("which") else None


def _said(request: HttpRequest, kind: str) -> Said:
    return Said(
        kind=kind,
        category=typed.text(request, "category"),
        certainty=typed.text(request, "certainty"),
        compartments=typed.texts(request, "compartments"),
        levels=[typed.text(request, "levels")],
    )


def _comment(account: Account, case_id: int, request: HttpRequest) -> str:
    caseload.comment(account, case_id, typed.text(request, "text"))
    return "your comment is written down."


def _tell(account: Account, case_id: int, request: HttpRequest) -> str:
    words = ("finding", "told_to", "told_by", "method", "note")
    times = {
        "found_at": typed.moment(request, "found_at", "found"),
        "told_at": typed.moment(request, "told_at", "told"),
    }
    caseload.tell_result(account, case_id, Telling(**{w: typed.text(request, w) for w in words}, **times))  # type: ignore[arg-type]
    return "it is written down that the result was told."


def _assign(account: Account, case_id: int, request: HttpRequest) -> str:
    other = caseload.assign(account, case_id, _colleague(request), typed.text(request, "note"))
    return f"assigned to {other.username}."


def _unassign(account: Account, case_id: int, _: HttpRequest) -> str:
    caseload.unassign(account, case_id)
    return "assigned to nobody any more."


def _hand_over(account: Account, case_id: int, request: HttpRequest) -> str:
    other = caseload.hand_over(account, case_id, _colleague(request), typed.text(request, "note"))
    return f"handed over to {other.username}."


def _colleague(request: HttpRequest) -> int:
    return typed.number(request, "to", "Choose a colleague.")


ACTS: dict[str, Callable[[Account, int, HttpRequest], str]] = {
    "claim": _claim,
    "extend": _extend,
    "release": _release,
    "return": _return,
    "take-over": _take_over,
    "reopen": _reopen,
    "confirm": _confirm,
    "dismiss": _dismiss,
    "correct": _correct,
    "missed": _missed,
    "comment": _comment,
    "tell": _tell,
    "assign": _assign,
    "unassign": _unassign,
    "hand-over": _hand_over,
}
# After these the next case or the list is of more use than the case.
LEAVES = {"release", "return", "confirm", "dismiss", "hand-over"}
PLACES = {"confirm": "#tell", "tell": "#happened-title", "correct": "#found-title", "missed": "#report-title"}
