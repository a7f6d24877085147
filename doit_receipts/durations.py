"""Durations: how long tasks took when they were last done, by the journals of this machine."""

from __future__ import annotations

from contextlib import suppress
from math import isfinite
from typing import TYPE_CHECKING, Final

from doit_receipts.journal import latest_entries

if TYPE_CHECKING:
    from pathlib import Path

    from doit_receipts.work_folder import WorkFolder

__all__ = ["durations_s"]

_JOURNALS: Final = 4
_READ_BYTES: Final = 1 << 20
"""Of the end of each journal: some thousand tasks."""


def durations_s(folder: WorkFolder) -> dict[str, float]:
    """Seconds by task: of this release where it was done here, else of the newest one beside it.

    What cannot be read tells nothing.
    """
    found: dict[str, float] = {}
    for journal in _journals(folder):
        for entry in latest_entries(journal, _READ_BYTES):
            with suppress(ValueError, TypeError, KeyError):
                took_s = float(entry["took_s"])
                if entry["event"] == "done" and isfinite(took_s):
                    found[str(entry["task"])] = max(0.0, took_s)
    return found


def _journals(folder: WorkFolder) -> list[Path]:
    """That of this release last, so that it has the last word."""
    beside = []
    with suppress(OSError):
        for each in folder.work.parent.iterdir():
            journal = each / folder.journal.name
            if each != folder.work:
                with suppress(OSError):
                    beside.append((journal.stat().st_mtime, journal))
    return [*(journal for _, journal in sorted(beside)[-_JOURNALS:]), folder.journal]
