"""Which item of a file is at hand, so that one that kills the reader is known, and not touched again."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from flows.intake.report import Reason, RefusedError

Key = int | str  # an item's number in its file, from 0; of a DICOM file its path and fingerprint


class Refusal(NamedTuple):
    """Why an item is not touched."""

    reason: Reason
    detail: str


class Guard:
    """Stands between a format's reader and its items.

    Parameters
    ----------
    refused
        The items that must not be touched.
    tell
        Is told of each item before it is taken apart.
    """

    def __init__(
        self, refused: Mapping[Key, Refusal] | None = None, tell: Callable[[Key], object] | None = None
    ) -> None:
        self.at: Key | None = None
        self._refused = refused or {}
        self._tell = tell

    def enter(self, key: Key) -> None:
        """Begin with an item; to be called when its bytes are at hand and before they are interpreted.

        Raises
        ------
        RefusedError
            When the item must not be touched.
        """
        self.at = key
        if key in self._refused:
            raise RefusedError(*self._refused[key])
        if self._tell:
            self._tell(key)
