"""Templates of public texts, which come with this tool."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Templates"]


class Templates(Protocol):
    """Texts with places to fill in, which come with this tool."""

    def fill(self, name: str, words: Mapping[str, object]) -> str:
        """The text of this name, filled in. Raises ServiceFailed for a word that is missing."""
        ...
