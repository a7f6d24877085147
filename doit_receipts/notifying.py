"""Notifying: what a person would want to hear of a run, at that moment, each thing told once."""

from __future__ import annotations

import re
from hashlib import sha256
from typing import TYPE_CHECKING, Final, NamedTuple

from doit_receipts.printable import counted, cut, printable
from doit_receipts.sender import Message, Sender
from doit_receipts.status import TaskState, is_first, statuses
from doit_receipts.task import Effect, Kind

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Sequence

    from doit_receipts.plan import Plan
    from doit_receipts.state import Outcome

__all__ = ["Notifications"]

_EVENT: Final = "notified"
_MENDED: Final = "mended"
_DONE: Final = "done"
_STOPS: Final = (TaskState.WAITING, TaskState.FAILED, TaskState.BLOCKED)
_ACTS: Final = (Effect.SHARED, Effect.PUBLIC)
_NOBODY: Final = "nobody was notified: {}; doit list --status shows what waits"
_MOST_LETTERS: Final = 300
_NUMBER: Final = re.compile(r"\d+(?: of \d+ \S+ (?:is|are|has|have|does|do)\b)?")


class _Heard(NamedTuple):
    """What is told once by its mark, and again if the task was done since then."""

    mark: str
    message: Message
    task: str = ""


class Notifications:
    """Whoever is to hear of the release hears what is new of a run while it goes on.

    New is a task that waits, failed or was stopped by a bug, with its inputs and words; an alarm;
    and that all that was asked for is done. What stops again once it was mended is new, and so is
    the end of what was made anew; another number in the words of a wait is not. It is in the
    journal before it is sent, so that it is sent once at most; what could not be sent is a line of
    what ``finish`` gives, and is not sent again. Before the hour that the plan is held until
    nothing is sent; what stands then is new to the first run after it. To be made before the run
    holds its lock, and before it has threads. All but ``waited`` and ``finish`` is for who holds
    it: no other run tells meanwhile.
    """

    def __init__(self, plan: Plan, notify: Callable[[str, str], Iterable[str]]) -> None:
        name = f"{plan.project.name} {plan.project.version}"
        self._plan = plan
        self._sender = Sender(f"{name}{' REHEARSAL' if plan.project.rehearsal else ''}", notify)
        self._told: set[str] = set()
        self._done_at: dict[str, str] = {}
        self._repairs = -1
        """How often something was repaired; less than 0 before the journal was read."""
        self._problems: list[str] = []

    def stopped(self, name: str) -> None:
        """The task has ended, and its last word is that it waits, failed or is blocked."""
        outcome = self._plan.state.outcome(name)
        if outcome is not None:
            kind, _, who = outcome.kind.partition(" ")
            self._tell(_of_task(name, TaskState(kind), who, outcome.message, outcome))
        self.ended_one(name)

    def ended_one(self, name: str) -> None:
        """The task has ended; alarms are told where no act runs that may have open what it closes.

        Only an act can leave something, so that after other tasks nothing is looked at.
        """
        running = self._plan.context.running.names
        if self._acts(name) and not any(self._acts(each) for each in running):
            self.alarms()

    def _acts(self, name: str) -> bool:
        task = self._plan.tasks.get(name)
        return task is not None and task.effect in _ACTS

    def bug(self, name: str, traceback: str) -> None:
        """The task, or the run, was stopped by a bug; what its traceback says is not sent.

        It may have none: a process can end without a word.
        """
        head = f"{name} stopped by a bug in the tool or in dodo.py".strip()
        line = f"{head}; the terminal of the run shows more"
        self._tell(_Heard(_mark("bug", name, traceback), Message(head, line), name))
        self.ended_one(name)

    def alarms(self) -> None:
        """What must not be left as it is, and is so now, is told again once it was repaired."""
        for each, made in self._plan.alarms_and_marks():
            self._read_journal()
            line = cut(printable(f"!!! {each}"), _MOST_LETTERS)
            mark = _mark("alarm", made or str(self._repairs), each)
            self._tell(_Heard(mark, Message(line, line)))

    def ended(self, asked: Sequence[str], *, did_something: bool) -> None:
        """The run is over: what else there is to hear of what was ``asked`` for."""
        for each in _of_run(self._plan, asked, did_something):
            self._tell(each)

    def waited(self, asked: Sequence[str], long: str) -> None:
        """Nothing goes on by itself any more after so long; for whom that is, is told again."""
        self._plan.look_anew()
        head = f"still waiting after {long}"
        lines = [f"{head}: nothing goes on by itself; run the same command again"]
        lines += [each.message.line for each in _of_run(self._plan, asked, did_something=False)]
        at = self._plan.context.clock.now().isoformat()
        self._tell(_Heard(_mark("waited", at), Message(head, "\n".join(lines))))

    def finish(self) -> list[str]:
        """All was told, or was tried; a line for each way that it could not be told in."""
        return [*dict.fromkeys((*self._problems, *self._sender.finish()))]

    def _tell(self, heard: _Heard) -> None:
        hour = self._plan.held_until
        if hour is not None and self._plan.context.clock.now() < hour:
            return
        try:
            self._read_journal()
            done_at = self._done_at.get(heard.task)
            mark = _mark(heard.mark, done_at) if done_at else heard.mark
            if mark in self._told:
                return
            if not self._sender.is_there():
                self._problems.append(_NOBODY.format("what notifies them was ended"))
                return
            journal, head = self._plan.context.journal, heard.message.head
            journal.append(_EVENT, sealed=True, what=mark, said=head)
        except OSError as error:
            self._problems.append(_NOBODY.format(printable(str(error))))
            return
        self._told.add(mark)
        self._sender.give(heard.message)

    def _read_journal(self) -> None:
        if self._repairs >= 0:
            return
        journal = self._plan.context.journal
        self._told = {str(entry.get("what")) for entry in journal.latest_of(_EVENT)}
        for entry in journal.latest_of(_DONE):
            self._done_at[str(entry.get("task"))] = str(entry.get("at"))
        self._repairs = len(journal.latest_of(_MENDED))


