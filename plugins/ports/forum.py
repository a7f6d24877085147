"""The forum where releases are announced."""

from __future__ import annotations

from typing import Protocol

from doit_receipts.frozen import frozen

__all__ = ["Forum", "Topic"]


@frozen
class Topic:
    """A topic of the forum with its first post, as the forum gives it back."""

    id: int
    title: str
    text: str
    """The source of the first post, as it is kept."""
    url: str
    category: int
    tags: tuple[str, ...]
    """In the order of the alphabet."""


class Forum(Protocol):
    """A forum that keeps an id of ours with each topic."""

    def topic(self, external_id: str) -> Topic | None:
        """The topic of this id of ours, or None."""
        ...

    def titled(self, title: str, category: int) -> Topic | None:
        """The topic of this title among the newest of the category, whoever posted it, or None."""
        ...

    def post(
        self, external_id: str, title: str, text: str, category: int, tags: tuple[str, ...]
    ) -> str:
        """A new topic is public; returns its address.

        Sent once: a failure may have come after it was stored or put into the queue, which nobody
        can look into, unless it is NothingDone or NotYet. Raises LetThrough where a moderator has
        to approve it first, who makes a topic without our id.
        """
        ...

    def kept_title(self, title: str) -> str:
        """The title as the forum keeps it: forums tidy titles up."""
        ...

    def kept_text(self, text: str) -> str:
        """The text as the forum keeps it, which cuts white space at its end."""
        ...

    def is_guest(self) -> bool:
        """Whether we have no key, so that we only read."""
        ...

    def user(self) -> str:
        """Whom the forum takes us for. Raises ServiceFailed if for nobody."""
        ...

    def category_name(self, category: int) -> str:
        """The name of the category of this number. Raises ServiceFailed if we cannot see it."""
        ...
