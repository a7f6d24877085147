"""The ticker: a word now and then about tasks that take longer than two seconds."""

from __future__ import annotations

import os
import threading
import time
from typing import TYPE_CHECKING, Any, Final

from doit_receipts.printable import cut, width
from doit_receipts.running import shown_time

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Ticker"]

_FIRST_S: Final = 2.0
_LOOK_S: Final = 0.5
_FILE_S: Final = 30.0
_TOLD_S: Final = 5.0
"""A rest that is shorter is not worth its words."""
_WIDTH: Final = 80


class Ticker:
    """Shows what runs: its time, and what ``latest`` gives of the task that runs longest.

    On a terminal that is one line, which is written again in place; else lines now and then. It
    has a thread of its own, unless whoever has it calls ``tick`` (``is_called``).
    """

    def __init__(self, out: Any, latest: Callable[[str], str], *, is_called: bool = False) -> None:
        self._out = out
        self._latest = latest
        self._is_called = is_called
        self._on_terminal = bool(getattr(out, "isatty", lambda: False)())
        self._lock = threading.Lock()
        self._end = threading.Event()
        self._thread: threading.Thread | None = None
        self._began_s: dict[str, float] = {}
        self._next_s = 0.0
        self._shown = False

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
        """Watch the task no longer; the terminal's line is free for what is said of it."""
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

    def tick(self, left_s: Callable[[], float | None] = lambda: None) -> None:
        """Show what runs, if it is time to, and how long the rest takes, if that is known."""
        with self._lock:
            if self._began_s and time.monotonic() >= self._next_s:
                self._show(left_s())

    def _run(self) -> None:
        while not self._end.wait(_LOOK_S):
            self.tick()

    def _clear(self) -> None:
        if self._shown and self._on_terminal:
            self._out.write("\r\x1b[2K")
        self._shown = False

    def _show(self, left_s: float | None) -> None:
        now_s = time.monotonic()
        # In the last column a terminal goes on in the next line.
        columns = self._columns() - 1
        parts = [f"{len(self._began_s)} run"] if len(self._began_s) > 1 else []
        if left_s is not None and left_s >= _TOLD_S:
            parts.append(f"{shown_time(left_s)} to go")
        line = f"  {', '.join(parts)}: " if parts else "  "
        times = [f"{task} … {now_s - began_s:.0f} s" for task, began_s in self._began_s.items()]
        for number, each in enumerate(times):
            more = f"{', ' if number else ''}{each}"
            after = len(times) - number - 1
            rest = f" and {after} more" if after else ""
            if number and width(line + more + rest) > columns:
                line += f" and {after + 1} more"
                break
            line += more
        words = cut(f"{line}  {self._latest(next(iter(self._began_s)))}", columns)
        self._out.write(f"\r\x1b[2K{words}" if self._on_terminal else f"{words}\n")
        self._out.flush()
        self._shown = True
        self._next_s = now_s + (_LOOK_S if self._on_terminal else _FILE_S)

    def _columns(self) -> int:
        """How wide the terminal is at this moment; 80 for what is none."""
        try:
            return os.get_terminal_size(self._out.fileno()).columns or _WIDTH
        except (OSError, ValueError, AttributeError):
            return _WIDTH
