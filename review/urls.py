"""Addresses; they carry ids only."""

urlpatterns = []
