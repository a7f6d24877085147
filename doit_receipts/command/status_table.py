"""The status of a release as text: folded to what a screen holds, and at the end what to do."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, Any, Final

from doit_receipts.command.advice import group_with, next_steps, troubles, wrapped
from doit_receipts.command.command_line import no_such_task
from doit_receipts.errors import ReleaseError
from doit_receipts.finding import Severity
from doit_receipts.printable import counted, cut, share
from doit_receipts.status import TaskState, before_all, statuses
from doit_receipts.task import Kind
from doit_receipts.task_times import task_times, waits_since

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from doit_receipts.plan import Plan
    from doit_receipts.status import Status
    from doit_receipts.task_times import TaskTimes

__all__ = ["rows", "table", "title", "upcoming", "width_of"]

_SCREEN: Final = 24
"""A release of so many tasks is on one screen as it is."""
_MOST_NAMES: Final = 8
"""What comes after more tasks than that names the first and the last of them."""
_FEWEST: Final = 3
"""So many in a row that are done, or later, are one line."""
_NARROWEST: Final = 60
_WIDTH: Final = 80
_HEAD: Final = 32
"""Where a row has told the state and the name."""
_WORDS: Final = " " * 41


def rows(plan: Plan, names: Sequence[str], columns: int) -> str:
    """The lines of these tasks alone. Raises InvalidCommand for a name that no task has."""
    for name in names:
        if name not in plan.tasks:
            raise no_such_task(name, plan.tasks)
    found, times = statuses(plan), task_times(plan.folder, plan.state)
    lines = [line for name in names for line in _row(plan, name, found[name], times, columns)]
    return "\n".join(lines) + "\n"


def table(plan: Plan, columns: int, *, unfolded: bool = False) -> str:
    """The whole status of the release as text, at most ``columns`` wide.

    Chapters that are done, and those that are later, are a line each, unless there are few tasks
    or they are to be ``unfolded``.
    """
    found, times = statuses(plan), task_times(plan.folder, plan.state)
    tasks = _without_groups(plan)
    folds = not unfolded and len(tasks) > _SCREEN
    lines = [title(plan), ""]
    for chapter, members in groupby(tasks, lambda name: plan.tasks[name].chapter):
        names, heading = list(members), plan.project.chapters[chapter]
        if folds and len({_fold(found[name]) for name in names}) == 1 and _fold(found[names[0]]):
            lines += _folded(plan, heading, names, found, times, columns)
            continue
        lines.append(heading)
        for kind, run in groupby(names, lambda name: _fold(found[name])):
            together = list(run)
            if folds and kind and len(together) >= _FEWEST:
                lines.append(_run_of(together, kind, times))
                continue
            for name in together:
                lines += _row(plan, name, found[name], times, columns)
    lines.append("")
    for name, task in plan.tasks.items():
        if task.kind is Kind.GROUP:
            lines += _row(plan, name, found[name], times, columns)
    lines += ["", *_ending(plan, found, columns)]
    return "\n".join(lines) + "\n"


def _fold(status: Status) -> str:
    """The word that rows like it may be folded under; "" for what has to be seen."""
    if status.lets_on and status.state in (TaskState.DONE, TaskState.READY):
        return TaskState.DONE.value
    return TaskState.LATER.value if status.state is TaskState.LATER else ""


def _folded(
    plan: Plan,
    heading: str,
    names: Sequence[str],
    found: Mapping[str, Status],
    times: TaskTimes,
    columns: int,
) -> list[str]:
    """A whole chapter as one line; what is later tells what it comes after."""
    head = f"{heading:<{_HEAD - 1}} "
    if found[names[0]].state is TaskState.LATER:
        before = before_all(plan, names, found)
        after = ", ".join(before)
        if len(before) > _MOST_NAMES:
            after = f"{counted(len(before), 'task')}, {before[0]} to {before[-1]}"
        return wrapped(f"{head}{len(names)} later, after {after}", columns, " " * _HEAD)
    again = sum(found[name].state is not TaskState.DONE for name in names)
    done = f"all {len(names)} done" if not again else f"{len(names) - again} done"
    parts = (done, f"{again} passed, to be checked again" if again else "", times.of(names))
    return [head + ", ".join(part for part in parts if part)]


def _run_of(names: Sequence[str], kind: str, times: TaskTimes) -> str:
    took = times.of(names) if kind == TaskState.DONE.value else ""
    between = f"{names[0]} to {names[-1]}" + (f", {took}" if took else "")
    return f"  {kind:<8}{counted(len(names), 'task'):<22}{between}"


def title(plan: Plan) -> str:
    """Whose release it is, of what kind, and whether it is rehearsed."""
    project = plan.project
    rehearsal = "  REHEARSAL" if project.rehearsal else ""
    return f"{project.name} {project.version}  {project.headline}{rehearsal}".rstrip()


def _row(plan: Plan, name: str, status: Status, times: TaskTimes, columns: int) -> list[str]:
    label = plan.tasks[name].label
    head = f"  {status.state.value:<8}{name:<22}{label:<9}"
    words = _words(plan, name, status, times)
    line = f"{head}{words}".rstrip()
    if status.state is TaskState.LATER and len(line) > columns:
        return wrapped(line, columns, _WORDS)
    return [cut(line, columns)]


def _words(plan: Plan, name: str, status: Status, times: TaskTimes) -> str:
    if status.state is TaskState.READY and not status.why:
        return plan.tasks[name].title
    if status.state is TaskState.DONE and not status.why:
        took = times.of([name])
        return f"took {took}" if took else ""
    why = status.why
    if plan.tasks[name].kind is Kind.APPROVAL:
        why = why.partition("; ")[0]  # the command to type stands whole below the table
    if status.state is not TaskState.WAITING or plan.tasks[name].kind is Kind.GROUP:
        return f"{status.who}: {why}" if status.who else why
    return waits_since(status.who, why, times.since.get(name, ""), plan.context.clock.now())


def _ending(plan: Plan, found: dict[str, Status], columns: int) -> list[str]:
    tasks = _without_groups(plan)
    counts = {state: sum(1 for name in tasks if found[name].state is state) for state in TaskState}
    remaining = len(tasks) - counts[TaskState.DONE]
    by_state = ", ".join(f"{count} {state.value}" for state, count in counts.items() if count)
    if not remaining:
        return [
            f"{counted(len(tasks), 'task is', 'tasks are', all_=True)} done",
            *_passed(plan, columns),
            "next: nothing",
        ]
    lines = wrapped(
        f"{share(remaining, len(tasks), 'task', 'remains', 'remain')}: {by_state}", columns
    )
    lines += _passed(plan, columns)
    if counts[TaskState.RUNNING]:
        lines += wrapped(_rest(plan, found), columns)
    for each in troubles(plan, found, tasks):
        lines += wrapped(each, columns)
    # What a program said last is cut; a command that is to be copied is not.
    for each in upcoming(plan, found):
        lines.append(cut(each, columns) if each.startswith("running: ") else each)
    return lines


def _rest(plan: Plan, found: Mapping[str, Status]) -> str:
    # late: only while a run is at work
    from doit_receipts.drawing import rest_of
    from doit_receipts.durations import durations_s

    return rest_of(plan, found, durations_s(plan.folder))


def upcoming(plan: Plan, found: Mapping[str, Status]) -> list[str]:
    """Who does what next, a line each; nothing where all is done."""
    tasks = _without_groups(plan)
    first = next((name for name in tasks if found[name].state is not TaskState.DONE), None)
    return next_steps(plan, found, tasks, group_with(plan, first)) if first else []


def _without_groups(plan: Plan) -> list[str]:
    return [name for name, task in plan.tasks.items() if task.kind is not Kind.GROUP]


def _passed(plan: Plan, columns: int) -> list[str]:
    """Findings that did not block: those waived, and those a gate only warned about."""
    waived = [
        f"waived: {each.rule} by {each.by} until {each.until}: {each.reason}"
        for each in plan.receipts.covering_waivers()
    ]
    return [cut(line, columns) for line in (*waived, *_warned(plan))]


def _warned(plan: Plan) -> Iterator[str]:
    """What gates let pass with a word, and without a waiver."""
    for name, task in plan.tasks.items():
        if task.kind is not Kind.GATE:
            continue
        try:
            receipt = plan.receipts.receipt(name)
        except ReleaseError:
            continue
        for finding in receipt.findings if receipt is not None else ():
            if f" {Severity.BLOCK.name}: " not in finding:
                yield f"{name}: {finding}"


def width_of(out: Any) -> int:
    """How wide the terminal is; 80 where the list does not go to one."""
    if not getattr(out, "isatty", lambda: False)():
        return _WIDTH
    from shutil import get_terminal_size

    return max(_NARROWEST, get_terminal_size((_WIDTH, 24)).columns)
