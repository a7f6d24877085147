"""Clock: time as an argument, so that a test can choose it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Protocol

__all__ = ["Clock", "SystemClock"]


class Clock(Protocol):
    """Whatever knows what time it is; receipts never hold it."""

    def now(self) -> datetime:
        """The time now, in UTC."""
        ...


class SystemClock:
    """The machine's clock."""

    def __repr__(self) -> str:
        return "clock"

    def now(self) -> datetime:
        """The time now, in UTC."""
        return datetime.now(UTC)  # noqa: TID251 - the one place that asks
