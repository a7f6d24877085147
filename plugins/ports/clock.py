"""The clock, for rules that depend on the day."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from datetime import datetime

__all__ = ["Clock"]


class Clock(Protocol):
    """Time, for rules that depend on the day; receipts never hold it."""

    def now(self) -> datetime:
        """The time now, in UTC."""
        ...
