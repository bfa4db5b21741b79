"""The people who may enter."""

from __future__ import annotations

from functools import cached_property

from django.contrib.auth.models import AbstractUser
from django.db import models
from django.utils.crypto import salted_hmac


class Role(models.TextChoices):
    """What a person is here; an account holds one or several, as Django groups of these names."""

    RADIOLOGIST = "radiologist"
    LEAD = "lead"
    AUDITOR = "auditor"
    OPERATOR = "operator"
    ADMIN = "admin"


class Account(AbstractUser):
    """A named person, or a person's name on the command line."""

    class Origin(models.TextChoices):
        """Who answers for the person's name and password."""

        LOCAL = "local", "here"
        OIDC = "oidc", "the hospital's login"
        LDAP = "ldap", "the hospital's directory"

    origin = models.CharField(max_length=5, choices=Origin, default=Origin.LOCAL)
    # Raised to end all sessions of the account at once.
    session_number = models.PositiveIntegerField(default=0)
    must_change_password = models.BooleanField(default=False)
    # The operating-system user who acts as this account on the command line.
    os_user = models.CharField(max_length=64, unique=True, null=True, blank=True)
    # The sources whose reports this person may see; an empty list means all.
    sources = models.JSONField(default=list, blank=True)
    # The columns of the worklist that this person wants to see; an empty list means the usual ones.
    columns = models.JSONField(default=list, blank=True)

    @cached_property
    def roles(self) -> frozenset[str]:
        """The roles held, asked for once per request."""
        return frozenset(self.groups.values_list("name", flat=True))

    @property
    def actor(self) -> str:
        """How audit rows name this person: an id, never a name."""
        return f"account:{self.pk}"

    def _get_session_auth_hash(self, secret: str | None = None) -> str:
        return salted_hmac(
            "review.models.Account",
            f"{self.session_number} {self.password}",
            secret=secret,
            algorithm="sha256",
        ).hexdigest()


class SavedView(models.Model):
    """Filters of the worklist that a person keeps under a name."""

    account = models.ForeignKey(Account, models.CASCADE, related_name="views")
    name = models.CharField(max_length=60)
    query = models.CharField(max_length=500)  # the filters as they stand in an address

    class Meta:
        constraints = (models.UniqueConstraint(fields=["account", "name"], name="view_name_once"),)


class Use(models.Model):
    """How often an account asked for something expensive in its current minute."""

    account = models.ForeignKey(Account, models.CASCADE, related_name="+")
    what = models.CharField(max_length=10)
    minute = models.DateTimeField()
    count = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = (models.UniqueConstraint(fields=["account", "what"], name="use_once"),)
