"""Coming in, going out, the first password, and whether we are alive."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.forms import PasswordChangeForm
from django.contrib.auth.views import PasswordChangeView
from django.db import connection, transaction
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import reverse_lazy
from django.views.decorators.http import require_GET

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


@login_not_required
@require_GET
def health(request: HttpRequest) -> JsonResponse:
    """Say that the process answers and reaches its database; nothing else."""
    connection.ensure_connection()
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return JsonResponse({"ok": True})
