"""Cases for people to look at, what happened to them, and what was decided."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils import timezone


class Tier(models.IntegerChoices):
    """The order in which people look; a lower number comes first."""

    STAT = 0, "stat"
    URGENT = 1, "urgent"
    SOON = 2, "soon"
    UNREAD = 3, "unread"  # the machine could not read it: nobody knows what is in it


class Case(models.Model):
    """One report that a person should look at. Its tier rises with new versions and never falls."""

    class State(models.TextChoices):
        WAITING = "waiting", "waiting"  # also while a claim lasts: then people read "in review"
        CONFIRMED = "confirmed", "confirmed"
        DISMISSED = "dismissed", "dismissed"
        WITHDRAWN = "withdrawn", "withdrawn"

    report = models.OneToOneField("review.Report", models.PROTECT, related_name="case")
    reading = models.ForeignKey("review.Reading", models.PROTECT, related_name="+")  # of the newest version
    tier = models.PositiveSmallIntegerField(choices=Tier)
    state = models.CharField(max_length=10, choices=State, default=State.WAITING)
    source = models.TextField()  # the report's, kept here for the limit of sources
    first_arrival = models.DateTimeField()
    claimed_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="claims")
    claim_expires = models.DateTimeField(null=True)

    class Meta:
        # Whole on purpose: SQLite does not use a partial index for a query with parameters.
        indexes = (models.Index(fields=["state", "tier", "first_arrival", "id"], name="case_queue"),)

    @property
    def name(self) -> str:
        """How people and commands call the case."""
        return f"C{self.pk}"

    @property
    def is_claimed(self) -> bool:
        """Whether somebody holds the case now; an expired claim holds nothing."""
        return (
            self.state == self.State.WAITING
            and self.claim_expires is not None
            and self.claim_expires > timezone.now()
        )

    @property
    def status(self) -> str:
        """The state in the words of the pages."""
        return "in review" if self.is_claimed else str(self.State(self.state).label)


class CaseEvent(models.Model):
    """One thing that happened to a case, for the people who look at it."""

    class Kind(models.TextChoices):
        OPENED = "opened", "opened"
        RAISED = "raised", "a newer version raised the tier"
        NEWER = "newer", "a newer version arrived"
        CALMER = "calmer", "a newer version reads as less urgent; the tier stays"
        WITHDRAWN = "withdrawn", "the report was withdrawn"
        WAITS_AGAIN = "waits_again", "a newer version made the case wait again"
        CLAIMED = "claimed", "claimed"
        EXTENDED = "extended", "claim extended"
        RELEASED = "released", "released"
        RETURNED = "returned", "returned to the list"
        CONFIRMED = "confirmed", "confirmed"
        DISMISSED = "dismissed", "dismissed"
        REOPENED = "reopened", "reopened"

    case = models.ForeignKey(Case, models.PROTECT, related_name="events")
    at = models.DateTimeField()
    kind = models.CharField(max_length=12, choices=Kind)
    account = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    version = models.ForeignKey("review.ReportVersion", models.PROTECT, null=True, related_name="+")
    tier = models.PositiveSmallIntegerField(choices=Tier)  # of the case after the event
    note = models.TextField(blank=True)  # a person's reason


class Decision(models.Model):
    """What a person decided, on which version, with which reading before the eyes."""

    class Verdict(models.TextChoices):
        CONFIRMED = "confirmed"
        DISMISSED = "dismissed"

    class Reason(models.TextChoices):
        """Why a case was dismissed."""

        NO_LESION = "no_lesion", "no lesion in the report"
        KNOWN_STABLE = "known_stable", "known and stable, already followed"
        DEGENERATIVE = "degenerative", "degenerative or benign, no action"
        MISREAD = "misread", "the machine misread the text"
        NOT_SPINE = "not_spine", "not of the spine"
        OTHER = "other", "other (say it in the comment)"

    case = models.ForeignKey(Case, models.PROTECT, related_name="decisions")
    reading = models.ForeignKey("review.Reading", models.PROTECT, related_name="+")
    account = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="decisions")
    at = models.DateTimeField()
    verdict = models.CharField(max_length=10, choices=Verdict)
    reason = models.CharField(max_length=20, choices=Reason, blank=True)
    comment = models.TextField(blank=True)
    tier = models.PositiveSmallIntegerField(choices=Tier)  # of the case when it was decided
