"""The run command: doit's own, with one writer, exit statuses that tell waiting from failing."""

from __future__ import annotations

import fnmatch
import os
import signal
import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from doit.cmd_run import Run as DoitRun
from doit.control import TaskControl
from doit.exceptions import InvalidCommand
from doit.task import Stream

from doit_receipts.command.command_line import OptionsAnywhere, no_such_task
from doit_receipts.command.option import option, refuse_number
from doit_receipts.cores import cores_here
from doit_receipts.doit_records import ReceiptRecords
from doit_receipts.errors import ReleaseError
from doit_receipts.loader import plan_of
from doit_receipts.lock import holding
from doit_receipts.orphaned_processes import ONE_STOP_S, end_orphaned
from doit_receipts.plan import REPORTER
from doit_receipts.runner import refused_by_disk

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path
    from types import FrameType

    from doit_receipts.command.reporter import ReleaseReporter
    from doit_receipts.notifying import Notifications
    from doit_receipts.orphaned_processes import ProgramSlots
    from doit_receipts.plan import Plan

__all__ = ["Run"]

_WAIT: Final = option("wait", "where people are waited for, go on by itself once somebody approved")
_DEADLINE: Final = option(
    "wait_hours",
    "how many hours --wait waits at most [default: 12]",
    default=12.0,
    long="wait-hours",
)
_AT_ONCE: Final = option(
    "num_process",
    "how many tasks run at once at most; those with the longest chain behind them start"
    " first [default: as many as there are cores, from 2 to 8; 1 is in the order of the list]",
    default=None,
    type=int,
    long="process",
    short="n",
)
_LEAST, _MOST = 2, 8
_AWAITED: Final = 4
_MOST_HOURS: Final = 24 * 31
_STOPPING: Final = {
    signal.SIGINT: "Ctrl-C",
    signal.SIGTERM: "SIGTERM",
    signal.SIGHUP: "the end of its terminal",
}


