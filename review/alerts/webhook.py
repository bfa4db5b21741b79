"""Alerts as JSON by POST, to any program."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
import urllib.error
import urllib.request
from typing import Any

from django.conf import settings

from review.alerts.message import Message, NotifierError

SECONDS = 10
SIGNATURE = "X-Spinetriage-Signature"


class Webhook:
    """Tells a program: `[webhook]` of `config/alerts.toml`."""

    def send(self, message: Message) -> None:
        """Post the message once; any status but 2xx means that it was not taken."""
        chosen = settings.ALERTS.webhook
        body = json.dumps(message.data | {"subject": message.subject, "text": message.text}).encode()
        headers = {"Content-Type": "application/json", "User-Agent": "spinetriage"}
        if chosen.token:
            headers["Authorization"] = f"Bearer {chosen.token}"
        if chosen.secret:
            headers[SIGNATURE] = signature(chosen.secret, int(time.time()), body)
        request = urllib.request.Request(chosen.url, data=body, headers=headers, method="POST")  # noqa: S310
        try:
            with _opener.open(request, timeout=SECONDS) as answer:
                status = answer.status
        except urllib.error.HTTPError as error:
            status = error.code
            error.close()
        if not 200 <= status < 300:
            raise NotifierError(f"it answered with status {status}")


def signature(secret: str, at: int, body: bytes) -> str:
    """Return what proves that we sent this body at this time: HMAC-SHA256 over `TIME.BODY`."""
    mac = hmac.new(secret.encode(), f"{at}.".encode() + body, hashlib.sha256)
    return f"t={at},sha256={mac.hexdigest()}"


class _Straight(urllib.request.HTTPRedirectHandler):
    """Follows no redirect: it would carry the token, and the message, to an address that nobody chose."""

    def redirect_request(self, *_: Any) -> None:
        return None


_opener = urllib.request.build_opener(_Straight)
