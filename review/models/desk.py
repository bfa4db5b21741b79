"""The desk of rejected inputs: what nobody could take waits here for a person."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from review.models.run import Input, Run


class Request(models.Model):
    """What a page wants of the other rooms: a flow takes it, and the page shows how far it is."""

    class Kind(models.TextChoices):
        RETRY = "retry", "try rejected inputs again"

    class State(models.TextChoices):
        WAITING = "waiting"
        DONE = "done"
        FAILED = "failed"

    kind = models.CharField(max_length=10, choices=Kind)
    account = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    at = models.DateTimeField()
    what = models.JSONField(default=dict)  # ids and numbers only
    state = models.CharField(max_length=10, choices=State, default=State.WAITING)
    run = models.ForeignKey(Run, models.PROTECT, null=True, related_name="requests")  # which took it
    ended_at = models.DateTimeField(null=True)
    told = models.JSONField(default=dict)  # counts only
    error = models.CharField(max_length=500, blank=True)  # a type name and ids only

    class Meta:
        indexes = (models.Index(fields=["state", "id"], name="request_state"),)


class Reject(models.Model):
    """A rejected input that no later attempt took the place of, as it stands on the desk.

    It repeats what the ledger says, so that a desk of a million is counted and listed by index alone; each
    shard that is stored keeps it true, and the audit compares both.
    """

    class State(models.TextChoices):
        WAITING = "waiting", "waiting"
        RETRYING = "retrying", "being retried"
        DISCARDED = "discarded", "discarded"
        REPLACED = "replaced", "replaced"  # its sender sent the file anew

    input = models.OneToOneField(Input, models.PROTECT, primary_key=True, related_name="reject")
    source = models.TextField()
    path_digest = models.CharField(max_length=64)  # as of its portion
    reason = models.CharField(max_length=60)
    digest = models.CharField(max_length=64, blank=True)  # SHA-256 of the bytes kept; "" = none were
    since = models.DateTimeField()  # when it was rejected, in the first of its attempts
    state = models.CharField(max_length=10, choices=State, default=State.WAITING)
    request = models.ForeignKey(Request, models.PROTECT, null=True, related_name="rejects")  # that retries it

    class Meta:
        indexes = (
            models.Index(fields=["state", "since", "input"], name="reject_state"),
            models.Index(fields=["state", "reason", "since", "input"], name="reject_reason"),
            models.Index(fields=["state", "source", "since", "input"], name="reject_source"),
            models.Index(fields=["path_digest"], name="reject_path"),
            models.Index(fields=["digest"], name="reject_digest"),
        )


class Discard(models.Model):
    """A rejected input that a person put away: it needs no one any more, and stays recorded."""

    input = models.ForeignKey(Input, models.PROTECT, related_name="discards")
    account = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    at = models.DateTimeField()
    reason = models.TextField()
    # Who took it back; none while it stands.
    ended_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["input"], condition=models.Q(ended_at=None), name="discard_one_standing"
            ),
        )
