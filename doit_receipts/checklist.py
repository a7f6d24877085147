"""Checklist: a release as Markdown for an issue, a box for each task, where people follow it."""

from __future__ import annotations

import re
from itertools import groupby
from typing import TYPE_CHECKING, Final

from doit_receipts.command.status_table import title, upcoming
from doit_receipts.printable import addresses, cut, printable, share
from doit_receipts.status import TaskState, statuses
from doit_receipts.task import Kind

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from doit_receipts.plan import Plan
    from doit_receipts.status import Status

__all__ = ["checklist"]

_MARKUP: Final = re.compile(r"([\\`*_{}\[\]<>#|~@!])")
_SCHEME: Final = re.compile(r"\bhttps?:(?=//)")
_MOST_LETTERS: Final = 200
_MOST_OF_PROBLEM: Final = 1000
_TOLD: Final = (
    TaskState.RUNNING, TaskState.WAITING, TaskState.BLOCKED, TaskState.FAILED, TaskState.STALE,
)  # fmt: skip


def checklist(plan: Plan, problem: str = "") -> str:
    """The Markdown, which ends with a line's end: the same status gives the same bytes.

    A chapter that is done is folded. What others wrote is text in it, and calls nobody by name. Of
    a task that runs it tells neither the time nor the log, which are others at each look. What is
    a ``problem`` of all that it says stands above it.
    """
    found = statuses(plan)
    tasks = [name for name, task in plan.tasks.items() if task.kind is not Kind.GROUP]
    done = sum(found[name].state is TaskState.DONE for name in tasks)
    lines = [
        *([f"**{_text(problem, _MOST_OF_PROBLEM)}**", ""] if problem else []),
        f"## {_text(title(plan))}",
        "",
        f"{share(done, len(tasks), 'task', 'is', 'are')} done.",
        "",
    ]
    lines += [f"- {_text(line)}" for line in upcoming(plan, found) if not _lives(line)]
    for chapter, members in groupby(tasks, lambda name: plan.tasks[name].chapter):
        names, heading = list(members), _text(plan.project.chapters[chapter])
        boxes = [_box(plan, name, found) for name in names]
        if all(found[name].lets_on for name in names):
            lines += ["", "<details>", f"<summary>{heading}: all {len(names)} done</summary>", ""]
            lines += [*boxes, "", "</details>"]
        else:
            lines += ["", f"### {heading}", "", *boxes]
    return "\n".join(lines) + "\n"


def _box(plan: Plan, name: str, found: Mapping[str, Status]) -> str:
    task, status = plan.tasks[name], found[name]
    box = "x" if status.lets_on else " "
    return f"- [{box}] `{name}` {' '.join(_words(task.title, status))}"


def _words(meaning: str, status: Status) -> Iterator[str]:
    yield _text(meaning)
    if status.state in _TOLD:
        lives = status.state is TaskState.RUNNING
        said = f": {_text(status.why)}" if status.why and not lives else ""
        who = f" for {_text(status.who)}" if status.who else ""
        yield f"**{status.state.value}**{who}{said}"


def _lives(line: str) -> bool:
    return line.startswith("running: ")


def _text(words: str, most: int = _MOST_LETTERS) -> str:
    """The words as they are: no markup but addresses, no name that is called, no line's end."""
    shown, made, at = cut(printable(words), most), "", 0
    for start, end in addresses(shown):
        # In these brackets everything is the address, whatever it holds.
        made += f"{_escaped(shown[at:start])}<{shown[start:end]}>"
        at = end
    return made + _escaped(shown[at:])


def _escaped(words: str) -> str:
    # Where people follow it, an address is a link without brackets too, also one that was cut.
    apart = _SCHEME.sub("\\g<0>\u200b", words)
    return _MARKUP.sub(r"\\\1", apart).replace(r"\@", "@\u200b")
