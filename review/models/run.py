"""What was taken in, by which run, and what became of it."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Exists, F, OuterRef, Q


class Run(models.Model):
    """One batch: one process that takes whatever is unprocessed."""

    class Kind(models.TextChoices):
        TRIAGE = "triage"
        REREAD = "reread"  # reports of before, read again with other rules
        RETRY = "retry"  # rejected inputs that a person wants tried again, and nothing else

    class State(models.TextChoices):
        RUNNING = "running"
        COMPLETED = "completed"
        FAILED = "failed"
        CRASHED = "crashed"

    kind = models.CharField(max_length=10, choices=Kind, default=Kind.TRIAGE)
    state = models.CharField(max_length=10, choices=State, default=State.RUNNING)
    trigger = models.CharField(max_length=20)  # command, schedule …
    account = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    reason = models.TextField(blank=True)  # why a person started it; a reread needs one
    scope = models.TextField(blank=True)  # a source's name or a folder; "" = every configured source
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    heartbeat_at = models.DateTimeField()
    # The same in seconds since its host was started: no clock that anybody sets. Null in old rows.
    heartbeat_uptime = models.FloatField(null=True)
    rules_version = models.CharField(max_length=80)
    code_version = models.CharField(max_length=80)
    prefect_flow_run = models.CharField(max_length=36, blank=True)
    # Known, unchanged items: each is a duplicate, counted here instead of in a row.
    unchanged = models.BigIntegerField(default=0)
    host = models.CharField(max_length=255)
    pid = models.BigIntegerField()
    process_start = models.CharField(max_length=80, blank=True)  # tells a reused process id; "" = unknown
    error = models.CharField(max_length=500, blank=True)  # a type name and ids only

    class Meta:
        indexes = (models.Index(fields=["started_at"], name="run_started"),)


class Shard(models.Model):
    """Some hundred reports that are read and stored together, all or none."""

    class State(models.TextChoices):
        WAITING = "waiting"
        DONE = "done"
        FAILED = "failed"

    run = models.ForeignKey(Run, models.PROTECT, related_name="shards")
    number = models.PositiveIntegerField()  # within the run, from 1
    kind = models.CharField(max_length=10)  # reports, studies, or readings of a reread
    source = models.TextField()  # of all its portions; "" for an old shard of several
    # The request whose rejected inputs it takes again; none where it takes what lies in the sources.
    request = models.ForeignKey("review.Request", models.PROTECT, null=True, related_name="shards")
    state = models.CharField(max_length=10, choices=State, default=State.WAITING)
    attempts = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    error = models.CharField(max_length=500, blank=True)  # a type name and ids only
    counts = models.JSONField(default=dict)  # inputs by outcome, queued ones by tier too
    terms = models.JSONField(default=dict)  # reports read, and how many of them affirm each concept
    versions = models.JSONField(default=list)  # ids of the versions that a reread reads again

    class Meta:
        indexes = (models.Index(fields=["ended_at"], name="shard_ended"),)


class Portion(models.Model):
    """A piece of a source, taken by one shard once and for all; another attempt at it is a new row."""

    shard = models.ForeignKey(Shard, models.PROTECT, related_name="portions")
    source = models.TextField()
    path = models.TextField()
    # SHA-256 of the path: an index holds no more than some 2,700 bytes, and a path may be longer.
    path_digest = models.CharField(max_length=64)
    fingerprint = models.CharField(max_length=128)
    offset = models.BigIntegerField(default=0)
    attempt = models.PositiveIntegerField(default=1)
    first = models.BigIntegerField(default=0)
    items = models.BigIntegerField(default=1)
    # The rejected input whose kept bytes this attempt takes; without one the bytes lie in the source.
    again = models.ForeignKey("review.Input", models.PROTECT, null=True, related_name="retries")

    class Meta:
        constraints = (
            # Also the index by which files are looked up.
            models.UniqueConstraint(
                fields=["path_digest", "source", "fingerprint", "offset", "first", "attempt"],
                name="portion_once",
            ),
        )
        indexes = (models.Index(fields=["attempt", "path_digest"], name="portion_attempt"),)


class Outcome(models.TextChoices):
    """What can become of an input; each has exactly one."""

    QUEUED = "queued", "queued"
    ROUTINE = "routine", "routine"
    UNREADABLE_TEXT = "unreadable_text", "unreadable text"
    DUPLICATE = "duplicate", "duplicate"
    SUPERSEDED = "superseded", "superseded"
    REJECTED = "rejected", "rejected"


class Inputs(models.QuerySet["Input"]):
    """Inputs of the ledger; of several attempts at the same item the latest counts.

    Few files are ever tried again, so whether that is so is asked first: it spares each input the search.
    """

    def standing(self) -> Inputs:
        """Leave out what a later attempt at the same item took the place of."""
        return self.exclude(Q(portion__in=_retried()) & _later())

    def superseded(self) -> Inputs:
        """Leave only what a later attempt at the same item took the place of."""
        return self.filter(_later(), portion__in=_retried())


def _retried() -> models.QuerySet[Portion]:
    """Return the portions of files that were tried more than once."""
    again = Portion.objects.filter(attempt__gt=1).values("path_digest")
    return Portion.objects.filter(path_digest__in=again)


def _later() -> Exists:
    return Exists(
        Portion.objects.filter(
            path_digest=OuterRef("portion__path_digest"),
            source=OuterRef("portion__source"),
            fingerprint=OuterRef("portion__fingerprint"),
            offset=OuterRef("portion__offset"),
            attempt__gt=OuterRef("portion__attempt"),
            first__lte=OuterRef("item"),
            first__gt=OuterRef("item") - F("items"),
            shard__state=Shard.State.DONE,
        )
    )


class Input(models.Model):
    """One report item as it came, and its outcome, in one attempt at its portion."""

    shard = models.ForeignKey(Shard, models.PROTECT, related_name="inputs")
    portion = models.ForeignKey(Portion, models.PROTECT, related_name="inputs")
    item = models.BigIntegerField()  # number of the item in its file, from 0
    outcome = models.CharField(max_length=15, choices=Outcome)
    reason = models.CharField(max_length=60, blank=True)
    detail = models.CharField(max_length=500, blank=True)
    raw = models.BinaryField(null=True)  # the bytes of a rejected input, compressed, for another attempt
    # The version made; for a duplicate the version that holds the same text.
    version = models.ForeignKey("review.ReportVersion", models.PROTECT, null=True, related_name="inputs")

    objects = Inputs.as_manager()

    class Meta:
        constraints = (models.UniqueConstraint(fields=["portion", "item"], name="input_once"),)
        indexes = (models.Index(fields=["outcome", "-id"], name="input_outcome"),)
