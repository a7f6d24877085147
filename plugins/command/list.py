"""The list command of this project: the engine's, and with --pep the release by PEP 101."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from doit.exceptions import InvalidCommand

from doit_receipts.command import list as engine
from doit_receipts.command.option import option
from doit_receipts.command.status_table import title, width_of
from doit_receipts.loader import plan_of
from doit_receipts.printable import counted
from plugins.command.python_release import PythonRelease

if TYPE_CHECKING:
    from collections.abc import Iterator

    from doit_receipts.plan import Plan
    from doit_receipts.status import Status
    from plugins.model.obligations import Obligation

__all__ = ["List", "by_pep"]

_INDENT: Final = " " * 8
_OPTION: Final = option(
    "pep",
    "the release by the chapters of PEP 101: what does each obligation of it, or why"
    " nothing does; with --status how far each task is",
)


class List(engine.List):
    """List tasks; with --status the status of each, with --pep what the PEP asks for."""

    cmd_options = (*engine.List.cmd_options, _OPTION)

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
        pep: Any = False,
    ) -> int:
        if not pep:
            return super()._execute(
                subtasks, quiet, status, private, list_deps, template, sort, pos_args, as_json
            )
        others = {"--json": as_json, "--deps": list_deps, "--template": template}
        other = next((word for word, is_given in others.items() if is_given), "")
        if other:
            message = f"doit list --pep has a form of its own; leave {other} out, or --pep"
            raise InvalidCommand(message)
        if pos_args:
            message = f"list --pep takes no names; doit why {pos_args[0]} explains one"
            raise InvalidCommand(message)
        plan = plan_of(self)
        columns = width_of(self.outstream)
        self.outstream.write(by_pep(plan, columns, with_status=status))
        plan.state.close()
        return 0


def by_pep(plan: Plan, columns: int, *, with_status: bool) -> str:
    """What PEP 101 and today's practice ask of this release, with what came of each, as text.

    Lines are at most ``columns`` wide; obligations of other kinds of release are left out.
    """
    # late: a plain listing does not read what the PEP asks for
    from doit_receipts.command.advice import wrapped
    from doit_receipts.status import statuses
    from plugins.model.obligations import obligations

    project = plan.project
    if not isinstance(project, PythonRelease):
        message = "list --pep is about a release of Python"
        raise InvalidCommand(message)
    found = statuses(plan) if with_status else {}
    lines, chapter, counts = [title(plan)], "", dict.fromkeys(_WORDS, 0)
    for each in obligations().by_name.values():
        if not project.owes(each):
            continue
        if each.chapter != chapter:
            chapter = each.chapter
            lines += ["", chapter]
        word, *below = _what_came(plan, each, found)
        counts[word] += 1
        lines += wrapped(f"  {each.name:<6}{each.wanted}", columns, _INDENT)
        for line in below:
            lines += wrapped(f"{_INDENT}{line}", columns, f"{_INDENT}  ")
    by_word = ", ".join(f"{count} {word}" for word, count in counts.items() if count)
    lines += ["", *wrapped(f"{counted(sum(counts.values()), 'obligation')}: {by_word}", columns)]
    return "\n".join(lines) + "\n"


_WORDS: Final = ("by tasks", "done", "obsolete", "open", "left out by release.toml")


def _what_came(plan: Plan, obligation: Obligation, found: dict[str, Status]) -> Iterator[str]:
    """The word that it is counted by, and then the lines below it."""
    verdict = obligation.verdict
    tasks = [
        task
        for task in plan.tasks.values()
        if obligation.name in task.labels.get("pep", ()) or task.name in obligation.tasks
    ]
    if verdict is not None:
        yield verdict.value
        source = f" ({obligation.source})" if verdict.value != "done" else ""
        yield f"{verdict.value}: {obligation.reason}{source}"
    else:
        yield _WORDS[0] if tasks else _WORDS[-1]
    for task in tasks:
        status = found.get(task.name)
        state = f"{status.state.value:<9}" if status else ""
        who = f" by {task.who}" if task.who else ""
        yield f"{state}{task.name:<24}{task.label}{who}"
    if verdict is None and not tasks:
        yield "no task: release.toml names nobody for it"
