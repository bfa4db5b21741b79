"""The rules that readings were made with, kept so that an auditor can read with them again."""

from __future__ import annotations

from django.conf import settings
from django.db import models


class RuleSet(models.Model):
    """Everything that one rules version stands for, under its content's own address; never changed."""

    # sha256:… over files, program and libraries: see review.digests.rules_version.
    version = models.CharField(max_length=80, primary_key=True)
    first_used = models.DateTimeField()
    code_version = models.CharField(max_length=80)
    program = models.JSONField(default=dict)  # name → SHA-256, of each file of the program that reads
    libraries = models.JSONField(default=dict)  # name → version, of what the reader runs on
    files = models.BinaryField()  # the rule files, as compressed canonical JSON: name → text
    # When, by whom and why these rules last went live; by nobody where an installation began with them.
    applied_at = models.DateTimeField(null=True)
    applied_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    reason = models.TextField(blank=True)
