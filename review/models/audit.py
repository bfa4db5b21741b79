"""Who did what, in one chain."""

from __future__ import annotations

from django.db import models


class AuditRow(models.Model):
    """One act. Ids and digests only, never a name or a text; never changed or deleted."""

    number = models.BigIntegerField(primary_key=True)  # 1, 2, 3 … without a gap
    at = models.DateTimeField()
    actor = models.CharField(max_length=40)  # account:ID, or system
    origin = models.CharField(max_length=60, blank=True)  # from where: see review.audit; "" in old rows
    action = models.CharField(max_length=40)  # of review.audit.Action
    subject = models.CharField(max_length=40)  # case:ID, run:ID, shard:ID, account:ID, report:ID
    detail = models.JSONField(default=dict)
    mac = models.CharField(max_length=64)  # HMAC-SHA256 over the row before and this one

    class Meta:
        indexes = (
            models.Index(fields=["subject", "number"], name="audit_subject"),
            # With the time between: a person's or an act's rows of some days are found without the others.
            models.Index(fields=["actor", "at", "number"], name="audit_actor_at"),
            models.Index(fields=["action", "at", "number"], name="audit_action_at"),
            models.Index(fields=["at", "number"], name="audit_at"),
        )


class AuditHead(models.Model):
    """The end of the chain: one row, locked by each transaction that adds to it."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    number = models.BigIntegerField(default=0)
    mac = models.CharField(max_length=64, default="")
