"""Advice: what is in the way of a release, and who does what next, in words for a terminal."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Final

from doit_receipts.errors import ReleaseError
from doit_receipts.status import TaskState, approve_command, is_first
from doit_receipts.task import Kind

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from doit_receipts.plan import Plan
    from doit_receipts.status import Status

__all__ = [
    "awaited",
    "goes_on",
    "group_with",
    "next_steps",
    "to_look_at",
    "troubles",
    "wrapped",
]

_SHOWN: Final = 3
_INDENT: Final = "    "


def troubles(plan: Plan, found: Mapping[str, Status], names: Collection[str]) -> list[str]:
    """What is in the way among these tasks: a sentence for each that failed or is blocked."""
    stopped = [name for name in names if _stops(found[name]) and is_first(plan, name, found)]
    lines = [f"{name} {found[name].state.value}: {found[name].why}" for name in stopped[:_SHOWN]]
    if len(stopped) > _SHOWN:
        lines.append(f"{', '.join(stopped[_SHOWN:])}: as well")
    return lines


def next_steps(
    plan: Plan, found: Mapping[str, Status], names: Collection[str], group: str
) -> list[str]:
    """Who does what next so that these tasks get done; each is one line, a command unbroken.

    ``group`` is what to run for it. What is in the way goes first; else what a run can do, and
    what people can do meanwhile.
    """
    open_ = [
        name
        for name in names
        if found[name].state is not TaskState.DONE and is_first(plan, name, found)
    ]
    waiting = [name for name in open_ if found[name].state is TaskState.WAITING]
    also = [f"also: {awaited(plan, name, found[name])}" for name in waiting]
    running = [name for name in open_ if found[name].state is TaskState.RUNNING]
    if running or any(found[name].state is TaskState.QUEUED for name in open_):
        return [*(f"running: {name} {found[name].why}" for name in running), *also]
    stopped = [name for name in open_ if _stops(found[name])]
    if stopped:
        return [
            f"next: mend that, then {plan.project.command(group)}",
            _more_about(plan, stopped),
            *also,
        ]
    if not waiting or any(goes_on(found[name]) for name in open_):
        return [f"next: {plan.project.command(group)}", *also]
    people = [f"next: {awaited(plan, name, found[name])}" for name in waiting]
    return [*people, f"then: {plan.project.command(group)}"]


def group_with(plan: Plan, name: str) -> str:
    """The first group that the task is part of, or the task itself."""
    behind = {name}
    for each, task in plan.tasks.items():
        if behind.intersection(task.after):
            if task.kind is Kind.GROUP:
                return each
            behind.add(each)
    return name


def goes_on(status: Status) -> bool:
    """Whether a run gets further with this task; a gate that only looks again is no progress."""
    return status.state in (TaskState.READY, TaskState.STALE) and not status.passed


def to_look_at(plan: Plan, name: str) -> list[str]:
    """What to look at before this approval is given: paths, or else commands that show it.

    Empty where nothing on this machine was made that could be looked at, or nothing yet.
    """
    files: list[str] = []
    refs: list[str] = []
    for before in plan.tasks[name].after:
        try:
            receipt = plan.receipts.receipt(before)
        except ReleaseError:
            continue
        for path in sorted(receipt.outputs if receipt else ()):
            clone, git, ref = path.partition("/.git/")
            place = _from_here(plan.folder.work / (clone if git else path))
            if git:
                refs.append(shlex.join(("git", "-C", place, "show", ref)))
            else:
                files.append(shlex.quote(place))
    return files or refs[:1]


def _from_here(path: Path) -> str:
    here = Path.cwd()
    return str(path.relative_to(here) if path.is_relative_to(here) else path)


def wrapped(line: str, columns: int, indent: str = _INDENT) -> list[str]:
    """The line in pieces of that width; words, and so paths and commands, stay whole."""
    if len(line) <= columns:
        return [line]
    import re
    from textwrap import wrap

    # A space that no line breaks at holds each command together.
    held = re.sub(
        r"\bdoit (?:-f (?:'[^']*'|\S+) )?[a-z]+ [a-z_]+",
        lambda found: found[0].replace(" ", "\xa0"),
        line,
    )
    pieces = wrap(
        held,
        columns,
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
    )
    return [piece.replace("\xa0", " ") for piece in pieces]


def _stops(status: Status) -> bool:
    return status.state in (TaskState.FAILED, TaskState.BLOCKED)


def _more_about(plan: Plan, names: list[str]) -> str:
    return f"more: {plan.project.command('why', *names[:_SHOWN])}"


def awaited(plan: Plan, name: str, status: Status) -> str:
    """Who is waited for, a colon, and what they do: a command where there is one."""
    who = status.who or "somebody"
    if plan.tasks[name].kind is Kind.APPROVAL:
        return f"{who}: {approve_command(plan, name)}"
    return f"{who}: {status.why}"
