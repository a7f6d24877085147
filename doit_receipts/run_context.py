"""The context of a run: the log of the task that runs, the journal, the clock."""

from __future__ import annotations

from contextlib import contextmanager, suppress
from dataclasses import dataclass
from io import FileIO
from typing import TYPE_CHECKING, Any

from doit_receipts.printable import at_work

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from io import RawIOBase
    from pathlib import Path

    from doit_receipts.clock import Clock
    from doit_receipts.journal import Journal
    from doit_receipts.orphaned_processes import ProgramSlots
    from doit_receipts.placing import Box, Placed
    from doit_receipts.running import RunningTasks
    from doit_receipts.work_folder import WorkFolder

__all__ = ["RunContext", "StepLog"]


class StepLog:
    """The log of the task that runs, and where long work says how far it is: a line of it."""

    def __init__(self, folder: WorkFolder) -> None:
        self._folder = folder
        self._file: RawIOBase | None = None
        self._said = ""
        self._recorded = ""
        self._has_folder = False

    def __repr__(self) -> str:
        return "progress"

    @contextmanager
    def of(self, task: str) -> Iterator[None]:
        """Write what is said to the task's log, which begins anew."""
        path = self._folder.log(task)
        if not self._has_folder:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._has_folder = True
        self._said = self._recorded = ""
        # Without a buffer nothing is left to be written, and to fail, at the end.
        with FileIO(path, "w") as file:
            self._file = file
            try:
                yield
            finally:
                self._file = None

    @property
    def latest(self) -> str:
        """What the step said last about its work, or else a program: no warning, and no finding."""
        return self._said or self._recorded

    def say(self, text: str) -> None:
        """Add a line that tells what is being done."""
        self._said = at_work(text) or self._said
        self._write(text)

    def record(self, text: str) -> None:
        """Add a line that a program wrote."""
        self._recorded = at_work(text) or self._recorded
        self._write(text)

    def _write(self, text: str) -> None:
        # What is said while no task runs, by doit list for one, is kept nowhere.
        if self._file is not None:
            # A full disk stops the step by what it cannot make. Here it would stop the thread
            # that reads what a program says, and with it the program.
            with suppress(OSError):
                self._file.write(f"{text}\n".encode(errors="backslashreplace"))


@dataclass(slots=True)
class RunContext:
    """What the plan needs while tasks run.

    ``perform`` does one task of a plan; it is given here, so that the plan need not know how.
    ``lend`` is told the slots that programs take, as long as they count as part of the run.
    ``see_lock`` raises StepFailed if the lock of the release is not what this run took.
    ``notify`` tells people what a subject and a text say, and gives a line for each that could not
    be told; None where nobody wants to hear. ``place`` places the tasks of a graph that is drawn;
    None where ``in_rows`` does. ``declared_in`` names the files of the declaration, where that is
    not the project's ``declaration`` beside dodo.py alone.
    """

    log: StepLog
    journal: Journal
    clock: Clock
    running: RunningTasks
    perform: Callable[..., Any]
    lend: Callable[[ProgramSlots], None] = lambda _slots: None
    see_lock: Callable[[], None] = lambda: None
    notify: Callable[[str, str], Iterable[str]] | None = None
    place: Callable[[Sequence[str], Sequence[tuple[str, str]], Box], Placed] | None = None
    declared_in: tuple[Path, ...] = ()
