"""The next command: what each person, and the next run, can do now."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from doit.exceptions import InvalidCommand

from doit_receipts.command.advice import awaited, goes_on, group_with, to_look_at, troubles, wrapped
from doit_receipts.command.command_line import OptionsAnywhere
from doit_receipts.loader import plan_of
from doit_receipts.status import TaskState, is_first, statuses
from doit_receipts.task import Kind

if TYPE_CHECKING:
    from doit_receipts.plan import Plan

__all__ = ["Next", "coming"]

_A_RUN: Final = "a run"
_WIDTH: Final = 80
_INDENT: Final = " " * 24


class Next(OptionsAnywhere):
    """Show who can do what now: the next run, the release manager, each expert."""

    name = "next"
    doc_purpose = "show what each person, and the next run, can do now"
    doc_usage = ""
    doc_description = None
    cmd_options = ()

    def _execute(self, pos_args: Any) -> int:
        if pos_args:
            message = "doit next takes no task; doit why TASK explains one"
            raise InvalidCommand(message)
        plan = plan_of(self)
        self.outstream.write("\n".join(coming(plan)) + "\n")
        plan.state.close()
        return 0


def coming(plan: Plan) -> list[str]:
    """What can be done now, under the one who can do it, in lines for 80 columns."""
    found = statuses(plan)
    open_ = [
        name
        for name, task in plan.tasks.items()
        if task.kind is not Kind.GROUP
        and found[name].state is not TaskState.DONE
        and is_first(plan, name, found)
    ]
    if not open_:
        return ["nothing: all tasks are done"]
    able = [name for name in open_ if goes_on(found[name])]
    lines = troubles(plan, found, list(found))
    for name in open_:
        if found[name].state is TaskState.RUNNING:
            lines += wrapped(f"running: {name} {found[name].why}", _WIDTH)
    if able:
        lines.append(f"{_A_RUN}: {plan.project.command(group_with(plan, able[-1]))}")
        for name in able:
            lines += _entry(name, plan.tasks[name].title)
    people: dict[str, list[str]] = {}
    for name in open_:
        if found[name].state is TaskState.WAITING:
            who, _, what = awaited(plan, name, found[name]).partition(": ")
            people.setdefault(who, []).extend(_asked(plan, name, what))
    for who, theirs in people.items():
        lines += [f"{who}:", *theirs]
    if people and not able:
        lines.append(f"then {_A_RUN}: {plan.project.command(group_with(plan, open_[-1]))}")
    return lines


def _asked(plan: Plan, name: str, what: str) -> list[str]:
    """What one person is asked for; a command stands on a line of its own, to be copied."""
    if plan.tasks[name].kind is not Kind.APPROVAL:
        return _entry(name, what)
    lines = _entry(name, plan.tasks[name].title)
    first = f"{_INDENT}look at: "
    for look in to_look_at(plan, name):
        lines.append(f"{first}{look}")
        first = " " * len(first)
    return [*lines, f"{_INDENT}then:    {what}"]


def _entry(name: str, words: str) -> list[str]:
    return wrapped(f"  {name:<22}{words}", _WIDTH, _INDENT)
