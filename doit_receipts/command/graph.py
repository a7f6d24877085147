"""The graph command: which task waits for which, and how far each is, drawn or for Graphviz."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from doit_receipts.command.command_line import OptionsAnywhere, no_such_task
from doit_receipts.command.option import option
from doit_receipts.drawing import COLOURS, chain_left, drawing_of
from doit_receipts.durations import durations_s
from doit_receipts.loader import plan_of
from doit_receipts.printable import printable
from doit_receipts.status import statuses
from doit_receipts.task import Kind

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from doit_receipts.plan import Plan
    from doit_receipts.status import Status
    from doit_receipts.task import Task

__all__ = ["Graph", "dot"]

_SHAPES: Final = {Kind.STEP: "box", Kind.GATE: "hexagon", Kind.APPROVAL: "ellipse"}
_SVG: Final = option("svg", "the graph as an SVG file, drawn here, in place of Graphviz's language")


class Graph(OptionsAnywhere):
    """Write the graph of the tasks, each with its state, as SVG or in the language of Graphviz."""

    name = "graph"
    example = "doit graph --svg export > export.svg"
    doc_purpose = "write the graph of all tasks, or of what some need, for Graphviz or as SVG"
    doc_usage = "[TASK ...]"
    doc_description = None
    cmd_options = (_SVG,)

    def _execute(self, svg: bool, pos_args: Any) -> int:
        plan = plan_of(self)
        for name in pos_args or ():
            if name not in plan.tasks:
                raise no_such_task(name, plan.tasks)
        wanted = {each for name in pos_args for each in plan.needs(plan.tasks[name])}
        names = {*wanted, *pos_args} if pos_args else set(plan.tasks)
        text = _svg(plan, names) if svg else "\n".join(dot(plan, names))
        self.outstream.write(text + "\n")
        plan.state.close()
        return 0


def _svg(plan: Plan, names: Collection[str]) -> str:
    found = statuses(plan)
    chain, _ = chain_left(plan, found, durations_s(plan.folder), names)
    return drawing_of(plan, names).svg(found, chain, alone=True)


def dot(plan: Plan, names: Collection[str]) -> Iterator[str]:
    """The lines of a digraph: a cluster a chapter, a node a task, an arrow to what waits for it.

    Tasks with no path of arrows between them can run at once; the longest chain of what is left is
    thick, and who acts is below the name. An arrow that others imply is left out; so are groups.
    """
    found = statuses(plan)
    chain, _ = chain_left(plan, found, durations_s(plan.folder), names)
    tasks = [
        task for task in plan.tasks.values() if task.name in names and task.kind is not Kind.GROUP
    ]
    yield "digraph release {"
    yield '  rankdir=LR; node [style=filled, fontname="sans-serif"];'
    for key, title in plan.project.chapters.items():
        of_chapter = [task for task in tasks if task.chapter == key]
        if not of_chapter:
            continue
        yield f"  subgraph {_quoted(f'cluster_{key}')} {{"
        yield f"    label={_quoted(title)};"
        for task in of_chapter:
            yield f"    {_node(task, found[task.name], thick=task.name in chain)}"
        yield "  }"
    drawn = {task.name for task in tasks}
    for task in tasks:
        for before in task.after:
            if before in drawn and not _is_implied(plan, before, task.after):
                more = " [penwidth=3]" * (before in chain and task.name in chain)
                yield f"  {_quoted(before)} -> {_quoted(task.name)}{more};"
    yield "}"


def _node(task: Task, status: Status, *, thick: bool) -> str:
    tip = _quoted(f"{status.state.value}: {task.title}")
    colour = COLOURS[status.state][0]
    shape = "doubleoctagon" if task.is_public else _SHAPES[task.kind]
    who = printable(status.who or task.who)
    words = f"{task.name}\n{who}"
    more = f", label={_quoted(words)}" * bool(who) + ", penwidth=3" * thick
    name = _quoted(task.name)
    return f'{name} [shape={shape}, fillcolor="{colour}", tooltip={tip}{more}];'


def _is_implied(plan: Plan, name: str, others: Collection[str]) -> bool:
    """Whether another of these tasks waits for it already."""
    return any(name in plan.needs(plan.tasks[each]) for each in others if each != name)


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'
