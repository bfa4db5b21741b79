"""Reports, their versions and what the reader made of them."""

from __future__ import annotations

import json
from functools import cached_property
from typing import Any

from django.db import models


class Report(models.Model):
    """One report over all its versions."""

    key = models.CharField(max_length=500, unique=True)
    source = models.TextField()
    first_arrival = models.DateTimeField()


class ReportVersion(models.Model):
    """One text of a report as it arrived; the current one is what people see."""

    report = models.ForeignKey(Report, models.PROTECT, related_name="versions")
    number = models.PositiveIntegerField()  # in order of arrival, from 1
    is_current = models.BooleanField()
    status = models.CharField(max_length=12)
    arrived_at = models.DateTimeField()
    result_time = models.DateTimeField(null=True)
    text = models.TextField()  # what was read: an addendum together with its parent
    text_digest = models.CharField(max_length=64)  # SHA-256 of the text as it arrived
    accession = models.CharField(max_length=256, blank=True, db_index=True)
    accession_issuer = models.CharField(max_length=256, blank=True)
    patient_id = models.CharField(max_length=256, blank=True, db_index=True)
    patient_issuer = models.CharField(max_length=256, blank=True)
    birth_date = models.CharField(max_length=10, blank=True)
    sex = models.CharField(max_length=8, blank=True)
    modality = models.CharField(max_length=16, blank=True)
    description = models.CharField(max_length=256, blank=True)
    study = models.ForeignKey("review.Study", models.PROTECT, null=True, related_name="versions")
    context = models.JSONField(default=dict)  # the whole context given to the reader
    warnings = models.JSONField(default=list)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["report", "number"], name="version_number_once"),
            models.UniqueConstraint(
                fields=["report"], condition=models.Q(is_current=True), name="version_one_current"
            ),
        )


class Reading(models.Model):
    """What the reader found in one version: stored whole, shown and never computed again."""

    version = models.ForeignKey(ReportVersion, models.PROTECT, related_name="readings")
    # The shard of a reread that made it; none where the shard that took the version in did.
    shard = models.ForeignKey("review.Shard", models.PROTECT, null=True, related_name="readings")
    at = models.DateTimeField()
    rules_version = models.CharField(max_length=80)
    tier = models.CharField(max_length=8)  # stat, urgent, soon, routine
    score = models.IntegerField()
    unreadable = models.CharField(max_length=12, blank=True)
    decided_by = models.CharField(max_length=80, blank=True)  # the rule that set the tier
    data = models.TextField()  # the reader's object as canonical JSON, byte for byte
    digest = models.CharField(max_length=64)  # of text, context and data: see review.digests

    @cached_property
    def content(self) -> dict[str, Any]:
        """The reader's object, as design and manual describe it."""
        return dict(json.loads(self.data))
