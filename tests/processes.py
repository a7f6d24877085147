"""Processes of this machine, as tests ask after them.

A small Linux has no ps, and macOS has no /proc.
"""

from __future__ import annotations

import subprocess
from pathlib import Path

from tests.waiting import comes_true

__all__ = ["all_end", "children", "family", "lives"]

_PROC = Path("/proc")


def lives(number: int) -> bool:
    """Whether the process runs; one that ended and that nobody asked after does not."""
    return number in _running()


def family(number: int) -> list[int]:
    """A process and all that it started, and that those started."""
    parents = _running()
    found = [number]
    for each in found:
        found += [pid for pid, parent in parents.items() if parent == each]
    return found


def children(number: int) -> list[int]:
    """The processes that this one started itself and that run."""
    return [pid for pid, parent in _running().items() if parent == number]


def all_end(*numbers: int) -> bool:
    """Whether they all end; the kernel takes a moment for that."""
    return comes_true(lambda: not any(map(lives, numbers)), within_s=50, look_s=0.05)


def _running() -> dict[int, int]:
    """Every process that runs, with its parent."""
    found = {}
    for line in _told():
        number, parent, state = line.split()
        if state[0] not in "ZX":
            found[int(number)] = int(parent)
    return found


def _told() -> list[str]:
    """Number, parent and state of every process, a line each."""
    if not (_PROC / "self/stat").exists():
        argv = ["ps", "-A", "-o", "pid=,ppid=,stat="]
        return subprocess.run(argv, check=True, capture_output=True, text=True).stdout.splitlines()
    lines = []
    for folder in _PROC.glob("[0-9]*"):
        try:
            head, _, tail = (folder / "stat").read_text(errors="replace").rpartition(")")
        except (FileNotFoundError, ProcessLookupError):
            continue  # it ended meanwhile
        state, parent, *_ = tail.split()
        lines.append(f"{head.partition(' ')[0]} {parent} {state}")
    return lines
