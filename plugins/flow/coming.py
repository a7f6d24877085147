"""The next command: what each person, and the next run, can do now."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from doit.exceptions import InvalidCommand

from plugins.flow.advice import awaited, command, troubles
from plugins.flow.command_line import OptionsAnywhere
from plugins.flow.loading import book_of
from plugins.flow.standing import State, is_first, standings
from plugins.flow.task import Kind

if TYPE_CHECKING:
    from plugins.flow.book import Book

__all__ = ["Next", "coming"]

_A_RUN: Final = "a run"


class Next(OptionsAnywhere):
    """Show who can do what now: the next run, the release manager, each expert."""

    name = "next"
    doc_purpose = "show what each person, and the next run, can do now"
    doc_usage = ""
    doc_description = None
    cmd_options = ()

    def _execute(self, pos_args: Any) -> int:
        if pos_args:
            message = "doit next takes no task; doit why TASK tells of one"
            raise InvalidCommand(message)
        book = book_of(self)
        self.outstream.write("\n".join(coming(book)) + "\n")
        book.state.close()
        return 0


def coming(book: Book) -> list[str]:
    """A line for each thing that can be done now, under the one who can do it."""
    found = standings(book)
    open_ = [
        name
        for name, task in book.tasks.items()
        if task.kind is not Kind.GROUP
        and found[name].state is not State.DONE
        and is_first(book, name, found)
    ]
    if not open_:
        return ["nothing: all tasks are done"]
    able = [name for name in open_ if found[name].state in (State.READY, State.STALE)]
    lines = troubles(book, found, list(found))
    if able:
        lines.append(f"{_A_RUN}: {command('publish')}")
        lines += [f"  {name:<22}{book.tasks[name].title}" for name in able]
    people: dict[str, list[str]] = {}
    for name in open_:
        if found[name].state is State.WAITING:
            who, _, what = awaited(book, name, found[name]).partition(": ")
            people.setdefault(who, []).append(f"  {name:<22}{what}")
    for who, theirs in people.items():
        lines += [f"{who}:", *theirs]
    return lines
