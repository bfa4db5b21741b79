"""Who came and went, for the audit."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.signals import user_logged_in, user_logged_out, user_login_failed
from django.dispatch import receiver

from review import audit
from review.models import Account


@receiver(user_logged_in)
def _logged_in(user: Account, **_: Any) -> None:
    audit.record(audit.Action.LOGGED_IN, actor=user.actor, subject=user.actor)


@receiver(user_logged_out)
def _logged_out(user: Account | None, **_: Any) -> None:
    if user is not None:
        audit.record(audit.Action.LOGGED_OUT, actor=user.actor, subject=user.actor)


@receiver(user_login_failed)
def _login_failed(credentials: dict[str, Any], **_: Any) -> None:
    # What was typed is not kept: people type passwords into the field of the name.
    known = Account.objects.filter(username=credentials.get("username", "")).first()
    subject = known.actor if known else "account:unknown"
    audit.record(audit.Action.LOGIN_FAILED, actor=audit.SYSTEM, subject=subject)
