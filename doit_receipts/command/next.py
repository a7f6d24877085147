"""The next command: what each person, and the next run, can do now."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from doit.exceptions import InvalidCommand

from doit_receipts.command.advice import awaited, goes_on, group_with, to_look_at, troubles, wrapped
from doit_receipts.command.colour import COLOUR, InColour
from doit_receipts.command.command_line import JSON, OptionsAnywhere
from doit_receipts.loader import plan_of
from doit_receipts.status import TaskState, is_first, statuses
from doit_receipts.status_document import about_release, as_document, told_status
from doit_receipts.task import Kind
from doit_receipts.task_times import shown_since

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from doit_receipts.plan import Plan

__all__ = ["Next", "can_be_done", "coming"]

_A_RUN: Final = "a run"
_WIDTH: Final = 80
_INDENT: Final = " " * 24


class Next(InColour, OptionsAnywhere):
    """Show who can do what now: the next run, the release manager, each expert."""

    name = "next"
    example = "doit next --json"
    doc_purpose = "show what each person, and the next run, can do now"
    doc_usage = ""
    doc_description = None
    cmd_options = (JSON, *COLOUR)

    def _execute(self, as_json: bool, pos_args: Any) -> int:
        if pos_args:
            message = "doit next takes no task; doit why TASK explains one"
            raise InvalidCommand(message)
        plan = plan_of(self)
        if as_json:
            self.outstream.write(as_document(can_be_done(plan)))
        else:
            self.write("\n".join(coming(plan)) + "\n")
        plan.state.close()
        return 0


def coming(plan: Plan) -> list[str]:
    """What can be done now, under the one who can do it, in lines for 80 columns."""
    told = can_be_done(plan)
    if told["done"]:
        return ["nothing: all tasks are done"]
    lines = list(told["troubles"])
    for each in told["running"]:
        lines += wrapped(f"running: {each['name']} {each['why']}", _WIDTH)
    for each in told["queued"]:
        lines += wrapped(f"queued: {each['name']} {each['why']}", _WIDTH)
    run = told["run"]
    if run["tasks"]:
        lines.append(f"{_A_RUN}: {run['command']}")
        for each in run["tasks"]:
            lines += _entry(each["name"], each["title"])
    for person in told["people"]:
        lines.append(f"{person['who']}:")
        for each in person["tasks"]:
            lines += _asked(each, plan.context.clock.now())
    if told["people"] and not run["tasks"]:
        lines.append(f"then {_A_RUN}: {run['command']}")
    return lines


def can_be_done(plan: Plan) -> dict[str, Any]:
    """The same as a document: what runs, what the next run does, and what people are asked for.

    What is ``queued`` begins in the run that is at work.

    ``troubles`` are sentences about what failed or is blocked. ``run`` has the command, and the
    tasks that it gets further with; of a person's tasks, ``command`` is what to type and
    ``look_at`` what to look at before, and ``asked`` what to do where there is no command.
    """
    found = statuses(plan)
    open_ = [
        name
        for name, task in plan.tasks.items()
        if task.kind is not Kind.GROUP
        and found[name].state is not TaskState.DONE
        and is_first(plan, name, found)
    ]
    able = [name for name in open_ if goes_on(found[name])]
    told = told_status(plan, found)
    people: dict[str, list[dict[str, Any]]] = {}
    for name in open_:
        if found[name].state is TaskState.WAITING:
            who, _, what = awaited(plan, name, found[name]).partition(": ")
            is_approval = plan.tasks[name].kind is Kind.APPROVAL
            people.setdefault(who, []).append(
                {
                    **_named(plan, name),
                    "since": told(name)["since"],
                    "asked": "" if is_approval else what,
                    "command": what if is_approval else "",
                    "look_at": to_look_at(plan, name) if is_approval else [],
                }
            )
    last = (able or open_)[-1:]
    return {
        **about_release(plan),
        "done": not open_,
        "troubles": troubles(plan, found, list(found)),
        **{
            state.value: [
                {**_named(plan, name), **told(name)} for name in open_ if found[name].state is state
            ]
            for state in (TaskState.RUNNING, TaskState.QUEUED)
        },
        "run": {
            "command": plan.project.command(group_with(plan, last[0])) if last else "",
            "tasks": [_named(plan, name) for name in able],
        },
        "people": [{"who": who, "tasks": theirs} for who, theirs in people.items()],
    }


def _named(plan: Plan, name: str) -> dict[str, Any]:
    return {"name": name, "title": plan.tasks[name].title}


def _asked(task: Mapping[str, Any], now: datetime) -> list[str]:
    """What one person is asked for; a command stands on a line of its own, to be copied."""
    what = task["title"] if task["command"] else task["asked"]
    lines = _entry(task["name"], what)
    # On a line of its own: "since 14:02 UTC: she has read it" would tell that it was done.
    if since := shown_since(task["since"], now):
        lines.append(f"{_INDENT}waiting {since}")
    if not task["command"]:
        return lines
    first = f"{_INDENT}look at: "
    for look in task["look_at"]:
        lines.append(f"{first}{look}")
        first = " " * len(first)
    return [*lines, f"{_INDENT}then:    {task['command']}"]


def _entry(name: str, words: str) -> list[str]:
    return wrapped(f"  {name:<22}{words}", _WIDTH, _INDENT)
