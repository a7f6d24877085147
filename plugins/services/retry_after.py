"""Retry-After: how long a server wants to be left alone, and until which time of day that is."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final

__all__ = ["until", "wait_of"]

_DAY_S: Final = 86_400
_MOST_S: Final = 366 * _DAY_S


def wait_of(header: str) -> float:
    """The seconds that a Retry-After asks for, as a number or as a date; 0 for anything else."""
    text = header.strip()[:64]
    if text.isascii() and text.isdigit():
        return float(min(int(text), _MOST_S))
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, TypeError, OverflowError):
        return 0.0
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return min(max(moment.timestamp() - time.time(), 0.0), float(_MOST_S))


def until(wait_s: float) -> str:
    """When that is over, such as ``14:32 UTC``; with the day if it is not today."""
    now = datetime.fromtimestamp(time.time(), UTC)
    # Rounded up: at the minute that is named the server answers again.
    end = datetime.fromtimestamp(-(-(now.timestamp() + wait_s) // 60) * 60, UTC)
    day = "" if end.date() == now.date() else f"{end:%Y-%m-%d} "
    return f"{day}{end:%H:%M} UTC"
