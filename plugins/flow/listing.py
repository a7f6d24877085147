"""The list command: with --status the remaining work, judged together, for 80 columns."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from doit.cmd_list import List as DoitList

from plugins.flow.advice import next_steps, troubles, wrapped
from plugins.flow.command_line import OptionsAnywhere, no_such_task
from plugins.flow.loading import book_of
from plugins.flow.standing import State, standings
from plugins.flow.task import Kind
from plugins.model.errors import ReleaseError
from plugins.model.finding import Severity

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

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
_OPTIONS: Final = {
    "sort": {"default": "definition"},  # dodo.py tells the release in order; an alphabet does not
    "status": {"help": "where each task stands, what remains, and what to do next"},
}
_NARROWEST: Final = 60
_WIDTH: Final = 80


class List(OptionsAnywhere, DoitList):
    """List tasks; with --status where each stands, what remains, and what to do next."""

    cmd_options = tuple({**each, **_OPTIONS.get(each["name"], {})} for each in DoitList.cmd_options)

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
    if standing.state is State.READY and not standing.why:
        return book.tasks[name].title
    why = standing.why
    if book.tasks[name].kind is Kind.APPROVAL:
        why = why.partition("; ")[0]  # the command to type stands whole below the table
    return f"{standing.who}: {why}" if standing.who else why


def _ending(book: Book, found: dict[str, Standing], columns: int) -> list[str]:
    tasks = [name for name, task in book.tasks.items() if task.kind is not Kind.GROUP]
    counts = {state: sum(1 for name in tasks if found[name].state is state) for state in State}
    remaining = len(tasks) - counts[State.DONE]
    told = ", ".join(f"{count} {state.value}" for state, count in counts.items() if count)
    if not remaining:
        return [f"all {len(tasks)} tasks are done", *_passed(book, columns), "next: nothing"]
    lines = [f"{remaining} of {len(tasks)} tasks remain: {told}", *_passed(book, columns)]
    for each in troubles(book, found, tasks):
        lines += wrapped(each, columns)
    first = next(name for name in tasks if found[name].state is not State.DONE)
    return [*lines, *next_steps(book, found, tasks, _group_with(book, first))]


def _passed(book: Book, columns: int) -> list[str]:
    """What was let pass: by a waiver that holds, or by a gate with a word."""
    waived = [
        f"waived: {each.rule} by {each.by} until {each.until}: {each.reason}"
        for each in book.covering_waivers()
    ]
    return [_cut(line, columns) for line in (*waived, *_warned(book))]


def _warned(book: Book) -> Iterator[str]:
    """What gates let pass with a word, and without a waiver."""
    for name, task in book.tasks.items():
        if task.kind is not Kind.GATE:
            continue
        try:
            receipt = book.receipt(name)
        except ReleaseError:
            continue
        for finding in receipt.findings if receipt is not None else ():
            if f" {Severity.BLOCK.name}: " not in finding:
                yield f"{name}: {finding}"


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
