"""Cases for people to look at, what happened to them, and what was decided."""

from __future__ import annotations

from typing import Any, Self

from django.conf import settings
from django.db import models
from django.db.models.functions import Coalesce
from django.utils import timezone


class Tier(models.IntegerChoices):
    """The order in which people look; a lower number comes first."""

    STAT = 0, "stat"
    URGENT = 1, "urgent"
    SOON = 2, "soon"
    UNREAD = 3, "unread"  # the machine could not read it: nobody knows what is in it


class Escalation(models.IntegerChoices):
    """How far a case was called out because it waits too long (`config/deadlines.toml`).

    An open case waits to be decided; a confirmed stat or urgent one for its result to be communicated.
    """

    NONE = 0, "not escalated"
    AGAIN = 1, "announced again"
    LEAD = 2, "brought to the leads"


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
    modality = models.CharField(max_length=16, blank=True)  # of the newest version's study, for the filter
    first_arrival = models.DateTimeField()
    # Its deadline's clock: since when it waits in this tier (opened, raised or opened again).
    waiting_since = models.DateTimeField()
    escalation = models.PositiveSmallIntegerField(choices=Escalation, default=Escalation.NONE)
    # Shown without the machine's reading until it is decided: of the quality sample, or mixed among it.
    is_blind = models.BooleanField(default=False)
    assigned_to = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="assignments"
    )
    first_claimed_at = models.DateTimeField(null=True)
    decided_at = models.DateTimeField(null=True)  # of the last decision, as long as it stands
    is_to_tell = models.BooleanField(default=False)  # confirmed as stat or urgent, and nobody told of it yet
    claimed_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="claims")
    claim_expires = models.DateTimeField(null=True)

    loaded: dict[str, Any]  # what an act may change, as it was when the case was loaded

    class Meta:
        # Whole on purpose: SQLite does not use a partial index for a query with parameters.
        indexes = (
            models.Index(fields=["state", "tier", "first_arrival", "id"], name="case_queue"),
            models.Index(fields=["state", "decided_at", "id"], name="case_decided"),
            # Holds all that counting and calling out overdue cases asks for, so no row is fetched for it.
            models.Index(fields=["state", "tier", "escalation", "waiting_since"], name="case_deadline"),
            models.Index(fields=["is_to_tell", "id"], name="case_to_tell"),
            models.Index(fields=["state", "claimed_by", "claim_expires"], name="case_claimed"),
            models.Index(fields=["assigned_to", "state"], name="case_assigned"),
            # For lists over several states, which `case_queue` holds one after the other.
            models.Index(fields=["tier", "first_arrival", "id"], name="case_order"),
        )

    @classmethod
    def from_db(cls, *values: Any, **options: Any) -> Self:
        """Load a case with `loaded`, so that the audit can tell what was before an act."""
        case = super().from_db(*values, **options)
        case.loaded = case.changeable()
        return case

    def changeable(self) -> dict[str, Any]:
        """Return what acts change of a case, in the words of the audit; people by their accounts' ids."""
        columns = {"tier": "tier", "state": "state", "escalation": "escalation"}
        people = {"holder": "claimed_by_id", "assigned": "assigned_to_id"}
        return {word: self.__dict__.get(column) for word, column in (columns | people).items()}

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
    def hides_reading(self) -> bool:
        """Whether the machine's reading is kept from those who decide; see `review.access.is_hidden`."""
        return self.is_blind and self.state == self.State.WAITING

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
        # The same version, read again with other rules: what it led to.
        REREAD = "reread", "read again with other rules"
        REREAD_UP = "reread_up", "read again with other rules: the tier rose"
        REREAD_DOWN = "reread_down", "read again with other rules, as less urgent; the tier stays"
        REREAD_AGAIN = "reread_again", "read again with other rules: it waits again"
        CLAIMED = "claimed", "claimed"
        EXTENDED = "extended", "claim extended"
        RELEASED = "released", "released"
        RETURNED = "returned", "returned to the list"
        CONFIRMED = "confirmed", "confirmed"
        DISMISSED = "dismissed", "dismissed"
        REOPENED = "reopened", "reopened"
        TAKEN_OVER = "taken_over", "taken over"
        EXPIRED = "expired", "the claim expired"
        ASSIGNED = "assigned", "assigned"
        COMMENTED = "commented", "comment"
        CORRECTED = "corrected", "a finding was corrected"
        TOLD = "told", "the result was communicated"
        AGAIN = "again", "overdue: announced again"
        LEAD = "lead", "overdue: brought to the leads"

    case = models.ForeignKey(Case, models.PROTECT, related_name="events")
    at = models.DateTimeField()
    kind = models.CharField(max_length=12, choices=Kind)
    account = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    # The other person whom it concerns: from whom a case was taken, to whom it was assigned.
    whom = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    version = models.ForeignKey("review.ReportVersion", models.PROTECT, null=True, related_name="+")
    tier = models.PositiveSmallIntegerField(choices=Tier)  # of the case after the event
    note = models.TextField(blank=True)  # a person's reason

    class Meta:
        indexes = (models.Index(fields=["kind", "at"], name="event_kind"),)


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
    # The reading's `decided_by`, kept here as statistics group by it: readings are wide, and slow to fetch.
    rule = models.CharField(max_length=80, blank=True)
    account = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="decisions")
    at = models.DateTimeField()
    verdict = models.CharField(max_length=10, choices=Verdict)
    reason = models.CharField(max_length=20, choices=Reason, blank=True)
    comment = models.TextField(blank=True)
    tier = models.PositiveSmallIntegerField(choices=Tier)  # of the case when it was decided
    # The tier that the person gives a confirmed case; null where none was asked for.
    tier_given = models.PositiveSmallIntegerField(choices=Tier, null=True)

    URGENCY = Coalesce("tier_given", "tier")  # `urgency`, for queries

    @property
    def urgency(self) -> int:
        """How urgent the decided case is: the tier given; where none was asked for, the case's."""
        return self.tier if self.tier_given is None else self.tier_given


