"""The ticker: a word now and then about a task that takes longer than two seconds."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from plugins.flow.desk import StepLog

__all__ = ["Ticker"]

_FIRST_S: Final = 2.0
_TERMINAL_S: Final = 0.5
_FILE_S: Final = 30.0
_WIDTH: Final = 79


class Ticker:
    """Shows a running task's time and newest log line: on a terminal in place, else as lines."""

    def __init__(self, out: Any, task: str, log: StepLog) -> None:
        self._out = out
        self._task = task
        self._log = log
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._on_terminal = bool(getattr(out, "isatty", lambda: False)())
        self._shown = False

    def start(self) -> None:
        """Begin to watch; nothing is shown in the first two seconds."""
        self._thread.start()

    def stop(self) -> None:
        """End, with the terminal's line free again."""
        self._end.set()
        self._thread.join()
        if self._shown and self._on_terminal:
            self._out.write("\r\x1b[2K")

    def _run(self) -> None:
        began_s = time.monotonic()
        pause_s = _FIRST_S
        while not self._end.wait(pause_s):
            took_s = time.monotonic() - began_s
            words = f"  {self._task} … {took_s:.0f} s  {self._log.latest}"[:_WIDTH]
            self._out.write(f"\r\x1b[2K{words}" if self._on_terminal else words + "\n")
            self._out.flush()
            self._shown = True
            pause_s = _TERMINAL_S if self._on_terminal else _FILE_S
