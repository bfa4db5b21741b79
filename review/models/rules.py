"""The rules that readings were made with, kept so that an auditor can read with them again."""

from __future__ import annotations

from django.conf import settings
from django.db import models


class RuleSet(models.Model):
    """Everything that one rules version stands for, under its content's own address; never changed."""

    version = models.CharField(max_length=80, primary_key=True)  # sha256:…, over rules and code of the reader
    first_used = models.DateTimeField()
    code_version = models.CharField(max_length=80)
    code_digest = models.CharField(max_length=80)  # of the reader's program
    libraries = models.JSONField(default=dict)  # name → version, of what the reader runs on
    files = models.BinaryField()  # the rule files, as compressed canonical JSON: name → text
    # Who let these rules go live, and why; none for those a fresh installation came with.
    applied_at = models.DateTimeField(null=True)
    applied_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    reason = models.TextField(blank=True)
