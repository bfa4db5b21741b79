"""Coming in, going out, and the first password."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.forms import PasswordChangeForm
from django.contrib.auth.views import PasswordChangeView
from django.db import transaction
from django.http import HttpResponse
from django.urls import reverse_lazy

from review import audit
from review.pages.rights import reader


class Password(PasswordChangeView):
    """Change the password; an account with its first one comes nowhere else before."""

    template_name = "pages/password.html"
    success_url = reverse_lazy("home")

    def form_valid(self, form: PasswordChangeForm) -> HttpResponse:
        account = reader(self.request)
        with transaction.atomic():
            response = super().form_valid(form)
            account.must_change_password = False
            account.save(update_fields=["must_change_password"])
            audit.record(audit.Action.PASSWORD_CHANGED, actor=account.actor, subject=account.actor)
        messages.success(self.request, "Your password is changed.")
        return response
