"""Memory watch: a confined program is ended when all that it started uses more than it may.

The kernel's limits are those of one process. Control groups would count all of them, and need
rights that a person's session often lacks.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from threading import Event, Thread
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType
    from typing import Self

    from plugins.services.walls import Limits

__all__ = ["MemoryWatch"]

_EVERY_S: Final = 1.0
_PAGE_BYTES: Final = 4096
_RESIDENT_AT: Final = 1
_PARENT_AT: Final = 1
"""Where proc_pid_stat(5) has the parent, counted from the state, which follows the name."""


class MemoryWatch:
    """Watches the processes below ``number`` while its block lasts; ``end`` ends all of them."""

    def __init__(self, number: int, limits: Limits, end: Callable[[], None]) -> None:
        self._number = number
        self._limits = limits
        self._end = end
        self._over = Event()
        self.exceeded = ""
        """Why they were ended, in words; "" if they were not."""
        self._thread = Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._over.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._over.wait(_EVERY_S):
            self.exceeded = self._excess()
            if self.exceeded:
                self._end()
                return

    def _excess(self) -> str:
        numbers, most = _family(self._number), self._limits
        if len(numbers) > most.processes:
            return f"had more than {most.processes} processes"
        # What they share counts for each in the first sum, which is quick, and once in the second.
        if sum(map(_resident_bytes, numbers)) <= most.memory_bytes:
            return ""
        if sum(map(_proportional_bytes, numbers)) <= most.memory_bytes:
            return ""
        return f"used more than {most.memory_bytes >> 20} MB of memory"


def _family(number: int) -> list[int]:
    """The process and all that descend from it; inside of walls nobody is without a parent."""
    children: dict[int, list[int]] = {}
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            words = (process / "stat").read_text(errors="replace").rpartition(")")[2]
            children.setdefault(int(words.split()[_PARENT_AT]), []).append(int(process.name))
    found = [number]
    for each in found:
        found += children.get(each, ())
    return found


def _resident_bytes(number: int) -> int:
    try:
        return int(Path(f"/proc/{number}/statm").read_text().split()[_RESIDENT_AT]) * _PAGE_BYTES
    except (OSError, IndexError):
        return 0


def _proportional_bytes(number: int) -> int:
    """What it uses, and its share of what it uses with others."""
    try:
        text = Path(f"/proc/{number}/smaps_rollup").read_text()
    except OSError:
        return _resident_bytes(number)
    words = text.partition("\nPss:")[2].split()
    return int(words[0]) << 10 if words else 0
