"""Control groups: how much of the machine this process may use, as in a container.

Each group that it is in may be limited, and so may those around that: the tightest limit counts.
Source: the kernel's cgroup-v2.rst, and of version 1 memory.rst and sched-bwc.rst.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["allowed_cores", "allowed_mb", "left_mb"]

_GROUPS: Final = Path("proc/self/cgroup")
_TOP: Final = Path("sys/fs/cgroup")
_COMES_FREE: Final = frozenset(
    {"inactive_file", "active_file", "total_inactive_file", "total_active_file"}
)
"""What files were read into is given up when programs want more, as in MemAvailable."""
_TOTALS: Final = "total_"


def allowed_mb(root: Path) -> int | None:
    """How much memory may be used, in units of 2**20 bytes; None where nothing limits that."""
    limits = [limit for limit, _ in _limits(root)]
    return min(limits) >> 20 if limits else None


def left_mb(root: Path) -> int | None:
    """How much of that is not used yet; None where nothing limits it, or the use is unknown."""
    left = []
    for limit, group in _limits(root):
        used = _number(group / "memory.current")
        if used is None:
            used = _number(group / "memory.usage_in_bytes")
        if used is not None:
            left.append(max(0, limit - used + _comes_free(group)))
    return min(left) >> 20 if left else None


def allowed_cores(root: Path) -> int | None:
    """How many cores the quota of processor time pays for, rounded up; None without one."""
    found = []
    for group in _around(root, "cpu"):
        quota, _, period = _text(group / "cpu.max").partition(" ")
        if not period:
            quota, period = (_text(group / f"cpu.cfs_{each}_us") for each in ("quota", "period"))
        if quota.isdecimal() and period.isdecimal() and int(quota) and int(period):
            found.append(-(-int(quota) // int(period)))
    return min(found, default=None)


def _limits(root: Path) -> Iterator[tuple[int, Path]]:
    """Each limit in bytes, with the group that it is of."""
    for group in _around(root, "memory"):
        for name in ("memory.max", "memory.high", "memory.limit_in_bytes"):
            limit = _number(group / name)
            if limit is not None:
                yield limit, group


def _around(root: Path, controller: str) -> Iterator[Path]:
    """The folders of the group and of those around it, up to the top, of either version."""
    for line in _text(root / _GROUPS).splitlines():
        number, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        if number == "0":
            tops: tuple[Path, ...] = (_TOP, _TOP / "unified")
        elif controller in controllers.split(","):
            tops = (_TOP / controller,)
        else:
            continue
        # In a container its own group may be what is seen at the top, under another name here.
        below = Path(*(part for part in path.split("/") if part not in ("", "..")))
        for top in tops:
            for each in (below, *below.parents):
                yield root / top / each


def _comes_free(group: Path) -> int:
    """In bytes. Version 1 counts groups within this one under other names."""
    told: dict[str, int] = {}
    for line in _text(group / "memory.stat").splitlines():
        name, _, count = line.partition(" ")
        if name in _COMES_FREE and count.isdecimal():
            told[name] = int(count)
    totals = [count for name, count in told.items() if name.startswith(_TOTALS)]
    return sum(totals or told.values())


def _number(file: Path) -> int | None:
    text = _text(file)
    return int(text) if text.isdecimal() else None


def _text(file: Path) -> str:
    try:
        return file.read_text(errors="replace").strip()
    except OSError:
        return ""
