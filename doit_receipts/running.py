"""Running: which task a live run is at, for whoever asks from another terminal."""

from __future__ import annotations

import json
import math
import os
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from doit_receipts.lock import is_held
from doit_receipts.printable import printable

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from doit_receipts.work_folder import WorkFolder

__all__ = ["Running", "running_task", "shown_time", "telling_others"]

_TAIL_BYTES: Final = 4096


@dataclass(frozen=True, slots=True)
class Running:
    """A task that a run is at: its name, since when by the machine's clock, and its last words."""

    task: str
    since_s: float
    last_line: str


@contextmanager
def telling_others(folder: WorkFolder, task: str, now_s: float) -> Iterator[None]:
    """Other terminals see that the task runs, for as long as the block lasts.

    A disk that takes no more holds nothing up: the task is then not seen, and that is all.
    """
    content = json.dumps({"task": task, "since_s": now_s, "pid": os.getpid()})
    partial = folder.running.with_suffix(".partial")
    with suppress(OSError):
        partial.write_text(content, encoding="utf-8")
        partial.replace(folder.running)
    try:
        yield
    finally:
        with suppress(OSError):
            folder.running.unlink(missing_ok=True)


def running_task(folder: WorkFolder) -> Running | None:
    """The task that a run is at now; None if none runs, whatever a killed run left behind."""
    try:
        found: Any = json.loads(folder.running.read_bytes())
        task, since_s, pid = str(found["task"]), float(found["since_s"]), int(found["pid"])
    except (OSError, ValueError, LookupError, TypeError, OverflowError, RecursionError):
        return None
    if not math.isfinite(since_s) or not is_held(folder.lock, pid):
        return None
    return Running(task, since_s, _last_line(folder.log(task)))


def shown_time(seconds: float) -> str:
    """``45 s``, ``2 min 05 s`` or ``1 h 07 min``."""
    whole = max(0, int(seconds))
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02} s"
    return f"{whole // 3600} h {whole // 60 % 60:02} min"


def _last_line(log: Path) -> str:
    try:
        with log.open("rb") as stream:
            stream.seek(max(0, stream.seek(0, os.SEEK_END) - _TAIL_BYTES))
            lines = stream.read(_TAIL_BYTES).decode(errors="replace").splitlines()
    except OSError:
        return ""
    return next((printable(line.strip()) for line in reversed(lines) if line.strip()), "")