def _of_task(name: str, state: TaskState, who: str, why: str, outcome: Outcome | None) -> _Heard:
    head = f"{name} {state.value}" + (f" for {who}" if who else "")
    line = cut(printable(f"{head}: {why}"), _MOST_LETTERS)
    inputs, since = (outcome.inputs, outcome.since) if outcome else ("", "")
    if state is TaskState.WAITING:
        # "2 of 3 have ended" tells nothing to who heard of 1, nor does a failure in between.
        why, since = _NUMBER.sub("0", why), ""
    mark = _mark(name, state.value, who, why, inputs, *filter(None, [since]))
    return _Heard(mark, Message(head, line), name)


def _of_run(plan: Plan, asked: Sequence[str], did_something: bool) -> Iterator[_Heard]:
    found = statuses(plan)
    wanted = {name for each in asked if each in plan.tasks for name in _with_needs(plan, each)}
    for name, status in found.items():
        if name in wanted and status.state in _STOPS and is_first(plan, name, found):
            outcome = plan.state.outcome(name)
            yield _of_task(name, status.state, status.who, status.why, outcome)
    remains = any(not found[name].lets_on for name in wanted)
    if did_something and wanted and not remains:
        what = ", ".join(asked)
        are = counted(len(wanted), "task is", "tasks are", all_=True)
        mark = _mark(_DONE, what, _last_done_at(plan, wanted))
        yield _Heard(mark, Message(f"{what} done", f"{what}: {are} done"))


def _last_done_at(plan: Plan, names: Collection[str]) -> str:
    """When the last of these steps was done; without those that every run asks again."""
    tasks = [plan.tasks[name] for name in names]
    steps = {each.name for each in tasks if each.kind is Kind.STEP and not each.volatile}
    done = plan.context.journal.latest_of(_DONE)
    return max((str(each.get("at")) for each in done if each.get("task") in steps), default="")


def _with_needs(plan: Plan, name: str) -> set[str]:
    needed = {*plan.needs(plan.tasks[name]), name}
    return {each for each in needed if plan.tasks[each].kind is not Kind.GROUP}


def _mark(*words: str) -> str:
    return sha256("\n".join(words).encode(errors="backslashreplace")).hexdigest()[:16]
