"""The pages of the second factor: turning it on and off, recovery codes, and the question at the login.

allauth does the work; what it needs that is not here (mail, sign-up, other kinds of factor) is closed.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from allauth.account.views import reauthenticate
from allauth.mfa.adapter import get_adapter
from allauth.mfa.base.views import authenticate
from allauth.mfa.base.views import index as allauth_index
from allauth.mfa.recovery_codes.views import generate_recovery_codes, view_recovery_codes
from allauth.mfa.totp.internal.auth import SECRET_SESSION_KEY
from allauth.mfa.totp.views import activate_totp, deactivate_totp
from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.http import require_GET

from review.models import Account
from review.pages.rights import reader

Page = Callable[..., HttpResponse]


def for_local(page: Page) -> Page:
    """Open a page for accounts with a password of ours; the others have their second factor elsewhere."""

    @wraps(page)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        account = reader(request)
        if account.origin != Account.Origin.LOCAL:
            raise PermissionDenied(
                f"You come in through {account.get_origin_display()}: your second factor is set up there."
            )
        return page(request, *args, **kwargs)

    return guarded


ask = login_not_required(authenticate)
again = for_local(reauthenticate)
index = for_local(require_GET(allauth_index))
turn_on = for_local(activate_totp)
turn_off = for_local(deactivate_totp)
codes = for_local(require_GET(view_recovery_codes))
new_codes = for_local(generate_recovery_codes)


@require_GET
@for_local
def picture(request: HttpRequest) -> HttpResponse:
    """Draw the secret that is being set up, for the telephone's camera; no address holds it."""
    secret = request.session.get(SECRET_SESSION_KEY)
    if not secret:
        raise Http404("No second factor is being set up.")
    adapter = get_adapter()
    drawing = adapter.build_totp_svg(adapter.build_totp_url(reader(request), secret))
    return HttpResponse(drawing, content_type="image/svg+xml")
