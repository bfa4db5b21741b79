"""The way to the hospital's login and back."""

from __future__ import annotations

from allauth.core.exceptions import ImmediateHttpResponse
from allauth.socialaccount.adapter import get_adapter
from allauth.socialaccount.providers.base import ProviderException
from allauth.socialaccount.providers.oauth2.views import OAuth2CallbackView
from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_GET
from requests import RequestException

from review import provider

# What a provider that is out of order, or is none, leads to.
FAULTS = (RequestException, ProviderException, ValueError, KeyError, TypeError, AttributeError)


@login_not_required
@require_GET
def start(request: HttpRequest) -> HttpResponse:
    """Send the person to the provider.

    By GET, as browsers hold a form's answer to our own addresses (`form-action`); the answer of the provider
    is good only for the session that asked.
    """
    _must_be_on()
    then = request.GET.get("next", "")
    if not url_has_allowed_host_and_scheme(then, {request.get_host()}, require_https=request.is_secure()):
        then = ""
    try:
        return provider.begin(request, then)
    except FAULTS:
        return _failed(request)


@login_not_required
@require_GET
def back(request: HttpRequest) -> HttpResponse:
    """Take the person back from the provider."""
    _must_be_on()
    try:
        talk = provider.Conversation(request, settings.LOGINS.oidc.issuer)
        response: HttpResponse = OAuth2CallbackView.adapter_view(talk)(request)
    except FAULTS:
        return _failed(request)
    return response


def _must_be_on() -> None:
    if not settings.LOGINS.oidc.enabled:
        raise Http404("There is no login at a provider here.")


def _failed(request: HttpRequest) -> HttpResponse:
    try:
        get_adapter().on_authentication_error(request, None)
    except ImmediateHttpResponse as refused:
        response: HttpResponse = refused.response
        return response
    raise AssertionError("a refusal is always raised")
