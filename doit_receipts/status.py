"""The status of every task, from done to failed, judged together.

doit asks each task alone; here a task counts as done only if everything before it is.
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Final

from doit_receipts.approval import Approval
from doit_receipts.approvals import beginning
from doit_receipts.durations import durations_s
from doit_receipts.errors import ReleaseError
from doit_receipts.frozen import frozen
from doit_receipts.plain_file import read_plain
from doit_receipts.printable import cut
from doit_receipts.receipts import ASKED_AGAIN, NOT_DONE
from doit_receipts.runner import situation, subject_of
from doit_receipts.running import held_up_tasks, running_tasks, shown_time
from doit_receipts.task import Kind

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from doit_receipts.plan import Plan
    from doit_receipts.running import Running
    from doit_receipts.task import Task

__all__ = [
    "STOPPED",
    "Status",
    "TaskState",
    "approve_command",
    "before_all",
    "is_first",
    "statuses",
]

_MOST_OF_LOG: Final = 100


class TaskState(Enum):
    """Where a task stands; the value is the word that people read."""

    DONE = "done"
    RUNNING = "running"
    QUEUED = "queued"
    """The run that is at work begins it once others of that run no longer have what it needs."""
    STALE = "stale"
    READY = "ready"
    LATER = "later"
    """Behind a task that is not done."""
    WAITING = "waiting"
    """For a person, or for something outside."""
    BLOCKED = "blocked"
    FAILED = "failed"


STOPPED: Final = (TaskState.WAITING, TaskState.FAILED, TaskState.BLOCKED)
"""The states of what was tried and is not done, each since a moment."""
_FIRST_TOLD: Final = {
    TaskState.RUNNING: "is running",
    TaskState.QUEUED: "is queued",
    TaskState.FAILED: "failed",
    TaskState.BLOCKED: "blocked",
}
"""What a group says of the first of its tasks that stands so, the most telling state first."""


@frozen
class Status:
    """A task's state and, in a few words, why; ``who`` is the person who has to act.

    A gate that ``passed`` and is checked again in every run is not done, and holds nothing up.
    """

    state: TaskState
    why: str = ""
    who: str = ""
    passed: bool = False

    @property
    def lets_on(self) -> bool:
        """Whether what stands behind the task need not wait for it."""
        return self.state is TaskState.DONE or self.passed


def statuses(plan: Plan) -> dict[str, Status]:
    """The status of every task of the plan, in its order."""
    found: dict[str, Status] = {}
    running = {each.task: each for each in running_tasks(plan.folder)}
    took_s = durations_s(plan.folder) if running else {}
    held_up = held_up_tasks(plan.folder) if running else {}
    open_before = _OpenBefore(plan)
    for name, task in plan.tasks.items():
        open_ = open_before.of(name, found)
        found[name] = (
            _group(plan, task, found) if task.kind is Kind.GROUP else _one(plan, task, open_)
        )
        if name in held_up:
            why = f"waits for {held_up[name]}"
            found[name] = Status(TaskState.QUEUED, why, passed=found[name].lets_on)
        if name in running:
            found[name] = _running(plan, running[name], found[name], took_s.get(name, 0.0))
    return found


class _OpenBefore:
    """What each task waits for itself: open tasks, without those that another of them waits for."""

    def __init__(self, plan: Plan) -> None:
        self._tasks = plan.tasks
        self._bits: dict[str, int] = {}
        self._far: dict[str, int] = {}

    def of(self, name: str, found: Mapping[str, Status]) -> list[str]:
        """The names, in the order in which the task was declared to come after them.

        Asked of all tasks in their order: each once those before it are ``found``.
        """
        open_ = [each for each in self._tasks[name].after if not found[each].lets_on]
        far, near = 0, 0
        for each in open_:
            far |= self._far[each]
            near |= self._bits[each]
        self._bits[name] = 1 << len(self._bits)
        self._far[name] = far | near
        if not far & near:
            return open_
        return [each for each in open_ if not self._bits[each] & far]

    def nearest(self, names: Iterable[str]) -> list[str]:
        """Those of the names that no other of them waits for."""
        far = 0
        for each in (names := list(names)):
            far |= self._far[each]
        return [each for each in names if not self._bits[each] & far]


def before_all(plan: Plan, names: Iterable[str], found: Mapping[str, Status]) -> list[str]:
    """What these tasks wait for together: open tasks that are none of them, the nearest ones."""
    theirs = set(names)
    waited: dict[str, None] = {}
    open_before = _OpenBefore(plan)
    for name in plan.tasks:
        before = open_before.of(name, found)
        if name in theirs:
            waited |= dict.fromkeys(each for each in before if each not in theirs)
    return open_before.nearest(waited)


def _running(plan: Plan, running: Running, before: Status, took_s: float) -> Status:
    """Since when it runs, how long it will by earlier runs, and the last line of its log."""
    for_s = plan.context.clock.now().timestamp() - running.since_s
    why = f"for {shown_time(for_s)}"
    if took_s >= 1:
        left = f"about {shown_time(took_s - for_s)} left"
        why += f", {left}" if for_s < took_s else f", usually {shown_time(took_s)}"
    why += f": {cut(running.last_line, _MOST_OF_LOG)}" if running.last_line else ""
    return Status(TaskState.RUNNING, why, passed=before.lets_on)


def is_first(plan: Plan, name: str, found: Mapping[str, Status]) -> bool:
    """Whether nothing before the task is open."""
    return all(found[each].lets_on for each in plan.tasks[name].after)


def _group(plan: Plan, task: Task, found: dict[str, Status]) -> Status:
    """Where the least of all that the group needs stands."""
    needed = [name for name in plan.needs(task) if plan.tasks[name].kind is not Kind.GROUP]
    open_ = [name for name in needed if found[name].state is not TaskState.DONE]
    if not open_:
        return Status(TaskState.DONE)
    left = f"{len(open_)} of {len(needed)} left"
    for state, word in _FIRST_TOLD.items():
        for name in open_:
            if found[name].state is state:
                return Status(state, f"{left}; {name} {word}")
    able = [name for name in open_ if found[name].state in (TaskState.READY, TaskState.STALE)]
    people = sorted({found[name].who for name in open_ if found[name].who})
    if people and not any(is_first(plan, name, found) for name in able):
        return Status(TaskState.WAITING, f"{left}, for {', '.join(people)}")
    stale = any(found[name].state is TaskState.STALE for name in open_)
    return Status(TaskState.STALE if stale else TaskState.READY, left)


def _one(plan: Plan, task: Task, open_: list[str]) -> Status:
    reasons = plan.receipts.reasons(task)
    done_before = reasons != (NOT_DONE,)
    if open_:
        if done_before:
            return Status(TaskState.STALE, f"behind {open_[0]}")
        return Status(TaskState.LATER, f"after {', '.join(open_)}")
    if not reasons:
        return Status(TaskState.DONE)
    if task.kind is Kind.APPROVAL:
        fresh = Status(TaskState.WAITING, approve_command(plan, task.name), task.who)
    elif reasons == (ASKED_AGAIN,):
        fresh = Status(TaskState.READY, "passed; checked again in every run", passed=True)
    elif done_before and task.volatile and plan.receipts.guarded_happened(task):
        # Judged once more by the next run, and nothing behind it is less done for that.
        fresh = Status(TaskState.READY, f"passed; checked again: {reasons[0]}", passed=True)
    elif done_before:
        fresh = Status(TaskState.STALE, reasons[0])
    else:
        fresh = Status(TaskState.READY)
    return _last_word(plan, task) or _given(plan, task) or fresh


def approve_command(plan: Plan, name: str) -> str:
    """The words to type for an approval of what is there now, by its digest where it has one."""
    try:
        subject = subject_of(plan.receipts.inputs(plan.tasks[name]))
    except ReleaseError:
        return plan.project.command("approve", name)
    return plan.project.command("approve", name, beginning(subject))


def _given(plan: Plan, task: Task) -> Status | None:
    """An approval of what is there now, to be judged and taken up by the next run."""
    if task.kind is not Kind.APPROVAL:
        return None
    try:
        raw = read_plain(plan.folder.approval(task.name))
        approval = Approval.from_bytes(raw, task.name)
        subject = subject_of(plan.receipts.inputs(task))
    except (OSError, ReleaseError):
        return None
    if approval.subject != subject:
        return None
    return Status(TaskState.READY, f"approved by {approval.by}; the next run takes it up")


def _last_word(plan: Plan, task: Task) -> Status | None:
    """What the task said when it was last tried, if it was tried with what is there now."""
    outcome = plan.state.outcome(task.name)
    if outcome is None:
        return None
    if situation(plan, task) != outcome.inputs:
        return None
    kind, _, who = outcome.kind.partition(" ")
    return Status(TaskState(kind), outcome.message, who)
