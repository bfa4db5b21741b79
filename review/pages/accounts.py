"""The pages on which administrators look after the accounts."""

from __future__ import annotations

from collections.abc import Callable

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET

from review import accounts as making
from review import administration
from review.access import AccessError
from review.models import Account, Role
from review.pages.piece import Piece
from review.pages.rights import needs, reader


@require_GET
@needs("accounts")
def accounts(request: HttpRequest) -> HttpResponse:
    """List the accounts by name."""
    everybody = Account.objects.order_by("username")
    page = Piece(request, everybody.count())
    rows = administration.listing(everybody[page.start : page.stop])
    context = {"rows": rows, "roles": Role.values, "page": page}
    return render(request, "account/accounts.html", context)


@needs("accounts")
def add(request: HttpRequest) -> HttpResponse:
    """Make an account, and show its first password once."""
    if request.method != "POST":
        return redirect("accounts")
    name, role = request.POST.get("name", ""), request.POST.get("role", "")
    try:
        password = making.add_user(name, role, by=reader(request))
    except AccessError as refusal:
        messages.error(request, str(refusal))
        return redirect("accounts")
    return _first_password(request, Account.objects.get(username=name), password)


@require_GET
@needs("accounts")
def account(request: HttpRequest, account_id: int) -> HttpResponse:
    """Show one account and what can be done with it."""
    of = get_object_or_404(Account, pk=account_id)
    context = {
        "of": of,
        "row": administration.listing([of])[0],
        "roles": Role.values,
        "is_self": of.pk == reader(request).pk,
        "is_local": of.origin == Account.Origin.LOCAL,
    }
    return render(request, "account/account.html", context)


@needs("accounts")
def act(request: HttpRequest, account_id: int, name: str) -> HttpResponse:
    """Do one of the acts of the page of an account, and say what came of it."""
    if name not in ACTS:
        raise Http404("There is no such act.")
    of = get_object_or_404(Account, pk=account_id)
    if request.method != "POST":
        return redirect("account", of.pk)
    try:
        done = ACTS[name](request, of)
    except AccessError as refusal:
        messages.error(request, str(refusal))
    else:
        if isinstance(done, HttpResponse):
            return done
        messages.success(request, f"{of.username}: {done}")
    return redirect("account", of.pk)


def _roles(request: HttpRequest, of: Account) -> str:
    administration.set_roles(of, request.POST.getlist("role"), by=reader(request))
    return "roles changed."


def _sources(request: HttpRequest, of: Account) -> str:
    said = request.POST.get("sources", "").replace("\0", "").split(",")
    administration.set_sources(of, sorted({name.strip() for name in said} - {""}), by=reader(request))
    return "sources changed."


def _close(request: HttpRequest, of: Account) -> str:
    administration.close(of, by=_other(request, of))
    return "closed. The sessions have ended, and the claimed cases are free."


def _open(request: HttpRequest, of: Account) -> str:
    administration.reopen(of, by=reader(request))
    return "open again."


def _unlock(request: HttpRequest, of: Account) -> str:
    administration.unlock(of, by=reader(request))
    return "unlocked."


def _second_factor(request: HttpRequest, of: Account) -> str:
    administration.reset_second_factor(of, by=_other(request, of))
    return "the second factor is gone; the next login asks for the password alone."


def _password(request: HttpRequest, of: Account) -> HttpResponse:
    return _first_password(request, of, administration.reset_password(of, by=_other(request, of)))


# Each says what was done, or answers with a page of its own.
ACTS: dict[str, Callable[[HttpRequest, Account], str | HttpResponse]] = {
    "roles": _roles,
    "sources": _sources,
    "close": _close,
    "open": _open,
    "password": _password,
    "unlock": _unlock,
    "second-factor": _second_factor,
}


def _other(request: HttpRequest, of: Account) -> Account:
    """Return the administrator at the page, who cannot do this to the own account."""
    by = reader(request)
    if by.pk == of.pk:
        raise AccessError("This is your own account: ask another administrator, or use your own pages.")
    return by


def _first_password(request: HttpRequest, of: Account, password: str) -> HttpResponse:
    return render(request, "account/first_password.html", {"of": of, "password": password})
