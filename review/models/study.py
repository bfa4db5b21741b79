"""Imaging studies as found in DICOM headers."""

from __future__ import annotations

from django.db import models


class Study(models.Model):
    """One DICOM study; what its folders said about it, the latest word counting."""

    study_uid = models.CharField(max_length=128, unique=True)
    source = models.TextField()
    folder = models.TextField()
    accession = models.CharField(max_length=128, blank=True, db_index=True)
    accession_issuer = models.CharField(max_length=256, blank=True)
    patient_id = models.CharField(max_length=256, blank=True, db_index=True)
    patient_issuer = models.CharField(max_length=256, blank=True)
    birth_date = models.CharField(max_length=10, blank=True)
    sex = models.CharField(max_length=1, blank=True)
    age = models.CharField(max_length=4, blank=True)
    modality = models.CharField(max_length=16, blank=True)
    body_part = models.CharField(max_length=256, blank=True)
    description = models.CharField(max_length=256, blank=True)
    contrast_agent = models.CharField(max_length=256, blank=True)
    study_time = models.CharField(max_length=32, blank=True)


class StudySeries(models.Model):
    """One series of a study as found in one folder."""

    study = models.ForeignKey(Study, models.CASCADE, related_name="series")
    series_uid = models.CharField(max_length=128)
    folder_digest = models.CharField(max_length=64)  # SHA-256 of source and folder: a path has any length
    modality = models.CharField(max_length=16, blank=True)
    instances = models.PositiveIntegerField()

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["study", "series_uid", "folder_digest"], name="series_once_per_folder"
            ),
        )
