"""The hospital's OpenID Connect provider, as `config/logins.toml` names it; allauth speaks its language.

Beyond what allauth checks (state, proof of the code's receiver, issuer, audience and time of the identity
token) the token must carry the nonce of this browser's session, and what the provider says of the person must
be about the subject of the token.
"""

from __future__ import annotations

import secrets
from typing import Any

from allauth.socialaccount.models import SocialApp, SocialLogin
from allauth.socialaccount.providers.base import AuthProcess, ProviderException
from allauth.socialaccount.providers.openid_connect.provider import OpenIDConnectProvider
from allauth.socialaccount.providers.openid_connect.views import OpenIDConnectOAuth2Adapter
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.urls import reverse


class Provider(OpenIDConnectProvider):  # type: ignore[misc]
    """Who answers for the person; of what it tells, subject, preferred name and one claim are used."""

    pkce_enabled_default = True

    def get_oauth2_adapter(self, request: HttpRequest) -> Conversation:
        """Return our side of the talk."""
        return Conversation(request, self.app.provider_id)

    def extract_email_addresses(self, data: object) -> list[Any]:
        """Take no address: none is kept, and none tells who somebody is."""
        return []

    def extract_extra_data(self, data: dict[str, Any]) -> dict[str, Any]:
        """Keep nothing of what the provider tells of the person."""
        return {}


class Conversation(OpenIDConnectOAuth2Adapter):  # type: ignore[misc]
    """Our side of the talk with the provider during one login."""

    def get_provider(self) -> Provider:
        """Return the one provider there is."""
        return provider(self.request)

    @property
    def openid_config(self) -> dict[str, Any]:
        """What the provider says of itself, which must be what the configuration says."""
        config: dict[str, Any] = super().openid_config
        if str(config["issuer"]).rstrip("/") != settings.LOGINS.oidc.issuer.rstrip("/"):
            raise ProviderException("the provider calls itself otherwise than oidc.issuer does")
        return config

    def get_callback_url(self, request: HttpRequest, app: SocialApp) -> str:
        """Return where the provider sends the person back to."""
        return request.build_absolute_uri(reverse("oidc_back"))

    def complete_login(self, request: HttpRequest, app: SocialApp, token: Any, **kwargs: Any) -> SocialLogin:
        """Return the login with what was said of the person in `claims`, for this request only."""
        kwargs["response"].setdefault("id_token", "")
        told: dict[str, Any] = {}
        told["id_token"] = self._decode_id_token(app, kwargs["response"]["id_token"])
        told["userinfo"] = self._fetch_user_info(token.token)
        if told["userinfo"].get("sub") != told["id_token"].get("sub"):
            raise ProviderException("the provider speaks of two people")
        login = self.get_provider().sociallogin_from_response(request, told)
        login.claims = told
        return login


def provider(request: HttpRequest) -> Provider:
    """Return the provider of the configuration.

    Accounts are kept under its issuer: another provider's subjects are other people.
    """
    oidc = settings.LOGINS.oidc
    app = SocialApp(
        provider=Provider.id,
        provider_id=oidc.issuer,
        name=oidc.name,
        client_id=oidc.client_id,
        secret=settings.OIDC_SECRET,
        settings={"server_url": oidc.issuer, "scope": oidc.scope.split()},
    )
    return Provider(request, app=app)


def begin(request: HttpRequest, then: str) -> HttpResponse:
    """Send the person to the provider; `then` is where to go in the end."""
    nonce = secrets.token_urlsafe(24)
    response: HttpResponse = provider(request).redirect(
        request, AuthProcess.LOGIN, next_url=then, nonce=nonce, auth_params={"nonce": nonce}
    )
    return response