class Run(OptionsAnywhere, DoitRun):
    """Run tasks. Status 0: all done, 1: failed, 2: a bug, 3: settings, 4: people are waited for."""

    cmd_options = (
        *(each for each in DoitRun.cmd_options if each["name"] != "num_process"),
        _AT_ONCE, _WAIT, _DEADLINE,
    )  # fmt: skip
    doc_purpose = "run tasks, and everything that they need and that is not done yet"
    doc_usage = "[TASK ...]"
    example = "doit run -n 8 export\ndoit publish --wait"
    tasks_take_options = True
    asks_plan = False
    not_told = ("always", "single", "auto_delayed_regex", "par_type", "reporter", "backend",
                "codec_cls", "check_file_uptodate", "dep_file")  # fmt: skip
    _words: Sequence[str] = ()

    def _executed(self, in_args: Sequence[str]) -> Any:
        self._words = in_args
        return super()._executed(in_args)

    def _execute(
        self,
        outfile: Any,
        verbosity: Any = None,
        always: Any = False,
        continue_: Any = False,
        reporter: Any = "console",
        num_process: int | None = None,
        par_type: str = "process",
        single: Any = False,
        auto_delayed_regex: Any = False,
        force_verbosity: Any = False,
        failure_verbosity: int = 0,
        pdb: Any = False,
        wait: Any = False,
        wait_hours: float = 12.0,
    ) -> int:
        if not isinstance(self.dep_manager, ReceiptRecords):
            # Not a release but some other dodo.py, such as tests/dodo.py: doit as it is.
            plain: int = super()._execute(
                outfile, verbosity, always, continue_, reporter, num_process or 0, par_type, single,
                auto_delayed_regex, force_verbosity, failure_verbosity, pdb,
            )  # fmt: skip
            return plain
        plan = plan_of(self)
        _refuse(always or single, num_process, pdb or reporter != REPORTER)
        at_once = _number(num_process, one_only=pdb or reporter != REPORTER)
        _refuse_hours(wait_hours)
        _refuse_pattern(self.sel_tasks, [each.name for each in self.task_list])
        seen = _approvals_now(plan) if wait else None
        heard = _notifications(plan)
        try:
            with _writing(plan) as (left, slots), _alarming(heard):
                if left:
                    plan.context.journal.append("took over", said=left)
                    sys.stderr.write(left + "\n")
                if _mend_first(plan):
                    # What was opened for that is not shared with other processes.
                    at_once = 1
                from doit_receipts.command.reporter import ReleaseReporter

                # An instance of our own: its status tells waiting from failing.
                if reporter == REPORTER:
                    # What tasks print is not to be written over.
                    told = {"at_once": at_once, "heard": heard, "is_shared": verbosity or pdb}
                    reporter = ReleaseReporter(outfile, told)
                if at_once > 1:
                    stream = Stream(verbosity, force_verbosity)
                    result: int = self._at_once(plan, slots, at_once, reporter, continue_, stream)
                else:
                    result = super()._execute(
                        outfile, verbosity, always, continue_, reporter, 0, par_type, single,
                        auto_delayed_regex, force_verbosity, failure_verbosity, pdb,
                    )  # fmt: skip
                # While nobody else may tell: what two runs tell is told twice.
                _tell_of_end(heard, self.sel_tasks, reporter)
        except InvalidCommand as error:
            unknown = getattr(error, "not_found", None)
            if unknown is None:
                raise
            raise no_such_task(unknown, plan.tasks) from error
        except (ReleaseError, OSError) as error:
            shown = error if isinstance(error, ReleaseError) else _of_the_disk(error, plan)
            sys.stderr.write(f"{shown}\n")
            return 1
        except _Stopped as stopped:
            return _tell_stopped(stopped.by)
        finally:
            _finish(heard)
            plan.state.close()
        status: int = reporter.status if isinstance(reporter, ReleaseReporter) else result
        waits = wait and status == _AWAITED
        return _goes_on(plan, seen, self._words, wait_hours, self.sel_tasks) if waits else status

    def _at_once(
        self,
        plan: Plan,
        slots: ProgramSlots,
        at_once: int,
        reporter: ReleaseReporter,
        continue_: Any,
        stream: Stream,
    ) -> int:
        # late: processes and pipes, which one task at a time needs not
        from doit_receipts.command.at_once import AtOnceRunner

        self.control = TaskControl(self.task_list)
        self.control.process(self.sel_tasks)
        runner = AtOnceRunner(
            plan, slots, at_once, self.dep_manager, reporter, continue_, stream=stream
        )
        result: int = runner.run_all(self.control.task_dispatcher())
        return result


def _refuse_pattern(words: Sequence[str] | None, tasks: Sequence[str]) -> None:
    """Raise InvalidCommand for a pattern that no task matches: doit does nothing, and well."""
    for word in words or ():
        if "*" in word and not fnmatch.filter(tasks, word):
            raise no_such_task(word, tasks)


def _refuse_hours(hours: float) -> None:
    """Raise InvalidCommand for what is no time to wait."""
    if not 0 < hours <= _MOST_HOURS:
        message = f"--wait-hours {hours:g} is no time to wait; wanted up to {_MOST_HOURS} hours"
        raise InvalidCommand(message)


def _approvals_now(plan: Plan) -> Any:
    # late: who does not wait needs no programs
    from doit_receipts.command.waiting_run import approvals_now

    return approvals_now(plan.folder)


def _goes_on(
    plan: Plan, seen: Any, words: Sequence[str], hours: float, asked: Sequence[str]
) -> int:
    # late: as above
    from doit_receipts.command.waiting_run import run_until_nobody_is_awaited

    return run_until_nobody_is_awaited(plan, seen, words, hours, asked=asked)


def _notifications(plan: Plan) -> Notifications | None:
    """What tells people of this run; None where nobody wants to hear."""
    if plan.context.notify is None:
        return None
    # late: most releases tell nobody
    from doit_receipts.notifying import Notifications

    return Notifications(plan, plan.context.notify)


def _tell_of_end(heard: Notifications | None, asked: Sequence[str], reporter: Any) -> None:
    if heard is not None:
        heard.ended(asked, did_something=getattr(reporter, "did_something", False))


def _finish(heard: Notifications | None) -> None:
    """Whoever wants to hear has heard of the run; what failed of that is a line."""
    for line in heard.finish() if heard is not None else ():
        sys.stderr.write(f"{line}\n")


