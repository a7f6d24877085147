"""The ticker: a word now and then about a task that takes longer than two seconds."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from doit_receipts.run_context import StepLog

__all__ = ["Ticker"]

_FIRST_S: Final = 2.0
_LOOK_S: Final = 0.5
_FILE_S: Final = 30.0
_WIDTH: Final = 79


class Ticker:
    """Shows a running task's time and newest log line: on a terminal in place, else as lines."""

    def __init__(self, out: Any, log: StepLog) -> None:
        self._out = out
        self._log = log
        self._on_terminal = bool(getattr(out, "isatty", lambda: False)())
        self._lock = threading.Lock()
        self._end = threading.Event()
        self._thread: threading.Thread | None = None
        self._task = ""
        self._began_s = 0.0
        self._next_s = 0.0
        self._shown = False

    def watch(self, task: str) -> None:
        """Begin to watch a task; nothing is shown in its first two seconds."""
        with self._lock:
            self._task = task
            self._began_s = time.monotonic()
            self._next_s = self._began_s + _FIRST_S
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, daemon=True)
            self._thread.start()

    def rest(self) -> None:
        """Watch nothing; the terminal's line is free again."""
        with self._lock:
            self._task = ""
            if self._shown and self._on_terminal:
                self._out.write("\r\x1b[2K")
            self._shown = False

    def stop(self) -> None:
        """End for good."""
        self.rest()
        self._end.set()
        if self._thread is not None:
            self._thread.join()

    def _run(self) -> None:
        while not self._end.wait(_LOOK_S):
            with self._lock:
                if self._task and time.monotonic() >= self._next_s:
                    self._show()

    def _show(self) -> None:
        now_s = time.monotonic()
        words = f"  {self._task} … {now_s - self._began_s:.0f} s  {self._log.latest}"[:_WIDTH]
        self._out.write(f"\r\x1b[2K{words}" if self._on_terminal else words + "\n")
        self._out.flush()
        self._shown = True
        self._next_s = now_s + (_LOOK_S if self._on_terminal else _FILE_S)
