"""What a notifier is handed, and what it has to be: the whole of what one of your own needs to know."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol


class NotifierError(RuntimeError):
    """A message was not taken; the text says how, without what was sent and without any secret."""


@dataclass(frozen=True, slots=True)
class Message:
    """What is told: for people as subject and text, for programs as data that JSON can hold."""

    subject: str
    text: str
    data: dict[str, Any]


class Notifier(Protocol):
    """Something that can tell people. It is made without arguments, and once in each round that has news."""

    def send(self, message: Message) -> None:
        """Tell it, within some seconds. Whatever is raised means that nobody was told: it is tried again."""
