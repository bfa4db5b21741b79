"""Backups, and restoring one into a new place.

Nothing here but `making` needs Django: restoring begins where there is no database and no key yet.
"""

from __future__ import annotations


class BackupError(RuntimeError):
    """A backup cannot be made or restored; the text says why and the way out."""
