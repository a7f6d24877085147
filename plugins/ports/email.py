"""Email that a server sends for us."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

__all__ = ["Letter", "Mail"]


@dataclass(frozen=True, slots=True)
class Letter:
    """A mail: ``message_id`` is chosen by us, so that a second copy is known as one."""

    message_id: str
    sender: str
    to: tuple[str, ...]
    subject: str
    text: str


class Mail(Protocol):
    """A mail server that sends for us. What was sent can neither be seen nor taken back."""

    def send(self, letter: Letter) -> None:
        """The server took the letter. Raises ServiceFailed; then nobody knows unless it says."""
        ...

    def log_in(self) -> None:
        """The server was reached and lets us in; nothing was sent."""
        ...
