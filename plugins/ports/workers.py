"""Workers: machines of other people, which do what they are asked by one command."""

from __future__ import annotations

from typing import Protocol

__all__ = ["Workers"]


class Workers(Protocol):
    """Some machines of other people, each with an address."""

    def addresses(self) -> tuple[str, ...]:
        """Where they are."""
        ...

    def answer(self, address: str, action: bytes) -> bytes:
        """What the one at this address answers to the action; nothing of it is verified.

        Its size is bounded. Raises ServiceFailed where it cannot be reached, or says that it could
        not do it, and Unanswered where a plan holds the question back.
        """
        ...