class CaseMark(models.Model):
    """What the newest reading affirms of a case, one row a word, for the filters of the worklist."""

    class Kind(models.TextChoices):
        CONCEPT = "concept"
        COMPARTMENT = "compartment"
        LEVEL = "level"  # each vertebra of a range

    case = models.ForeignKey(Case, models.CASCADE, related_name="marks")
    kind = models.CharField(max_length=11, choices=Kind)
    value = models.CharField(max_length=60)

    class Meta:
        constraints = (models.UniqueConstraint(fields=["case", "kind", "value"], name="mark_once"),)
        indexes = (models.Index(fields=["kind", "value", "case"], name="mark_value"),)


class Choice(models.Model):
    """Something that a filter of the worklist offers, as some case has or had it; a handful of rows.

    To look for what occurs among the marks and cases themselves would cost more with every case.
    """

    class Kind(models.TextChoices):
        CONCEPT = "concept"
        MODALITY = "modality"
        SOURCE = "source"

    kind = models.CharField(max_length=8, choices=Kind)
    value = models.TextField()
    name = models.TextField()  # as people read it; the newest reading's word counts

    class Meta:
        constraints = (models.UniqueConstraint(fields=["kind", "value"], name="choice_once"),)


class Correction(models.Model):
    """What a person says of a stretch of the text, against or beside the machine; never changed.

    The newest correction of a stretch counts. Together with the decision it is labelled data.
    """

    class Kind(models.TextChoices):
        NOT_A_LESION = "not_a_lesion", "not a lesion"
        OTHERWISE = "otherwise", "read otherwise"  # certainty, compartments or levels
        MISSED = "missed", "missed by the machine"
        AS_READ = "as_read", "as the machine read it"  # takes a correction back

    case = models.ForeignKey(Case, models.PROTECT, related_name="corrections")
    reading = models.ForeignKey("review.Reading", models.PROTECT, related_name="+")  # before the eyes
    account = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    at = models.DateTimeField()
    kind = models.CharField(max_length=12, choices=Kind)
    start = models.PositiveIntegerField()  # offsets in the text of the reading's version
    end = models.PositiveIntegerField()
    # What is true of it in the person's eyes, in the words of the reader's contract; empty for the rest.
    category = models.CharField(max_length=20, blank=True)  # `class` of the contract
    certainty = models.CharField(max_length=14, blank=True)
    compartments = models.JSONField(default=list)
    levels = models.JSONField(default=list)


class Communication(models.Model):
    """That a critical result was told: what, to whom, by whom, when found, when told, how."""

    class Method(models.TextChoices):
        IN_PERSON = "in_person", "in person"
        PHONE = "phone", "by telephone"
        MESSAGE = "message", "by secure message"
        RECORD = "record", "in the patient's record, acknowledged"
        OTHER = "other", "otherwise (say how in the note)"

    case = models.ForeignKey(Case, models.PROTECT, related_name="communications")
    decision = models.ForeignKey(Decision, models.PROTECT, related_name="communications")
    account = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+"
    )  # who wrote it down
    at = models.DateTimeField()  # when it was written down
    finding = models.TextField()
    told_to = models.TextField()
    told_by = models.TextField()
    found_at = models.DateTimeField()
    told_at = models.DateTimeField()
    method = models.CharField(max_length=10, choices=Method)
    note = models.TextField(blank=True)


class QualitySample(models.Model):
    """That a case was drawn to be read blind, and out of what."""

    class Stratum(models.TextChoices):
        ROUTINE = "routine"  # read as routine: such cases show what the machine misses
        SOON = "soon"  # a case anyway, blind so that the others do not stand out

    case = models.OneToOneField(Case, models.PROTECT, related_name="sample")
    reading = models.ForeignKey("review.Reading", models.PROTECT, related_name="+")  # the one that was drawn
    stratum = models.CharField(max_length=8, choices=Stratum)
    drawn_at = models.DateTimeField()
    share = models.FloatField()  # the share of its stratum that was drawn


class SampleHead(models.Model):
    """Up to which reading the quality sample is drawn: one row, locked by each transaction that draws."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    reading = models.BigIntegerField(default=0)
