"""The ticker: a word now and then about tasks that take longer than two seconds."""

from __future__ import annotations

import os
import threading
import time
from typing import TYPE_CHECKING, Any, Final

from doit_receipts.printable import cut, width

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Ticker"]

_FIRST_S: Final = 2.0
_LOOK_S: Final = 0.5
_FILE_S: Final = 30.0
_WIDTH: Final = 80
_MOST_LINES: Final = 4
"""So many are taken for what runs."""
_INDENT: Final = "    "


class Ticker:
    """Shows what runs: its time, and what ``latest`` gives of the task that runs longest.

    On a terminal these are few lines, which are written again in place; else lines now and then.
    It has a thread of its own, which asks ``to_go`` for what there is to tell of the rest, unless
    whoever has it calls ``tick`` (``is_called``).
    """

    def __init__(
        self,
        out: Any,
        latest: Callable[[str], str],
        to_go: Callable[[], str] = str,
        *,
        is_called: bool = False,
    ) -> None:
        self._out = out
        self._latest = latest
        self._to_go = to_go
        self._is_called = is_called
        self._on_terminal = bool(getattr(out, "isatty", lambda: False)())
        self._lock = threading.Lock()
        self._end = threading.Event()
        self._thread: threading.Thread | None = None
        self._began_s: dict[str, float] = {}
        self._next_s = 0.0
        self._shown = 0

    def watch(self, task: str) -> None:
        """Begin to watch a task; nothing is shown in its first two seconds."""
        with self._lock:
            now_s = time.monotonic()
            if not self._began_s:
                self._next_s = now_s + _FIRST_S
            self._began_s[task] = now_s
        if self._thread is None and not self._is_called:
            self._thread = threading.Thread(target=self._run, daemon=True)
            self._thread.start()

    def rest(self, task: str) -> None:
        """Watch the task no longer; the terminal's lines are free for what is said of it."""
        with self._lock:
            self._began_s.pop(task, None)
            self._clear()

    def stop(self) -> None:
        """End for good."""
        with self._lock:
            self._began_s.clear()
            self._clear()
        self._end.set()
        if self._thread is not None:
            self._thread.join()

    def clear(self) -> None:
        """The terminal's lines are free for what others say; what runs is shown again later."""
        with self._lock:
            self._clear()

    def tick(self, rest: Callable[[], str] = str) -> None:
        """Show what runs, if it is time to, and what there is to tell of the rest, line by line."""
        with self._lock:
            if self._began_s and time.monotonic() >= self._next_s:
                self._show(rest())

    def _run(self) -> None:
        while not self._end.wait(_LOOK_S):
            self.tick(self._to_go)

    def _clear(self) -> None:
        if self._shown and self._on_terminal:
            self._out.write(self._back())
        self._shown = 0

    def _back(self) -> str:
        """What empties all lines that were shown, or the one that the terminal is in."""
        return "\r\x1b[2K" + "\x1b[A\x1b[2K" * (self._shown - 1)

    def _show(self, rest: str) -> None:
        # In the last column a terminal goes on in the next line.
        columns = self._columns() - 1
        lines = [
            *self._at_work(columns),
            *(cut(f"  {each}", columns) for each in rest.splitlines()),
        ]
        words = "\n".join(lines)
        self._out.write(f"{self._back()}{words}" if self._on_terminal else f"{words}\n")
        self._out.flush()
        self._shown = len(lines)
        self._next_s = time.monotonic() + (_LOOK_S if self._on_terminal else _FILE_S)

    def _at_work(self, columns: int) -> list[str]:
        """The lines of what runs; those that find no place are counted."""
        now_s = time.monotonic()
        times = [f"{task} … {now_s - began_s:.0f} s" for task, began_s in self._began_s.items()]
        lines = [f"  {len(times)} run: " if len(times) > 1 else "  "]
        is_empty = True
        for number, each in enumerate(times):
            after = len(times) - number - 1
            is_last = len(lines) == _MOST_LINES
            rest = f" and {after} more" if after and is_last else "," if after else ""
            if is_empty or width(f"{lines[-1]} {each}{rest}") <= columns:
                lines[-1] += each if is_empty else f" {each}"
            elif is_last:
                lines[-1] = f"{lines[-1].removesuffix(',')} and {after + 1} more"
                break
            else:
                lines.append(f"{_INDENT}{each}")
            lines[-1] += "," if after else ""
            is_empty = False
        lines[-1] += f"  {self._latest(next(iter(self._began_s)))}"
        return [cut(each, columns) for each in lines]

    def _columns(self) -> int:
        """How wide the terminal is at this moment; 80 for what is none."""
        try:
            return os.get_terminal_size(self._out.fileno()).columns or _WIDTH
        except (OSError, ValueError, AttributeError):
            return _WIDTH
