"""Indexes of packages that other tools install from."""

from __future__ import annotations

from typing import Protocol

__all__ = ["Packages"]


class Packages(Protocol):
    """A public index of packages for other tools: NuGet."""

    def versions(self, name: str) -> tuple[str, ...]:
        """The package's versions as the index writes them; empty if it has no such package."""
        ...
