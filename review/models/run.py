"""What was taken in, by which run, and what became of it."""

from __future__ import annotations

from django.db import models


class Run(models.Model):
    """One batch: one process that takes whatever is unprocessed."""

    class State(models.TextChoices):
        RUNNING = "running"
        COMPLETED = "completed"
        FAILED = "failed"
        CRASHED = "crashed"

    state = models.CharField(max_length=10, choices=State, default=State.RUNNING)
    trigger = models.CharField(max_length=20)  # command, schedule …
    scope = models.TextField(blank=True)  # a source's name or a folder; "" = every configured source
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    heartbeat_at = models.DateTimeField()
    rules_version = models.CharField(max_length=80)
    code_version = models.CharField(max_length=80)
    prefect_flow_run = models.CharField(max_length=36, blank=True)
    # Known, unchanged items: each is a duplicate, counted here instead of in a row.
    unchanged = models.BigIntegerField(default=0)
    host = models.CharField(max_length=255)
    pid = models.BigIntegerField()
    process_start = models.CharField(max_length=80, blank=True)  # tells a reused process id; "" = unknown
    error = models.CharField(max_length=500, blank=True)  # a type name and ids only


class Shard(models.Model):
    """Some hundred reports that are read and stored together, all or none."""

    class State(models.TextChoices):
        WAITING = "waiting"
        DONE = "done"
        FAILED = "failed"

    run = models.ForeignKey(Run, models.PROTECT, related_name="shards")
    number = models.PositiveIntegerField()  # within the run, from 1
    kind = models.CharField(max_length=10)  # reports or studies
    state = models.CharField(max_length=10, choices=State, default=State.WAITING)
    attempts = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    error = models.CharField(max_length=500, blank=True)  # a type name and ids only
    counts = models.JSONField(default=dict)  # inputs by outcome, queued ones by tier too


class Portion(models.Model):
    """A piece of a source, taken by one shard once and for all."""

    shard = models.ForeignKey(Shard, models.PROTECT, related_name="portions")
    source = models.TextField()
    path = models.TextField(db_index=True)
    fingerprint = models.CharField(max_length=128)
    offset = models.BigIntegerField(default=0)
    first = models.BigIntegerField(default=0)
    items = models.BigIntegerField(default=1)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["source", "path", "fingerprint", "offset"], name="portion_once"),
        )


class Outcome(models.TextChoices):
    """What can become of an input; each has exactly one."""

    QUEUED = "queued"
    ROUTINE = "routine"
    UNREADABLE_TEXT = "unreadable_text"
    DUPLICATE = "duplicate"
    SUPERSEDED = "superseded"
    REJECTED = "rejected"


class Input(models.Model):
    """One report item as it came, and its outcome. A later attempt on the same item is a new row."""

    shard = models.ForeignKey(Shard, models.PROTECT, related_name="inputs")
    portion = models.ForeignKey(Portion, models.PROTECT, related_name="inputs")
    item = models.BigIntegerField()  # number of the item in its file, from 0
    attempt = models.PositiveSmallIntegerField(default=1)
    outcome = models.CharField(max_length=15, choices=Outcome)
    reason = models.CharField(max_length=60, blank=True)
    detail = models.CharField(max_length=500, blank=True)
    raw = models.BinaryField(null=True)  # the bytes of a rejected input, compressed, for another attempt
    # The version made; for a duplicate the version that holds the same text.
    version = models.ForeignKey("review.ReportVersion", models.PROTECT, null=True, related_name="inputs")

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["portion", "item", "attempt"], name="input_once_per_attempt"),
        )
        indexes = (models.Index(fields=["outcome", "-id"], name="input_outcome"),)
