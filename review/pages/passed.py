"""The cases that somebody passed by: let go to take the next one, they do not come again at once."""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.http import HttpRequest
from django.utils import timezone

PASSED = "passed"  # in the session: when each case was passed by, as a timestamp
MOST = 100


def passed(request: HttpRequest) -> list[int]:
    """Return the cases passed by in this session; after the time of a claim they come again."""
    oldest = (timezone.now() - timedelta(minutes=settings.SITE.claim_minutes)).timestamp()
    return [int(case) for case, at in request.session.get(PASSED, {}).items() if at > oldest]


def pass_by(request: HttpRequest, case_id: int) -> None:
    """Remember that a case was passed by."""
    before = {case: at for case, at in request.session.get(PASSED, {}).items() if case != str(case_id)}
    now = timezone.now().timestamp()
    request.session[PASSED] = dict([*before.items(), (str(case_id), now)][-MOST:])


def begin_again(request: HttpRequest) -> None:
    """Forget what was passed by: the list is worked from its top again."""
    request.session.pop(PASSED, None)
