"""Coming in, going out, and the password."""

from __future__ import annotations

from typing import Any

from allauth.account.utils import perform_login
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.forms import AuthenticationForm, PasswordChangeForm
from django.contrib.auth.views import LoginView, PasswordChangeView
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.urls import reverse_lazy

from review import audit
from review.models import Account
from review.pages.rights import reader


class LoginForm(AuthenticationForm):
    """Name and password; one answer to all that is wrong with them."""

    error_messages = dict.fromkeys(
        ("invalid_login", "inactive"), "This name with this password opens no account. Mind capital letters."
    )

    def get_invalid_login_error(self) -> ValidationError:
        """Say what the hospital's directory said, if it has more to say than no."""
        refusal = getattr(self.request, "refusal", "")
        return ValidationError(refusal) if refusal else super().get_invalid_login_error()


class Login(LoginView):
    """Ask for name and password, then for the code of who has a second factor."""

    template_name = "account/login.html"
    authentication_form = LoginForm
    redirect_authenticated_user = True
    extra_context = {"oidc": settings.LOGINS.oidc}  # noqa: RUF012 - Django's shape

    def form_valid(self, form: AuthenticationForm) -> HttpResponse:
        """Let allauth go on: it asks for the second factor, then logs in."""
        response: HttpResponse = perform_login(
            self.request, form.get_user(), email_verification="none", redirect_url=self.get_success_url()
        )
        return response


class Password(PasswordChangeView):
    """Change the password; an account with its first one comes nowhere else before."""

    template_name = "account/password.html"
    success_url = reverse_lazy("home")

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        account = reader(request)
        if account.origin != Account.Origin.LOCAL:
            raise PermissionDenied(
                f"Your password is kept by {account.get_origin_display()}: change it there."
            )
        return super().dispatch(request, *args, **kwargs)

    def form_valid(self, form: PasswordChangeForm) -> HttpResponse:
        account = reader(self.request)
        with transaction.atomic():
            response = super().form_valid(form)
            account.must_change_password = False
            account.save(update_fields=["must_change_password"])
            audit.record(audit.Action.PASSWORD_CHANGED, actor=account.actor, subject=account.actor)
        messages.success(self.request, "Your password is changed. Your other sessions have ended.")
        return response
