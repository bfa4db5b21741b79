"""Who came and went, for the audit."""

from __future__ import annotations

import logging
import time
from typing import Any

from allauth.core import context
from allauth.mfa.models import Authenticator
from axes.signals import user_locked_out
from django.contrib.auth.signals import user_logged_in, user_logged_out, user_login_failed
from django.db.models.signals import post_delete, post_save
from django.dispatch import receiver
from django.http import HttpRequest

from review import audit, second_factor
from review.models import Account

log = logging.getLogger("spinetriage.logins")


@receiver(user_logged_in)
def _logged_in(user: Account, request: HttpRequest, **_: Any) -> None:
    request.session["entered"] = request.session["seen"] = int(time.time())
    audit.record(audit.Action.LOGGED_IN, actor=user.actor, subject=user.actor)
    log.info("%s logged in", user.actor)


@receiver(user_logged_out)
def _logged_out(user: Account | None, **_: Any) -> None:
    if user is not None:
        audit.record(audit.Action.LOGGED_OUT, actor=user.actor, subject=user.actor)


@receiver(user_login_failed)
def _login_failed(credentials: dict[str, Any], request: HttpRequest | None = None, **_: Any) -> None:
    if _was_locked(request):
        return  # no password was tried
    subject = _named(credentials)
    audit.record(audit.Action.LOGIN_FAILED, actor=audit.SYSTEM, subject=subject)
    log.warning("a login failed: %s", subject)


@receiver(user_locked_out)
def _locked_out(request: HttpRequest, **_: Any) -> None:
    if not _was_locked(request):
        subject = _named(request.axes_credentials)  # type: ignore[attr-defined]
        audit.record(audit.Action.LOGIN_LOCKED, actor=audit.SYSTEM, subject=subject)
        log.warning("no password is tried for a while: %s", subject)


@receiver(post_save, sender=Authenticator)
def _second_factor_set(instance: Authenticator, created: bool, **_: Any) -> None:
    if created:
        _second_factor_changed(instance, on=True)


@receiver(post_delete, sender=Authenticator)
def _second_factor_removed(instance: Authenticator, **_: Any) -> None:
    _second_factor_changed(instance, on=False)


def _second_factor_changed(instance: Authenticator, *, on: bool) -> None:
    """Record what people do to their own; what administrators do is recorded where they do it."""
    request = context.request
    account = getattr(request, "user", None)
    if isinstance(account, Account) and account.pk == instance.user_id:
        request.session.pop(second_factor.DONE, None)
        audit.record(
            audit.Action.SECOND_FACTOR_CHANGED,
            actor=account.actor,
            subject=account.actor,
            on=on,
            what=str(instance.type),
        )


def _was_locked(request: HttpRequest | None) -> bool:
    """Whether the login was locked before this attempt: then axes has not counted it."""
    return getattr(request, "axes_locked_out", False) and request.axes_failures_since_start is None  # type: ignore[union-attr]


def _named(credentials: dict[str, Any] | None) -> str:
    """Return the account that was meant; what was typed is not kept: people type passwords there."""
    name = str((credentials or {}).get("username", "")).replace("\0", "")
    known = Account.objects.filter(username=name).first()
    return known.actor if known else "account:unknown"
