"""The list command: with --status the remaining work, judged together, for 80 columns."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from doit.cmd_list import List as DoitList

from plugins.flow.command_line import EndsAsTold, no_such_task
from plugins.flow.loading import book_of
from plugins.flow.standing import State, next_task, standings
from plugins.flow.task import Kind
from plugins.model.errors import ReleaseError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from plugins.flow.book import Book
    from plugins.flow.standing import Standing

__all__ = ["CHAPTERS", "List", "rows", "table"]

CHAPTERS: Final = {
    1: "before anything",
    2: "the release clone",
    3: "hand over",
    4: "build and check",
    5: "green lights",
    6: "stage, verify, switch",
    7: "merge back and push",
    8: "website and CDN",
    9: "announce and close",
}
_NARROWEST: Final = 60
_WIDTH: Final = 80


class List(EndsAsTold, DoitList):
    """List tasks; with --status where each stands, what remains, and what to do next."""

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
    ) -> int:
        if not status or template or list_deps:
            result: int = super()._execute(
                subtasks, quiet, status, private, list_deps, template, sort, pos_args
            )
            return result
        book = book_of(self)
        columns = _columns(self.outstream)
        self.outstream.write(rows(book, pos_args, columns) if pos_args else table(book, columns))
        book.state.close()
        return 0


def rows(book: Book, names: Sequence[str], columns: int) -> str:
    """The lines of these tasks alone. Raises InvalidCommand for a name that no task has."""
    for name in names:
        if name not in book.tasks:
            raise no_such_task(name, book.tasks)
    found = standings(book)
    return "".join(f"{_line(book, name, found[name], columns)}\n" for name in names)


def table(book: Book, columns: int) -> str:
    """The whole standing of the release as text, a line a task, at most ``columns`` wide."""
    found = standings(book)
    lines = [_title(book), ""]
    chapter = 0
    for name, task in book.tasks.items():
        if task.kind is Kind.GROUP:
            continue
        if task.chapter != chapter:
            chapter = task.chapter
            lines.append(f"{chapter} {CHAPTERS[chapter]}")
        lines.append(_line(book, name, found[name], columns))
    lines.append("")
    for name, task in book.tasks.items():
        if task.kind is Kind.GROUP:
            lines.append(_line(book, name, found[name], columns))
    lines += ["", *_ending(book, found, columns)]
    return "\n".join(lines) + "\n"


def _title(book: Book) -> str:
    release = book.release
    kind = release.type.name.lower().replace("_", " ")
    rehearsal = "  REHEARSAL" if release.rehearsal else ""
    return f"Python {release.version}  {kind}, from {release.branch}{rehearsal}"


def _line(book: Book, name: str, standing: Standing, columns: int) -> str:
    label = book.tasks[name].label
    words = _words(book, name, standing)
    return _cut(f"  {standing.state.value:<8}{name:<22}{label:<9}{words}".rstrip(), columns)


def _words(book: Book, name: str, standing: Standing) -> str:
    if standing.state in (State.DONE, State.READY) and not standing.why:
        return "" if standing.state is State.DONE else book.tasks[name].title
    return f"{standing.who}: {standing.why}" if standing.who else standing.why


def _ending(book: Book, found: dict[str, Standing], columns: int) -> list[str]:
    tasks = [name for name, task in book.tasks.items() if task.kind is not Kind.GROUP]
    counts = {state: sum(1 for name in tasks if found[name].state is state) for state in State}
    remaining = len(tasks) - counts[State.DONE]
    told = ", ".join(f"{count} {state.value}" for state, count in counts.items() if count)
    lines = [f"{remaining} of {len(tasks)} tasks remain: {told}"]
    lines += [
        _cut(f"waived: {each.rule} by {each.by} until {each.until}: {each.reason}", columns)
        for each in book.covering_waivers()
    ]
    warned = _warned(book)
    if warned:
        lines.append(_cut(f"warned by {', '.join(warned)}: doit why tells of what", columns))
    first = next_task(book, found)
    if not first:
        return [*lines, "next: nothing; all is done"]
    standing = found[first]
    match standing.state:
        case State.FAILED | State.BLOCKED:
            lines.append(_cut(f"next: doit why {first}", columns))
        case State.WAITING:
            lines.append(_cut(f"next: {standing.who or 'somebody'}: doit approve {first}", columns))
        case _:
            lines.append(f"next: doit {_group_with(book, first)}")
    return lines


def _warned(book: Book) -> list[str]:
    """The gates that let something pass with a word."""
    warned = []
    for name, task in book.tasks.items():
        if task.kind is not Kind.GATE:
            continue
        try:
            receipt = book.receipt(name)
        except ReleaseError:
            continue
        if receipt is not None and receipt.findings:
            warned.append(name)
    return warned


def _group_with(book: Book, name: str) -> str:
    """The first group that the task is part of, or the task itself."""
    behind = {name}
    for each, task in book.tasks.items():
        if behind.intersection(task.after):
            if task.kind is Kind.GROUP:
                return each
            behind.add(each)
    return name


def _cut(line: str, columns: int) -> str:
    return line if len(line) <= columns else line[: columns - 1] + "…"


def _columns(out: Any) -> int:
    """How wide the terminal is; 80 where the list does not go to one."""
    if not getattr(out, "isatty", lambda: False)():
        return _WIDTH
    from shutil import get_terminal_size

    return max(_NARROWEST, get_terminal_size((_WIDTH, 24)).columns)
