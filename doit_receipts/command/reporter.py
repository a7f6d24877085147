"""The reporter: one line a task, with its effect, why it ran and how long it took."""

from __future__ import annotations

import os
import sys
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from doit.exceptions import TaskFailed, UnmetDependency

from doit_receipts.command.advice import next_steps
from doit_receipts.command.ticker import Ticker
from doit_receipts.durations import durations_s, shown_rest
from doit_receipts.errors import ReleaseError
from doit_receipts.plan import OPENED
from doit_receipts.printable import counted
from doit_receipts.receipts import NOT_DONE
from doit_receipts.running import last_line
from doit_receipts.status import TaskState, statuses
from doit_receipts.task import Kind

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from doit_receipts.notifying import Notifications
    from doit_receipts.task import Task

__all__ = ["ReleaseReporter"]

_SHOWN_DETAILS = 12


class ReleaseReporter:
    """Writes to the terminal what happens in the order in which it happens.

    Nothing is said of tasks that are up to date. The last lines count what remains, and name
    the next thing to do.
    """

    desc = "one line a task: effect, reason, time"

    def __init__(self, outstream: Any, options: Mapping[str, Any]) -> None:
        at_once = options.get("at_once", 1) > 1
        self._out = outstream
        self._heard: Notifications | None = options.get("heard")
        self._plan = OPENED.get()
        latest = self._in_log if at_once else self._said
        self._ticker = Ticker(outstream, latest, self._rest, is_called=at_once)
        self._left: dict[str, float] | None = {} if at_once or options.get("is_shared") else None
        self._started: dict[str, tuple[float, tuple[str, ...]]] = {}
        self._ran = 0
        self._failed = 0
        self._waited = 0
        self._bugs: list[str] = []
        self._failures: list[str] = []
        self._at_once = at_once
        self._said_after = False
        self._selected: Sequence[str] = ()

    def initialize(self, tasks: Mapping[str, Any], selected_tasks: Sequence[str]) -> None:
        """Called before the first task."""
        del tasks
        self._selected = selected_tasks

    def get_status(self, task: Any) -> None:
        """Called when a task is looked at."""

    def execute_task(self, task: Any) -> None:
        """Called when a task starts."""
        known = self._plan.tasks.get(task.name)
        if known is None or known.kind is Kind.GROUP:
            return
        self._started[task.name] = (time.monotonic(), self._plan.receipts.last_reasons(known))
        if self._left is None:
            self._left = self._to_be_done()
        self._ticker.watch(task.name)

    def _to_be_done(self) -> dict[str, float]:
        """What a run of one task at a time begins with, in its order, and the usual seconds.

        Judged once, and before anything is done: it is the ticker's thread that tells of the rest.
        """
        took_s = durations_s(self._plan.folder)
        if not took_s:
            return {}
        wanted = _with_needs(self._plan.tasks, self._selected)
        with suppress(ReleaseError, OSError):
            return {
                name: took_s.get(name, 0.0)
                for name, status in statuses(self._plan).items()
                if name in wanted and status.state is not TaskState.DONE
            }
        return {}

    def _rest(self) -> str:
        """How long what is left takes one after another, until when, and what it is."""
        left, now_s = (self._left or {}).copy(), time.monotonic()
        left_s = 0.0
        for name, took_s in left.items():
            began_s, _ = self._started.get(name, (now_s, ()))
            left_s += max(0.0, took_s - (now_s - began_s))
        return shown_rest(tuple(left), left_s, self._plan.context.clock.now())

    def _ended(self, name: str, *, lets_on: bool = True) -> None:
        """The task is not to be done any more, nor what waits for it unless it ``lets_on``."""
        if not self._left or name not in self._left:
            return
        over = {name}
        for each, task in self._plan.tasks.items() if not lets_on else ():
            if not over.isdisjoint(task.after):
                over.add(each)
        for each in over:
            self._left.pop(each, None)

    def _line(self, task: Task, sign: str, words: str) -> None:
        took_s = time.monotonic() - self._started[task.name][0]
        self._ticker.rest(task.name)
        self._out.write(
            f"{sign} {task.name:<22} {task.label:<8} {took_s:6.1f} s  {words}".rstrip() + "\n"
        )
        self._out.flush()

    def add_success(self, task: Any) -> None:
        """Called when a task is done."""
        known = self._plan.tasks.get(task.name)
        if known is None or known.kind is Kind.GROUP:
            return
        self._ran += 1
        self._ended(task.name)
        reasons = self._started[task.name][1]
        words = "" if reasons == (NOT_DONE,) else _shortly(reasons)
        self._line(known, "+", words)
        self._said_after = True
        judged = known.kind is Kind.GATE
        receipt = self._plan.receipts.receipt(task.name) if judged else None
        for finding in receipt.findings if receipt else ():
            self._out.write(f"    {finding}\n")
        if self._heard is not None:
            self._heard.ended_one(task.name)

    def add_failure(self, task: Any, fail: Any) -> None:
        """Called when a task did not end well, or was not tried because another did not."""
        known = self._plan.tasks.get(task.name)
        self._ended(task.name, lets_on=False)
        if isinstance(fail, UnmetDependency):
            return
        if known is None or not isinstance(fail, TaskFailed):
            self._bugs.append(task.name)
            self._ticker.rest(task.name)
            self._out.write(
                f"! {task.name}: this is a bug in the tool or in dodo.py\n{fail.get_msg()}\n"
            )
            if self._heard is not None:
                self._heard.bug(task.name, fail.get_msg())
            return
        outcome = self._plan.state.outcome(task.name)
        kind, message = (outcome.kind, outcome.message) if outcome else ("failed", fail.message)
        if kind.startswith("waiting"):
            self._waited += 1
            self._said_after = True
            self._line(known, "~", f"{kind.partition(' ')[2]}: {message}")
        else:
            self._failed += 1
            self._failures.append(f"{known.name} {kind}: {message}\n")
            self._said_after = False
            self._line(known, "x", message)
        for line in (outcome.details if outcome else ())[:_SHOWN_DETAILS]:
            self._out.write(f"    {line}\n")
        log = self._plan.folder.log(task.name)
        # There is none of a task whose process could not begin it.
        if kind == "failed" and os.access(log, os.R_OK):
            self._out.write(f"    log: {log}\n")
        if self._heard is not None:
            self._heard.stopped(task.name)

    def shows(self, said: str) -> None:
        """Called with what a task of several at once has printed, just before its own line."""
        if said:
            self._ticker.clear()
            self._out.write(said if said.endswith("\n") else f"{said}\n")

    def tick(self, rest: Callable[[], str]) -> None:
        """Called now and then while tasks run at once, with what tells of the rest."""
        self._ticker.tick(rest)

    def _said(self, _task: str) -> str:
        return self._plan.context.log.latest

    def _in_log(self, task: str) -> str:
        return last_line(self._plan.folder.log(task))

    def skip_uptodate(self, task: Any) -> None:
        """Called for a task that need not run."""
        self._ended(task.name)

    def skip_ignore(self, task: Any) -> None:
        """Called for a task that doit was told to ignore; none of the plan is."""

    def teardown_task(self, task: Any) -> None:
        """Called before a teardown; the plan has none."""

    def cleanup_error(self, exception: Any) -> None:
        """Called when a teardown fails."""
        self._bugs.append(str(exception))
        self._ticker.clear()
        sys.stderr.write(exception.get_msg())

    def runtime_error(self, msg: str) -> None:
        """Called when doit itself cannot go on."""
        self._bugs.append(msg)
        self._ticker.clear()
        self._out.write(f"! {msg}\n")

    def complete_run(self) -> None:
        """Called at the end, also of a run that was interrupted."""
        self._ticker.stop()
        if self._at_once and self._said_after:
            # What others said meanwhile is between a failure and the end.
            self._out.write("".join(self._failures))
        self._out.write(self._summary() + "\n")
        self._out.flush()

    def _summary(self) -> str:
        found = statuses(self._plan)
        wanted = {name for name in _with_needs(self._plan.tasks, self._selected) if name in found}
        remaining = [name for name in wanted if not found[name].lets_on]
        asked = " ".join(self._selected)
        head = (
            f"{asked}: {counted(self._ran, 'task')} run, {len(wanted) - len(remaining)} "
            f"of {len(wanted)} done"
        )
        if not remaining:
            return f"{head}, nothing remains"
        in_order = [name for name in found if name in wanted]
        return "\n".join((head, *next_steps(self._plan, found, in_order, asked)))

    @property
    def did_something(self) -> bool:
        """Whether a task of the run was done."""
        return self._ran > 0

    @property
    def status(self) -> int:
        """The exit status of the run, in the words of the design."""
        if self._bugs:
            return 2
        if self._failed:
            return 1
        return 4 if self._waited else 0


def _shortly(reasons: Sequence[str]) -> str:
    """The first reason and how many more there are: a line stays a line."""
    more = f" and {len(reasons) - 1} more" if len(reasons) > 1 else ""
    return f"{reasons[0]}{more}" if reasons else ""


def _with_needs(tasks: Mapping[str, Task], names: Sequence[str]) -> set[str]:
    """The named tasks and all that they wait for, without groups."""
    open_, found = list(names), set()
    while open_:
        task = tasks.get(open_.pop())
        if task is not None and task.name not in found:
            found.add(task.name)
            open_ += task.after
    return {name for name in found if tasks[name].kind is not Kind.GROUP}
