"""Memory: how much of it this machine has, and how much is there for more programs now."""

from __future__ import annotations

from pathlib import Path

__all__ = ["free_memory_mb", "memory_mb"]


def free_memory_mb() -> int | None:
    """How much memory is there for more programs, in units of 2**20 bytes; None if unknown.

    Source: MemAvailable of /proc/meminfo, proc(5).
    """
    return _said("MemAvailable:")


def memory_mb() -> int | None:
    """How much memory the machine has, in units of 2**20 bytes; None if unknown."""
    return _said("MemTotal:")


def _said(word: str) -> int | None:
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
        found = next(line.split() for line in lines if line.startswith(word))
        return int(found[1]) >> 10
    except (OSError, StopIteration, ValueError, IndexError):
        return None
