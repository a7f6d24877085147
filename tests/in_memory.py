"""Folders in memory, where there is room: tests that put back thousands of files wait for no disk.

What a killed test left there would take the machine's memory for good, and tests after it would
fail for want of it. So each folder is locked by the process that made it, and whoever makes the
next one removes those that nobody holds.
"""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import tempfile
from pathlib import Path
from typing import Final

__all__ = ["folder_in_memory"]

_MEMORY: Final = Path("/dev/shm")
_PREFIX: Final = "pep101-"
_ROOM_BYTES: Final = 4 << 30
"""What has to be free: a day with all its moments takes 0.7 GB, and a few are made side by side."""


def folder_in_memory(name: str, otherwise: Path | None = None) -> Path:
    """A new folder of that name and a suffix, held until this process ends; else on the disk, in
    ``otherwise`` or among temporary files.
    """
    if not _MEMORY.is_dir():
        return Path(tempfile.mkdtemp(prefix=f"{name}-", dir=otherwise))
    for left in _MEMORY.glob(f"{_PREFIX}*"):
        if _held(left):
            shutil.rmtree(left, ignore_errors=True)
    if min(shutil.disk_usage(_MEMORY).free, _available_bytes()) < _ROOM_BYTES:
        return Path(tempfile.mkdtemp(prefix=f"{name}-", dir=otherwise))
    while True:
        made = Path(tempfile.mkdtemp(prefix=f"{_PREFIX}{name}-", dir=_MEMORY))
        # Another process may have found it before it was held, and remove it.
        if _held(made) and made.is_dir():
            return made


def _held(folder: Path) -> bool:
    """Whether it is this process's now: it was nobody's. The lock ends with the process."""
    try:
        opened = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(opened)
        return False
    return True


def _available_bytes() -> int:
    """Memory that can be had without swapping."""
    told = re.search(r"(?m)^MemAvailable: +(\d+) kB$", Path("/proc/meminfo").read_text())
    return int(told[1]) << 10 if told else 0
