"""At once: doit's runner, with as many tasks at a time as the graph and the machine allow."""

from __future__ import annotations

import signal
import sys
import time
from typing import TYPE_CHECKING, Any, Final

from doit.exceptions import TaskError
from doit.runner import Runner

from doit_receipts.cores import Cores, cores_here, sharing
from doit_receipts.durations import durations_s, longest_chain, shown_rest
from doit_receipts.errors import StepFailed
from doit_receipts.memory import free_memory_mb, memory_mb
from doit_receipts.runner import failed, refused_by_disk
from doit_receipts.schedule import Schedule
from doit_receipts.status import statuses
from doit_receipts.task import Effect
from doit_receipts.workers import Workers

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from doit_receipts.orphaned_processes import ProgramSlots
    from doit_receipts.plan import Plan
    from doit_receipts.task import Task
    from doit_receipts.workers import Report

__all__ = ["AtOnceRunner"]

_CHANGES_WHAT_OTHERS_SAW: Final = (Effect.CLONE, Effect.SHARED, Effect.PUBLIC)
_LOOK_S: Final = 0.5
_TELL_S: Final = 0.1
"""What others are told of what runs is as old as this at most."""


class AtOnceRunner(Runner):
    """Begins each task of the plan when all before it is done and what it needs is free.

    Tasks that dodo.py has beside the plan are doit's: they are done in this process, and nothing
    else runs meanwhile.
    """

    def __init__(
        self, plan: Plan, slots: ProgramSlots, at_once: int, *of_doit: Any, **more_of_doit: Any
    ) -> None:
        super().__init__(*of_doit, **more_of_doit)
        self._plan = plan
        self._slots = slots
        self._cores = Cores(cores_here(), plan.tasks)
        self._took_s = durations_s(plan.folder)
        self._schedule = Schedule(
            plan.tasks,
            at_once,
            took_s=self._took_s,
            free_memory_mb=free_memory_mb,
            cores=self._cores,
        )
        self._asked: Mapping[str, Task] = {}
        self._began_s: dict[str, float] = {}
        self._plain: list[Any] = []
        self._is_exhausted = False
        self._told_s = 0.0

    def run_tasks(self, task_dispatcher: Any) -> None:
        """Everything that doit dispatches is done, but for what stands behind a failure."""
        tasks = task_dispatcher.tasks
        self._asked = _asked(self._plan, task_dispatcher.selected_tasks)
        self._tell_what_is_too_much()

        def do(name: str) -> Any:
            tasks[name].overwrite_verbosity(self.stream)
            return tasks[name].execute(self.stream)

        with sharing(self._cores), Workers(self._plan, self._slots, do, self._cores) as workers:
            self._take(task_dispatcher, None)
            while self._schedule.running or self._schedule.has_more or self._plain:
                if self._stop_running:
                    self._schedule.forget_more()
                    self._plain.clear()
                while (name := self._schedule.begin()) is not None:
                    self._begin(workers, tasks[name])
                if self._schedule.running:
                    self._wait(workers, task_dispatcher)
                elif self._plain:
                    node = self._plain.pop(0)
                    # It may ask what runs, or be at work for long.
                    self._plan.context.running.tell(self._schedule.held_up)
                    self.process_task_result(node, self.execute_task(node.task))
                    self._take(task_dispatcher, node)
        self._plan.context.running.tell()

    def _tell_what_is_too_much(self) -> None:
        """Of each task that takes more memory than the machine has there is a line before any."""
        here_mb = memory_mb()
        takes_mb = {name: task.takes.get("memory_mb", 0) for name, task in self._asked.items()}
        if here_mb is None or max(takes_mb.values(), default=0) <= here_mb:
            return
        found = statuses(self._plan)
        for name, much_mb in takes_mb.items():
            if much_mb > here_mb and not found[name].lets_on:
                sys.stderr.write(
                    f"{name} takes {much_mb} MiB of memory, and this machine has {here_mb}: it"
                    " begins when nothing else runs\n"
                )

    def _wait(self, workers: Workers, dispatcher: Any) -> None:
        """What ends meanwhile has ended; others know of what runs longer than a moment."""
        reports = workers.reports(_TELL_S)
        if not reports or time.monotonic() > self._told_s + _TELL_S:
            self._plan.context.running.tell(self._schedule.held_up)
            self._told_s = time.monotonic()
        for report in reports or workers.reports(_LOOK_S):
            self._end(workers, dispatcher, report)
        self.reporter.tick(self._what_is_next)
        self._schedule.look_again()

    def _what_is_next(self) -> str:
        """What waits for a part of the machine or for a host, and of the rest, a line each."""
        (task, what), *more = [*self._schedule.held_up.items()] or [("", "")]
        waits = f"{task} waits for {what}" + (f"; {len(more)} more wait" if more else "")
        return f"{waits}\n{self._rest()}" if task else self._rest()

    def _rest(self) -> str:
        """How long what is left takes at least by earlier runs, until when, and by which chain.

        It is "" where that is unknown, or too little for words.
        """
        if not self._took_s:
            return ""
        running, now_s = self._schedule.running, time.monotonic()
        left = {*running, *self._schedule.waiting}
        for name, task in self._asked.items():
            if not left.isdisjoint(task.after):
                left.add(name)
        spent_s = {name: now_s - self._began_s[name] for name in running}
        chain, left_s = longest_chain(self._asked, left, self._took_s, spent_s)
        return shown_rest(chain, left_s, self._plan.context.clock.now())

    def _take(self, dispatcher: Any, done: Any) -> None:
        """Whatever may begin, now that the node ``done`` is, is judged and waits for its turn."""
        while not self._is_exhausted:
            try:
                done = dispatcher.generator.send(done)
            except StopIteration:
                self._is_exhausted = True
                return
            if done == "hold on" or self._stop_running:
                return
            if self.select_task(done, dispatcher.tasks):
                if done.task.name in self._plan.tasks:
                    self._schedule.add(done.task.name)
                else:
                    self._plain.append(done)

    def _begin(self, workers: Workers, task: Any) -> None:
        now_s = self._plan.context.clock.now().timestamp()
        self.reporter.execute_task(task)
        self._plan.context.running.begins(task.name, now_s)
        self._began_s[task.name] = time.monotonic()
        workers.give(task.name)

    def _end(self, workers: Workers, dispatcher: Any, report: Report) -> None:
        name = report.task
        task = self._plan.tasks[name]
        self._plan.context.running.ends(name)
        self._schedule.ended(name)
        if task.effect in _CHANGES_WHAT_OTHERS_SAW:
            workers.world_changed()
        failure = report.failure
        if report.killed_by:
            failure = failed(self._plan, task, _killed(name, report.killed_by))
        elif isinstance(failure, OSError):
            failure = failed(self._plan, task, refused_by_disk(failure, self._plan.folder.work))
        elif isinstance(failure, int):
            failure = TaskError(f"the process of {name} ended with status {failure}")
        self.reporter.shows(report.said)
        node = dispatcher.nodes[name]
        self.process_task_result(node, failure)
        self._take(dispatcher, node)


def _asked(plan: Plan, names: Iterable[str]) -> Mapping[str, Task]:
    """The tasks of these names and all that they need; names of other tasks are left out."""
    asked = [plan.tasks[name] for name in names if name in plan.tasks]
    wanted = {each.name for each in asked}.union(*(plan.needs(each) for each in asked))
    return {name: task for name, task in plan.tasks.items() if name in wanted}


def _killed(task: str, number: int) -> StepFailed:
    return StepFailed(
        where=task,
        problem=f"its process was ended by {signal.Signals(number).name}",
        remedy="see whether the machine ran out of memory (-n 1 needs the least), then run the"
        " same command again",
    )
