"""Alerts by mail, over the hospital's server."""

from __future__ import annotations

from uuid import uuid4

from django.conf import settings
from django.core.mail import EmailMessage
from django.core.mail.backends.smtp import EmailBackend

from review.alerts.message import Message

SECONDS = 10  # for each answer of the server


class Mail:
    """Tells people by mail: `[email]` of `config/alerts.toml`."""

    def send(self, message: Message) -> None:
        """Send one mail to all."""
        chosen = settings.ALERTS.email
        server = EmailBackend(
            host=chosen.host,
            port=chosen.port,
            username=chosen.user,
            password=chosen.password,
            use_tls=chosen.tls == "starttls",
            use_ssl=chosen.tls == "tls",
            timeout=SECONDS,
        )
        headers = {
            "Message-ID": f"<{uuid4()}@{chosen.sender.rpartition('@')[2]}>",
            "Auto-Submitted": "auto-generated",  # so that no absence assistant answers
        }
        mail = EmailMessage(
            subject=" ".join(message.subject.split()),
            body=message.text,
            from_email=chosen.sender,
            to=chosen.to,
            headers=headers,
            connection=server,
        )
        try:
            mail.send()
        finally:
            server.close()  # a greeting that fails half-way leaves it open
