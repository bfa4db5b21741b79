"""The first page of everybody."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET

from review.pages.frame import frame


@require_GET
def home(request: HttpRequest) -> HttpResponse:
    """Lead everybody to the first page that they may open."""
    menu = frame(request)["menu"]
    return redirect(menu[0][0]) if menu else render(request, "pages/nothing.html")
