"""Caches in front of the website, which users fetch through."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from pathlib import Path

    from plugins.ports.fetched import Fetched

__all__ = ["Cdn"]


class Cdn(Protocol):
    """The caches that users fetch through. Addresses are those that users see."""

    @property
    def edges(self) -> tuple[str, ...]:
        """Caches that can be asked one by one; never empty."""
        ...

    def purge(self, url: str) -> None:
        """The address is purged from every cache; done again, nothing changes."""
        ...

    def was_purged(self, url: str) -> bool:
        """Whether this process purged it: what other caches keep, nobody can look at."""
        ...

    def look(self, url: str, edge: str) -> Fetched:
        """What one cache serves. What this process saw there before is only compared."""
        ...

    def download(self, url: str, file: Path) -> Fetched:
        """The file holds what a user gets, complete; an existing file is replaced."""
        ...
