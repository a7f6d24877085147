"""Lock holders: the processes that share the lock of a file, as Linux tells of them.

Elsewhere nobody is found.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["holders", "name_of"]

_PROC = Path("/proc")


def holders(lock: Path, among: Iterable[int] | None = None) -> set[int]:
    """The numbers of the processes that inherited or took the flock of this file, and hold it.

    One that has the file open and not the lock, such as after it was given up, is none of them;
    nor is one of another account. ``among``: only these are looked at. Source: proc_pid_fdinfo(5).
    """
    try:
        file = lock.stat()
    except OSError:
        return set()
    numbers = _all() if among is None else among
    return {number for number in numbers if _holds(number, (file.st_dev, file.st_ino))}


def name_of(number: int) -> str:
    """What the process is called; "a program" if it is gone."""
    try:
        return (_PROC / str(number) / "comm").read_text(errors="replace").strip() or "a program"
    except OSError:
        return "a program"


def _all() -> list[int]:
    return [int(each.name) for each in _PROC.glob("[0-9]*")]


def _holds(number: int, file: tuple[int, int]) -> bool:
    process = _PROC / str(number)
    with suppress(OSError):
        for each in (process / "fd").iterdir():
            with suppress(OSError):  # it was closed meanwhile
                found = each.stat()
                if (found.st_dev, found.st_ino) == file:
                    said = (process / "fdinfo" / each.name).read_text()
                    if any("FLOCK" in line for line in said.splitlines() if line[:5] == "lock:"):
                        return True
    return False
