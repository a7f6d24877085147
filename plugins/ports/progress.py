"""Progress of long work, as a person sees it."""

from __future__ import annotations

from typing import Protocol

__all__ = ["Progress"]


class Progress(Protocol):
    """A word about long work; shown while it lasts, never part of a result."""

    def say(self, text: str) -> None:
        """Report what is being done now, in a few words."""
        ...
