"""Memory: how much of it there is for this process, and how much is there for more programs now."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from doit_receipts.cgroup import allowed_mb, left_mb

__all__ = ["free_memory_mb", "memory_mb", "shown_memory"]

_ROOT: Final = Path("/")
_GIB_MB: Final = 1024


def free_memory_mb(root: Path = _ROOT) -> int | None:
    """How much memory is there for more programs, in units of 2**20 bytes; None if unknown.

    Source: MemAvailable of /proc/meminfo, proc(5); in a container, what is left of its limit.
    """
    return _least(_said(root, "MemAvailable:"), left_mb(root))


def memory_mb(root: Path = _ROOT) -> int | None:
    """How much memory there is in units of 2**20 bytes; None if unknown.

    That of the machine, or of the container where that is less.
    """
    return _least(_said(root, "MemTotal:"), allowed_mb(root))


def shown_memory(much_mb: int) -> str:
    """``50 MiB`` or ``3.91 GiB``."""
    return f"{much_mb / _GIB_MB:.3g} GiB" if much_mb >= _GIB_MB else f"{much_mb} MiB"


def _least(*known: int | None) -> int | None:
    return min((each for each in known if each is not None), default=None)


def _said(root: Path, word: str) -> int | None:
    try:
        lines = (root / "proc" / "meminfo").read_text().splitlines()
        found = next(line.split() for line in lines if line.startswith(word))
        return int(found[1]) >> 10
    except (OSError, StopIteration, ValueError, IndexError):
        return None
