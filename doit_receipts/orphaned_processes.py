"""Orphaned processes: those that hold a lock which somebody else took, as they inherited it.

Every program that a run starts inherits the run's lock. So the lock of a run that was killed is
held until all that it had started has ended, and who holds it can be told, and ended.
"""

from __future__ import annotations

import os
import re
import signal
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["end_orphaned", "has_open", "orphaned_processes"]

_LINUX: Final = sys.platform == "linux"
"""macOS tells only who has a file open, and not who holds its lock."""

# Source: proc_pid_fdinfo(5). The number is that of the process that took the lock; 0 if it is
# gone and we are in a container.
_TAKEN_BY: Final = re.compile(r"^lock:.* FLOCK .* (\d+) \S+:\S+:\d+ ", flags=re.MULTILINE)


def orphaned_processes(lock: Path) -> dict[int, str]:
    """The processes, by number and name, that hold a lock which we took or one who is dead.

    Those of other users are not seen, nor any where the system does not tell.
    """
    if not _LINUX or not lock.exists():
        return {}
    found = {}
    for process in Path("/proc").iterdir():
        if process.name.isdigit() and process.name != str(os.getpid()):
            taken_by = _taken_by(process, lock)
            if taken_by == os.getpid() or (taken_by is not None and not has_open(taken_by, lock)):
                found[int(process.name)] = _name(process)
    return found


def has_open(number: int, lock: Path) -> bool:
    """Whether there is such a process and it has the file open; True if nobody can tell."""
    if not number:
        return False
    try:
        os.kill(number, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return not _LINUX or any(_descriptors(Path(f"/proc/{number}"), lock))


def end_orphaned(lock: Path) -> dict[int, str]:
    """There are no orphaned processes any more; returns those that there were."""
    ended: dict[int, str] = {}
    # A process may have started another after we had looked.
    while found := {
        number: name for number, name in orphaned_processes(lock).items() if number not in ended
    }:
        for number in found:
            with suppress(ProcessLookupError, PermissionError):
                os.kill(number, signal.SIGKILL)
        ended |= found
    return ended


def _taken_by(process: Path, lock: Path) -> int | None:
    """Who took the lock that the process holds; None if it does not hold it."""
    for descriptor in _descriptors(process, lock):
        with suppress(OSError):
            told = _TAKEN_BY.search((process / "fdinfo" / descriptor).read_text())
            if told:
                return int(told[1])
    return None


def _descriptors(process: Path, file: Path) -> Iterator[str]:
    """The descriptors of the process that are this file."""
    wanted = file.stat()
    # A process may end while we look, and those of other users are closed to us.
    with suppress(OSError):
        for descriptor in (process / "fd").iterdir():
            with suppress(OSError):
                if os.path.samestat(descriptor.stat(), wanted):
                    yield descriptor.name


def _name(process: Path) -> str:
    try:
        return (process / "comm").read_text().strip()
    except OSError:
        return "a process"
