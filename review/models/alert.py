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
        AUDIT = "audit", "the audit chain does not fit its key"

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


class Notice(models.Model):
    """What one notifier has to tell of an alert; it stays due until that has worked."""

    class Kind(models.TextChoices):
        OPENED = "opened", "new"
        STILL = "still", "still open"
        OVER = "over", "over"

    alert = models.ForeignKey(Alert, models.PROTECT, related_name="notices")
    notifier = models.CharField(max_length=120)
    kind = models.CharField(max_length=6, choices=Kind)
    due_at = models.DateTimeField()
    told_at = models.DateTimeField(null=True)
    tries = models.PositiveIntegerField(default=0)  # rounds in which it did not work
    error = models.CharField(max_length=200, blank=True)  # of the last of them: a type name or a status
    # Which process is telling it just now, and until when no other may.
    holder = models.CharField(max_length=32, blank=True)
    held_until = models.DateTimeField(null=True)

    class Meta:
        indexes = (
            models.Index(fields=["notifier", "id"], condition=models.Q(told_at=None), name="notice_due"),
        )
