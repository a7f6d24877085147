"""The forum where releases are announced."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

__all__ = ["Forum", "Topic"]


@dataclass(frozen=True, slots=True)
class Topic:
    """A topic of the forum with its first post."""

    id: int
    title: str
    text: str
    url: str


class Forum(Protocol):
    """A forum that keeps an id of ours with each topic."""

    def topic(self, external_id: str) -> Topic | None:
        """The topic of this id of ours, or None."""
        ...

    def post(self, external_id: str, title: str, text: str, category: int) -> Topic:
        """A new topic stands there. Asked once: a failure may have come after it was stored."""
        ...

    def user(self) -> str:
        """Whom the forum takes us for. Raises ServiceFailed if for nobody."""
        ...
