"""Emails that a server sends for us."""

from __future__ import annotations

from typing import Protocol

from doit_receipts.frozen import frozen

__all__ = ["Email", "Mail"]


@frozen
class Email:
    """An email: ``message_id`` is chosen by us, so that a second copy is known as one."""

    message_id: str
    sender: str
    to: tuple[str, ...]
    subject: str
    text: str
    """What was approved, to the byte: line ends and white space are part of it."""


class Mail(Protocol):
    """A mail server that sends for us. What was sent can neither be seen nor taken back."""

    def send(self, email: Email) -> None:
        """The server took the email. Raises ServiceFailed; then it may be sent or not."""
        ...

    def log_in(self) -> None:
        """The server was reached and accepted our login; nothing was sent."""
        ...
