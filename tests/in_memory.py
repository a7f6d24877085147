"""Folders in memory, where there is room: tests that put back thousands of files wait for no disk.

What a killed test left there would take the machine's memory for good, and tests after it would
fail for want of it. So each folder is locked by the process that made it, and whoever makes the
next one removes those that nobody holds.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Final

from doit_receipts.memory import free_memory_mb

__all__ = ["folder_in_memory"]

_MEMORY: Final = Path("/dev/shm")
_PREFIX: Final = "pep101-"
_ROOM_MB: Final = 2048
"""What has to be free for each of the processes that test at once: a day with all its moments takes
700, and a process makes a few of them.
"""


def folder_in_memory(name: str, otherwise: Path | None = None) -> Path:
    """A new folder of that name and a suffix, held until this process ends; else on the disk, in
    ``otherwise`` or among temporary files.
    """
    if not _MEMORY.is_dir():
        return Path(tempfile.mkdtemp(prefix=f"{name}-", dir=otherwise))
    for left in _MEMORY.glob(f"{_PREFIX}*"):
        if _held(left):
            subprocess.run(["chmod", "-R", "u+rwX", left], check=False)
            shutil.rmtree(left, ignore_errors=True)
    workers = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    if _free_mb() < _ROOM_MB * workers:
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
    except OSError:  # gone, somebody else's, or no folder
        return False
    try:
        fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(opened)
        return False
    return True


def _free_mb() -> int:
    """What may be written there: a container's own limit may be less than the file system says."""
    there = shutil.disk_usage(_MEMORY).free >> 20
    return min(there, there if (free := free_memory_mb()) is None else free)
