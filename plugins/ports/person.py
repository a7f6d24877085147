"""What the release manager has said once about themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from datetime import date
    from pathlib import Path

__all__ = ["Person"]


class Person(Protocol):
    """A person's own file, which no release belongs to and nobody else can look up."""

    @property
    def file(self) -> Path:
        """Where it is, or would be."""
        ...

    def said(self, what: str) -> date | None:
        """The day from which it holds; None if they have not said so.

        Raises SettingsError for a file that cannot be read.
        """
        ...
