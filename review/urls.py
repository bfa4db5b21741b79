"""Addresses; they carry ids only."""

from django.urls import path

urlpatterns = []
