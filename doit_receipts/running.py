"""Running: which tasks a live run is at, for whoever asks from another terminal."""

from __future__ import annotations

import json
import math
import os
from contextlib import contextmanager, suppress
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from doit_receipts.durable import PARTIAL
from doit_receipts.frozen import frozen
from doit_receipts.lock import is_held
from doit_receipts.printable import at_work

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from doit_receipts.work_folder import WorkFolder

__all__ = ["Running", "RunningTasks", "held_up_tasks", "last_line", "running_tasks", "shown_time"]

_ANEW: Final = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
_TAIL_BYTES: Final = 4096
_NONE: Final[Mapping[str, str]] = MappingProxyType({})
_NONSENSE: Final = (
    OSError, ValueError, LookupError, TypeError, AttributeError, OverflowError, RecursionError
)  # fmt: skip


@frozen
class Running:
    """A task that a run is at: its name, since when by the machine's clock, and its last words."""

    task: str
    since_s: float
    last_line: str


class RunningTasks:
    """The tasks that this run is at, told to other terminals by a file that is gone when none is.

    A disk that takes no more holds nothing up: the tasks are then not seen, and that is all.
    """

    def __init__(self, folder: WorkFolder) -> None:
        self._file = str(folder.running)
        self._partial = str(folder.running.with_suffix(PARTIAL))
        self._since_s: dict[str, float] = {}
        self._told: tuple[tuple[str, ...], Mapping[str, str]] = ((), {})
        self._is_silent = False

    @contextmanager
    def of(self, task: str, now_s: float) -> Iterator[None]:
        """The task is seen to run since ``now_s`` for as long as the block lasts."""
        self.begins(task, now_s)
        self.tell()
        try:
            yield
        finally:
            self.ends(task)
            self.tell()

    def begins(self, task: str, now_s: float) -> None:
        """The task is seen to run when that is told next."""
        self._since_s[task] = now_s

    def ends(self, task: str) -> None:
        """The task is not seen to run any more when that is told next."""
        self._since_s.pop(task, None)

    @property
    def names(self) -> tuple[str, ...]:
        """The tasks that this process has begun and not ended."""
        return tuple(self._since_s)

    def is_silent(self) -> None:
        """From now on nothing is told: another process does, for all tasks of the run."""
        self._is_silent = True

    def tell(self, held_up: Mapping[str, str] = _NONE) -> None:
        """Others see what runs now, and of what is ``held_up`` by that, what it waits for.

        Nothing is written if that is what they see already.
        """
        tasks_now = tuple(self._since_s)
        if self._is_silent or (tasks_now, held_up) == self._told:
            return
        self._told = (tasks_now, held_up)
        with suppress(OSError):
            if not tasks_now:
                os.unlink(self._file)
                return
            tasks = [{"task": name, "since_s": since_s} for name, since_s in self._since_s.items()]
            told = {"pid": os.getpid(), "tasks": tasks, "waits": dict(held_up)}
            text = json.dumps(told).encode()
            # Before each task: Path.write_text takes three times as long.
            descriptor = os.open(self._partial, _ANEW, 0o644)
            try:
                os.write(descriptor, text)
            finally:
                os.close(descriptor)
            os.replace(self._partial, self._file)


def running_tasks(folder: WorkFolder) -> tuple[Running, ...]:
    """The tasks that a run is at now, whatever a killed run left behind; the longest one first."""
    told: list[tuple[float, str]] = []
    with suppress(*_NONSENSE):
        told = [(float(each["since_s"]), str(each["task"])) for each in _said(folder)["tasks"]]
    if not all(math.isfinite(since_s) for since_s, _ in told):
        return ()
    return tuple(
        Running(task, since_s, last_line(folder.log(task))) for since_s, task in sorted(told)
    )


def held_up_tasks(folder: WorkFolder) -> dict[str, str]:
    """What each task waits for that might run now, if others of the run had not what it needs."""
    with suppress(*_NONSENSE):
        return {str(task): str(what) for task, what in _said(folder)["waits"].items()}
    return {}


def _said(folder: WorkFolder) -> Any:
    """What the run of this moment said last; LookupError where none is."""
    found: Any = json.loads(folder.running.read_bytes())
    if not is_held(folder.lock, int(found["pid"])):
        raise LookupError
    return found


def shown_time(seconds: float) -> str:
    """``45 s``, ``2 min 05 s`` or ``1 h 07 min``."""
    whole = max(0, int(seconds))
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02} s"
    return f"{whole // 3600} h {whole // 60 % 60:02} min"


def last_line(log: Path) -> str:
    """The newest line of a log that tells of the work; "" if there is none."""
    try:
        with log.open("rb") as stream:
            stream.seek(max(0, stream.seek(0, os.SEEK_END) - _TAIL_BYTES))
            lines = stream.read(_TAIL_BYTES).decode(errors="replace").splitlines()
    except OSError:
        return ""
    return next(filter(None, map(at_work, reversed(lines))), "")
