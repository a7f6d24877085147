"""Workers: processes of a run, each of which does one task at a time.

A worker is a fork of the run, so it has the plan, and opens whatever services its tasks need for
itself. It has a process group and a slot like every program of the run: if the run is killed, the
worker ends in good order, and the next run ends what is left. What it learned on the way (digests,
the last word of a task) goes back with its report, so that one process alone writes the cache.

Services remember what they saw. After a task that changed the world or the clone, workers that
were there before it are let go, and others, who have seen nothing yet, take their place. What a
worker had to import, the run imports before it starts another: each of them finds it there.
"""

from __future__ import annotations

import os
import pickle
import select
import signal
import sys
import threading
from contextlib import suppress
from dataclasses import dataclass
from importlib import import_module
from io import StringIO
from multiprocessing.connection import Connection, Pipe
from pathlib import Path
from traceback import format_exc
from typing import TYPE_CHECKING, Any, Final, NoReturn, Self

from doit_receipts.frozen import frozen
from doit_receipts.orphaned_processes import end_orphaned
from doit_receipts.runner import refused_by_disk

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from types import TracebackType

    from doit_receipts.cores import Cores
    from doit_receipts.orphaned_processes import ProgramSlots
    from doit_receipts.plan import Plan
    from doit_receipts.state import Learned

__all__ = ["Report", "Workers", "import_here", "share_nothing_but"]

_HEARD: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_SIGNALS: Final = frozenset(signal.Signals)
_STOPPED: Final = 128
"""A worker that a signal stopped ends with this and its number, as a shell tells it."""


@frozen
class Report:
    """How a task ended: doit's word for a failure, or None; ``said`` is what it printed.

    The failure is an OSError of the disk where that kept its process from beginning the task.
    ``killed_by`` is the number of the signal that ended its process, with no word from the task.
    ``imported`` names the modules that its process has since the task, in their order. After one
    that ``is_last`` the process ends.
    """

    task: str
    failure: Any = None
    said: str = ""
    learned: Learned = ()
    killed_by: int = 0
    imported: tuple[str, ...] = ()
    is_last: bool = False


@dataclass(slots=True)
class _Worker:
    number: int
    pipe: Connection
    generation: int
    task: str = ""
    told: int = 0


