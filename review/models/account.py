"""The people who may enter."""

from __future__ import annotations

from functools import cached_property

from django.contrib.auth.models import AbstractUser
from django.db import models


class Role(models.TextChoices):
    """What a person is here; an account holds one or several, as Django groups of these names."""

    RADIOLOGIST = "radiologist"
    LEAD = "lead"
    AUDITOR = "auditor"
    OPERATOR = "operator"
    ADMIN = "admin"


class Account(AbstractUser):
    """A named person, or a person's name on the command line."""

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


class SavedView(models.Model):
    """Filters of the worklist that a person keeps under a name."""

    account = models.ForeignKey(Account, models.CASCADE, related_name="views")
    name = models.CharField(max_length=60)
    query = models.CharField(max_length=500)  # the filters as they stand in an address

    class Meta:
        constraints = (models.UniqueConstraint(fields=["account", "name"], name="view_name_once"),)
