"""What was erased, and what must not be."""

from __future__ import annotations

from django.conf import settings
from django.db import models


class Erasure(models.Model):
    """One act by which words of patients left the ledger: of a person, or of the retention's time."""

    at = models.DateTimeField()
    # None when a time of `[retention_days]` was over.
    account = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    reason = models.TextField(blank=True)


class ErasedRow(models.Model):
    """A row that lost its words, with the digest that it had before: so the audit can still be verified."""

    erasure = models.ForeignKey(Erasure, models.PROTECT, related_name="rows")
    table = models.CharField(max_length=20)  # as review.digests names it
    row = models.BigIntegerField()
    digest = models.CharField(max_length=64)

    class Meta:
        constraints = (models.UniqueConstraint(fields=["table", "row"], name="erased_once"),)


class LegalHold(models.Model):
    """While it stands, nothing of this patient, or of this one report, is erased."""

    patient_id = models.CharField(max_length=256, blank=True)
    patient_issuer = models.CharField(max_length=256, blank=True)
    # The one report that it is on, where that names no patient, or not the whole patient is meant.
    report = models.ForeignKey("review.Report", models.PROTECT, null=True, related_name="holds")
    reason = models.TextField()
    placed_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    placed_at = models.DateTimeField()
    lifted_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    lifted_at = models.DateTimeField(null=True)
