"""The Django application."""

from django.apps import AppConfig


class ReviewConfig(AppConfig):
    """Cases, ledger, audit and pages."""

    name = "review"

    def ready(self) -> None:
        from review import signals  # noqa: F401, PLC0415 - connects its receivers once the models are there
