"""The day of a release: chosen once, and the same for every file that states it."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import date

    from plugins.ports.clock import Clock

__all__ = ["choose", "deadline"]


def choose(declared: date | None, clock: Clock) -> dict[str, str]:
    """The declared day, or today; it stays when the release goes on tomorrow.

    Facts: ``date`` as YYYY-MM-DD, and ``epoch_s``, its first second in UTC since 1970.
    """
    day = declared or clock.now().date()
    epoch = datetime.combine(day, time(), UTC)
    return {"date": day.isoformat(), "epoch_s": str(int(epoch.timestamp()))}


def deadline(day: date, wait_days: int) -> datetime:
    """The moment from which on what is still awaited is a failure: so many days after the day."""
    return datetime.combine(day, time(), UTC) + timedelta(days=wait_days + 1)
