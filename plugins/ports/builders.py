"""Buildbots, and what their last builds ended with."""

from __future__ import annotations

from typing import Protocol

from doit_receipts.frozen import frozen

__all__ = ["Builder", "Builders"]


@frozen
class Builder:
    """A builder of the buildbots: its last build that ended, and whether it can build now."""

    name: str
    tags: tuple[str, ...]
    url: str
    online: bool
    result: str
    """success, warnings or failure; "" if none of its last builds says anything of the code."""


class Builders(Protocol):
    """The buildbots."""

    def stable(self, branch: str) -> tuple[Builder, ...]:
        """The stable builders of the branch, by name."""
        ...
