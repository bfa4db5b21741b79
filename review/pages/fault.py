"""What a person sees when a page fails: whether to wait for the machine, or to tell somebody."""

from __future__ import annotations

import sys

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.template.loader import get_template
from django.views.defaults import server_error

from review.outage import outage

RETRY_SECONDS = 30


def fault(request: HttpRequest) -> HttpResponseBase:
    """Answer 503 with what is away when the machine failed, else 500; needs neither database nor session."""
    cause = outage(sys.exc_info()[1])
    if not cause:
        return server_error(request)
    text = get_template("503.html").render({"cause": cause})
    return HttpResponse(text, status=503, headers={"Retry-After": str(RETRY_SECONDS)})
