"""What somebody must be told of, beside the worklist."""

from __future__ import annotations

from django.db import models


class Alert(models.Model):
    """One cause, from when it was found until it is gone; numbers and ids only, nothing of a patient."""

    class Cause(models.TextChoices):
        RUN_FAILED = "run_failed", "a run failed or died"
        NO_RUN = "no_run", "no run was completed for too long"
        OVERDUE = "overdue", "stat cases are overdue"
        REJECTED = "rejected", "rejected inputs grow"
        DRIFT = "drift", "what the machine finds has changed"
        RULES = "rules", "rules are in use that nobody let go live"

    cause = models.CharField(max_length=12, choices=Cause)
    about = models.CharField(max_length=80, blank=True)  # which one, where a cause may have several
    opened_at = models.DateTimeField()
    seen_at = models.DateTimeField()  # when it was last found
    told_at = models.DateTimeField(null=True)  # when somebody was last told
    closed_at = models.DateTimeField(null=True)
    numbers = models.JSONField(default=dict)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["cause", "about"], condition=models.Q(closed_at=None), name="alert_one_open"
            ),
        )