class Workers:
    """The workers of one run; at the end of the block all of them have ended.

    ``do`` does a task by its name, in a worker. An error that ends the block ends them as a signal
    to the run would, each in good order.
    """

    def __init__(
        self, plan: Plan, slots: ProgramSlots, do: Callable[[str], Any], cores: Cores
    ) -> None:
        self._plan = plan
        self._slots = slots
        self._do = do
        self._cores = cores
        self._workers: list[_Worker] = []
        self._generation = 0
        self._learned: list[Any] = []
        self._imported: dict[str, None] = {}
        # The end for writing is closed when this process is gone, however it went.
        self._life = os.pipe()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if error is not None:
            by = getattr(error, "by", signal.SIGTERM)
            for each in self._workers:
                # One may have ended, and the error have come before that was noted.
                with suppress(ProcessLookupError):
                    os.kill(each.number, by)
        while self._workers:
            self._let_go(self._workers[-1])
        for descriptor in self._life:
            os.close(descriptor)

    def give(self, task: str) -> None:
        """A worker does the task from now on."""
        idle = next((each for each in self._workers if not each.task), None)
        while idle is not None and idle.generation != self._generation:
            self._let_go(idle)
            idle = next((each for each in self._workers if not each.task), None)
        worker = idle or self._start()
        worker.task = task
        # Of one that is gone it is told when somebody waits for it.
        with suppress(OSError):
            # Connection.send looks up how to pickle what has a way of its own: half of the time.
            worker.pipe.send_bytes(pickle.dumps((task, self._learned[worker.told :])))
        worker.told = len(self._learned)

    def world_changed(self) -> None:
        """What a worker has seen until now may not be so any more."""
        self._generation += 1

    def reports(self, timeout_s: float) -> list[Report]:
        """Of those whose task has ended; waits for one, or for so long."""
        pipes = {each.pipe.fileno(): each for each in self._workers if each.task}
        ends = select.poll()
        for descriptor in pipes:
            ends.register(descriptor, select.POLLIN)
        return [self._report_of(pipes[ready]) for ready, _ in ends.poll(timeout_s * 1000)]

    def _report_of(self, worker: _Worker) -> Report:
        try:
            report: Report = pickle.loads(worker.pipe.recv_bytes())  # noqa: S301 - of a fork
        except (EOFError, OSError, pickle.UnpicklingError):
            task = worker.task
            ended = self._let_go(worker)
            # What it had started is of no use any more, and would write on.
            end_orphaned(self._plan.folder.lock, by=worker.number)
            number = -ended if ended < 0 else ended - _STOPPED
            return Report(task, killed_by=number if number in _SIGNALS else 0, failure=ended)
        worker.task = ""
        if report.is_last:
            self._let_go(worker)
        self._learned += self._plan.state.learn(report.learned)
        self._imported |= dict.fromkeys(report.imported)
        return report

    def _let_go(self, worker: _Worker) -> int:
        """The worker has ended; how, as an exit status."""
        worker.pipe.close()
        status = 0
        # A stop that comes behind this line has it waited for a second time.
        with suppress(ChildProcessError):
            _, status = os.waitpid(worker.number, 0)
        self._workers.remove(worker)
        return os.waitstatus_to_exitcode(status)

    def _start(self) -> _Worker:
        self._plan.project.revision()  # asked once and known to all, not by each for itself
        import_here(self._imported)
        self._imported.clear()
        sys.stdout.flush()
        sys.stderr.flush()
        ours, theirs = Pipe()
        # A signal that comes now finds either no worker yet or one that is on the list.
        before = signal.pthread_sigmask(signal.SIG_BLOCK, _HEARD)
        try:
            number = os.fork()
            if not number:
                self._be_worker(ours, theirs, before)
            worker = _Worker(number, ours, self._generation, told=len(self._learned))
            self._workers.append(worker)
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
        theirs.close()
        return worker

    # ── in the worker ──────────────────────────────────────────────────────────────────────

    def _be_worker(self, ours: Connection, pipe: Connection, mask: Any) -> NoReturn:
        status = 70
        try:
            # With this open, what waits for a word of the run would not notice its end.
            ours.close()
            # A key of the terminal stops the run, and the run stops us.
            os.setpgid(0, 0)
            try:
                self._begin(pipe)
            except Exception as error:  # noqa: BLE001 - the run tells of it
                self._refuse(pipe, error)
            else:
                signal.pthread_sigmask(signal.SIG_SETMASK, mask)
                self._work(pipe)
            status = 0
        except KeyboardInterrupt as stopped:
            # What was open is closed.
            status = _STOPPED + getattr(stopped, "by", signal.SIGINT)
        finally:
            os._exit(status)

    def _begin(self, pipe: Connection) -> None:
        slot = self._slots.take()
        slot.started(os.getpid(), "a task of doit")
        kept = (pipe.fileno(), self._life[0], *slot.descriptors, *self._cores.descriptors)
        share_nothing_but(*kept)
        self._plan.state.gather()
        self._plan.context.running.is_silent()
        threading.Thread(target=_end_with, args=(self._life[0],), daemon=True).start()

    def _refuse(self, pipe: Connection, error: Exception) -> None:
        """The run knows why the task that it gives is not done here."""
        why = _bug()
        if isinstance(error, OSError):
            with suppress(OSError):
                refused_by_disk(error, self._plan.folder.work)
                why = error
        task, _ = pickle.loads(pipe.recv_bytes())  # noqa: S301 - of who forked it
        pipe.send_bytes(pickle.dumps(Report(task, why, is_last=True)))

    def _work(self, pipe: Connection) -> None:
        while True:
            try:
                task, learned = pickle.loads(pipe.recv_bytes())  # noqa: S301 - of who forked it
            except EOFError:
                return
            self._plan.state.learn(learned)
            self._plan.state.learned()
            self._cores.work_for(task)
            before = frozenset(sys.modules)
            said = sys.stdout = sys.stderr = StringIO()
            try:
                failure = self._do(task)
            except KeyboardInterrupt:
                raise
            except BaseException:  # noqa: BLE001 - it ends the worker, and the run tells of it
                failure = _bug()
            imported = tuple(each for each in sys.modules if each not in before)
            report = Report(
                task, failure, said.getvalue(), self._plan.state.learned(), imported=imported
            )
            pipe.send_bytes(pickle.dumps(report))


def import_here(names: Iterable[str]) -> None:
    """These modules are there for every process that is forked from now on.

    One that cannot be imported here is left to the task that needs it, which tells why.
    """
    for name in names:
        if name not in sys.modules:
            with suppress(Exception):
                import_module(name)


def share_nothing_but(*kept: int) -> None:
    """What the run has open, or a thread of it, is its own: here it leads nowhere.

    A connection that it closes would stay open by us, and a database or a client of one process
    is no good in two. The numbers stay taken, for objects that close theirs when they go.
    """
    nowhere = os.open(os.devnull, os.O_RDWR)
    for path in tuple(Path("/dev/fd").iterdir()):
        number = int(path.name)
        if number > 2 and number not in (nowhere, *kept):
            os.dup2(nowhere, number, inheritable=False)


def _bug() -> Any:
    from doit.exceptions import TaskError

    return TaskError(format_exc())


def _end_with(life: int) -> None:
    """The worker ends in good order when the run is gone."""
    with suppress(OSError):
        os.read(life, 1)
    ignored = signal.getsignal(signal.SIGTERM) == signal.SIG_IGN
    os.kill(os.getpid(), signal.SIGKILL if ignored else signal.SIGTERM)