@contextmanager
def _alarming(heard: Notifications | None) -> Iterator[None]:
    """People hear of what the block leaves that must not be left, and of a bug that ends it."""
    try:
        yield
    except (ReleaseError, OSError, InvalidCommand):
        raise
    except Exception as error:
        if heard is not None:
            heard.bug("", repr(error))
        raise
    finally:
        if heard is not None:
            heard.alarms()


def _refuse(again: Any, at_once: int | None, other: Any) -> None:
    """Raise InvalidCommand for options of doit that a release has no use for."""
    if again:
        message = "-a and -s are not supported: to repeat a step, doit forget TASK"
        raise InvalidCommand(message)
    refuse_number(at_once)
    if (at_once or 1) > 1 and other:
        message = "-n is not supported with --pdb or another reporter: leave one of them out"
        raise InvalidCommand(message)


def _number(asked: int | None, *, one_only: bool) -> int:
    """How many tasks run at once at most: as many as asked for, or as there are cores.

    With one core two, since many wait for others; with many, few enough that a graph is busy.
    """
    if asked is not None or one_only:
        return asked or 1
    return min(max(cores_here(), _LEAST), _MOST)


def _mend_first(plan: Plan) -> bool:
    """What must not be left as it is, and was by a run that was killed, is put right (rule 11).

    Gives whether there was anything. Raises ReleaseError if that fails: until it is right nothing
    else is done.
    """
    mended = plan.mend_alarms()
    for message in mended:
        plan.context.journal.append("mended", said=message)
        sys.stderr.write(f"repaired first, left by an earlier run: {message}\n")
    return bool(mended)


def _of_the_disk(error: OSError, plan: Plan) -> ReleaseError:
    """What to tell of a disk that takes no more. Raises an error that is none of the disk's."""
    return refused_by_disk(error, plan.folder.work)


class _Stopped(KeyboardInterrupt):
    """A signal came: the running step ends in good order."""

    def __init__(self, by: signal.Signals) -> None:
        super().__init__(by.name)
        self.by = by


@contextmanager
def _writing(plan: Plan) -> Iterator[tuple[str, ProgramSlots]]:
    """Be the one writer, and stoppable; gives a sentence about one that died, or "", and slots."""
    lent: list[ProgramSlots] = []

    def lend(slots: ProgramSlots) -> None:
        lent.append(slots)
        plan.context.lend(slots)
        plan.context.see_lock = slots.see_lock

    lock = plan.folder.lock
    with holding(lock, lend) as left, _stoppable(lock, *lent):
        yield left, lent[0]


@contextmanager
def _stoppable(lock: Path, slots: ProgramSlots) -> Iterator[None]:
    """Ctrl-C, SIGTERM and the end of the terminal raise _Stopped in the block.

    Once: what puts right what a step opened is not broken off by a second one. Only a person who
    presses Ctrl-C again, later, waits for it no longer.
    """
    stopped_s: list[float] = []

    def stop(number: int, _frame: FrameType | None) -> None:
        if stopped_s and (number != signal.SIGINT or time.monotonic() < stopped_s[-1] + ONE_STOP_S):
            return
        if slots.put_off(number):
            return
        stopped_s.append(time.monotonic())
        # First of all, so that nothing waits for what they have still to say. What workers have
        # started is ended by themselves, when they are stopped.
        end_orphaned(lock, by=os.getpid())
        raise _Stopped(signal.Signals(number))

    # Who told us to ignore one, such as nohup, is obeyed.
    heard = [each for each in _STOPPING if signal.getsignal(each) != signal.SIG_IGN]
    before = {each: signal.signal(each, stop) for each in heard}
    try:
        yield
    finally:
        for each, handler in before.items():
            # The run has still to let go of its lock, and to say that it was stopped.
            if not stopped_s or each == signal.SIGINT:
                signal.signal(each, handler)


def _tell_stopped(by: signal.Signals) -> int:
    """The exit status, as a shell tells it of a program that the signal ended."""
    sys.stderr.write(
        f"\nstopped by {_STOPPING[by]}; finished steps are recorded, "
        "and the same command continues with the one that was running\n"
    )
    return 128 + by
