"""The list command: with --status the remaining work, judged together, for 80 columns."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from doit.cmd_list import List as DoitList
from doit.exceptions import InvalidCommand

from doit_receipts.command.advice import group_with, next_steps, troubles, wrapped
from doit_receipts.command.command_line import OptionsAnywhere, no_such_task
from doit_receipts.errors import ReleaseError
from doit_receipts.finding import Severity
from doit_receipts.loader import plan_of
from doit_receipts.status import TaskState, statuses
from doit_receipts.task import Kind

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from doit_receipts.plan import Plan
    from doit_receipts.status import Status

__all__ = ["List", "coloured", "rows", "table", "title", "upcoming", "width_of"]

_OPTIONS: Final = {
    "sort": {"default": "definition"},  # dodo.py tells the release in order; an alphabet does not
    "status": {"help": "the status of each task, what remains, and what to do next"},
}
_JSON: Final = {
    "name": "as_json",
    "short": "",
    "long": "json",
    "type": bool,
    "default": False,
    "help": "the status of each task as one JSON document, for programs",
}
_NO_COLOUR: Final = {
    "name": "no_colour", "short": "", "long": "", "type": str, "default": "",
    "env_var": "NO_COLOR", "help": "whatever it is set to, the list has no colours",
}  # fmt: skip
_SHADES: Final = {
    "done": 32, "running": 34, "stale": 33, "ready": 36, "later": 2, "waiting": 33, "blocked": 31,
    "failed": 31,
}  # fmt: skip
_STATE: Final = re.compile(rf"^  ({'|'.join(_SHADES)})(?= )", re.MULTILINE)
_NARROWEST: Final = 60
_WIDTH: Final = 80


class List(OptionsAnywhere, DoitList):
    """List tasks; with --status the status of each, what remains, and what to do next."""

    cmd_options = (
        *({**each, **_OPTIONS.get(each["name"], {})} for each in DoitList.cmd_options),
        _JSON,
        _NO_COLOUR,
    )

    def _execute(
        self,
        subtasks: Any = False,
        quiet: Any = True,
        status: Any = False,
        private: Any = False,
        list_deps: Any = False,
        template: Any = None,
        sort: str = "name",
        pos_args: Any = None,
        as_json: Any = False,
        no_colour: str = "",
    ) -> int:
        if as_json:
            return self._write_document(pos_args)
        if not status or template or list_deps:
            result: int = super()._execute(
                subtasks, quiet, status, private, list_deps, template, sort, pos_args
            )
            return result
        plan = plan_of(self)
        columns = width_of(self.outstream)
        text = rows(plan, pos_args, columns) if pos_args else table(plan, columns)
        is_terminal = getattr(self.outstream, "isatty", lambda: False)()
        self.outstream.write(coloured(text) if is_terminal and not no_colour else text)
        plan.state.close()
        return 0

    def _write_document(self, pos_args: Sequence[str]) -> int:
        # late: the list for people needs no JSON
        from doit_receipts.status_document import status_document

        if pos_args:
            message = "list --json is of the whole release, and takes no names of tasks"
            raise InvalidCommand(message)
        plan = plan_of(self)
        found = statuses(plan)
        self.outstream.write(status_document(plan, found, upcoming(plan, found)))
        plan.state.close()
        return 0


def coloured(text: str) -> str:
    """The list with the word of each state in a colour of its own."""
    return _STATE.sub(lambda found: f"  \x1b[{_SHADES[found[1]]}m{found[1]}\x1b[0m", text)


def rows(plan: Plan, names: Sequence[str], columns: int) -> str:
    """The lines of these tasks alone. Raises InvalidCommand for a name that no task has."""
    for name in names:
        if name not in plan.tasks:
            raise no_such_task(name, plan.tasks)
    found = statuses(plan)
    return "".join(f"{_line(plan, name, found[name], columns)}\n" for name in names)


def table(plan: Plan, columns: int) -> str:
    """The whole status of the release as text, a line a task, at most ``columns`` wide."""
    found = statuses(plan)
    lines = [title(plan), ""]
    chapter = ""
    for name, task in plan.tasks.items():
        if task.kind is Kind.GROUP:
            continue
        if task.chapter != chapter:
            chapter = task.chapter
            lines.append(plan.project.chapters[chapter])
        lines.append(_line(plan, name, found[name], columns))
    lines.append("")
    for name, task in plan.tasks.items():
        if task.kind is Kind.GROUP:
            lines.append(_line(plan, name, found[name], columns))
    lines += ["", *_ending(plan, found, columns)]
    return "\n".join(lines) + "\n"


def title(plan: Plan) -> str:
    """Whose release it is, of what kind, and whether it is rehearsed."""
    project = plan.project
    rehearsal = "  REHEARSAL" if project.rehearsal else ""
    return f"{project.name} {project.version}  {project.headline}{rehearsal}".rstrip()


def _line(plan: Plan, name: str, status: Status, columns: int) -> str:
    label = plan.tasks[name].label
    words = _words(plan, name, status)
    return _cut(f"  {status.state.value:<8}{name:<22}{label:<9}{words}".rstrip(), columns)


def _words(plan: Plan, name: str, status: Status) -> str:
    if status.state is TaskState.READY and not status.why:
        return plan.tasks[name].title
    why = status.why
    if plan.tasks[name].kind is Kind.APPROVAL:
        why = why.partition("; ")[0]  # the command to type stands whole below the table
    return f"{status.who}: {why}" if status.who else why


def _ending(plan: Plan, found: dict[str, Status], columns: int) -> list[str]:
    tasks = _without_groups(plan)
    counts = {state: sum(1 for name in tasks if found[name].state is state) for state in TaskState}
    remaining = len(tasks) - counts[TaskState.DONE]
    by_state = ", ".join(f"{count} {state.value}" for state, count in counts.items() if count)
    if not remaining:
        return [f"all {len(tasks)} tasks are done", *_passed(plan, columns), "next: nothing"]
    lines = [f"{remaining} of {len(tasks)} tasks remain: {by_state}", *_passed(plan, columns)]
    for each in troubles(plan, found, tasks):
        lines += wrapped(each, columns)
    return [*lines, *upcoming(plan, found)]


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
    return [_cut(line, columns) for line in (*waived, *_warned(plan))]


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


def _cut(line: str, columns: int) -> str:
    return line if len(line) <= columns else line[: columns - 1] + "…"


def width_of(out: Any) -> int:
    """How wide the terminal is; 80 where the list does not go to one."""
    if not getattr(out, "isatty", lambda: False)():
        return _WIDTH
    from shutil import get_terminal_size

    return max(_NARROWEST, get_terminal_size((_WIDTH, 24)).columns)
