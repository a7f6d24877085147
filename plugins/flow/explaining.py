"""The why command: everything known about where one task stands."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from doit.exceptions import InvalidCommand

from plugins.flow.advice import command, to_look_at
from plugins.flow.command_line import OptionsAnywhere, no_such_task
from plugins.flow.loading import book_of
from plugins.flow.standing import State, standings
from plugins.flow.task import Kind
from plugins.model.errors import ReleaseError

if TYPE_CHECKING:
    from plugins.flow.book import Book

__all__ = ["Why", "explanation"]


class Why(OptionsAnywhere):
    """Say why a task is not done, what it is made from, and what it said last."""

    name = "why"
    doc_purpose = "say why a task is done, stale, waiting or blocked"
    doc_usage = "TASK ..."
    doc_description = None
    cmd_options = ()

    def _execute(self, pos_args: Any) -> int:
        book = book_of(self)
        if not pos_args:
            message = "doit why wants the name of a task; `doit list` shows them"
            raise InvalidCommand(message)
        for name in pos_args:
            if name not in book.tasks:
                raise no_such_task(name, book.tasks)
            self.outstream.write("\n".join(explanation(book, name)) + "\n")
        book.state.close()
        return 0


def explanation(book: Book, name: str) -> list[str]:
    """What there is to say about one task, a line each."""
    task = book.tasks[name]
    found = standings(book)
    standing = found[name]
    lines = [f"{name}: {task.title}", f"  {task.label}, {standing.state.value}"]
    if standing.state in (State.STALE, State.LATER) or task.kind is Kind.GROUP:
        lines[-1] += f", {standing.why}" if standing.why else ""
    if standing.who:
        lines.append(f"  who acts      {standing.who}")
    if task.kind is not Kind.GROUP and standing.state is not State.DONE:
        lines += [f"  because       {reason}" for reason in book.reasons(task)]
    if task.kind is Kind.APPROVAL and standing.state is State.WAITING:
        lines += _asked(book, name)
    outcome = book.state.outcome(name)
    if outcome is not None:
        lines.append(f"  said last     {outcome.message}")
        lines += [f"                {line}" for line in outcome.details]
    for each in task.after:
        lines.append(f"  needs         {each} ({found[each].state.value})")
    lines += [f"  reads         {path}" for path in task.reads]
    lines += [f"  makes         {path}" for path in task.writes]
    behind = [each for each, other in book.tasks.items() if name in other.after]
    if behind:
        lines.append(f"  then          {', '.join(behind)}")
    if task.pep:
        lines.append(f"  PEP 101       {', '.join(task.pep)}")
    if task.kind is not Kind.GROUP:
        lines += _records(book, name)
    return lines


def _asked(book: Book, name: str) -> list[str]:
    """What a person does for an approval."""
    look = to_look_at(book, name)
    told = [f"  look at       {look}"] if look else []
    return [*told, f"  with          {command('approve', name)}"]


def _records(book: Book, name: str) -> list[str]:
    lines = []
    try:
        receipt = book.receipt(name)
    except ReleaseError as error:
        return [f"  receipt       {error}"]
    if receipt is not None:
        lines.append(f"  receipt       {book.receipt_path(name)}")
        lines += [f"  fact          {key}: {text}" for key, text in sorted(receipt.facts.items())]
        lines += [f"  finding       {finding}" for finding in receipt.findings]
    log = book.release.layout.log(name)
    if log.exists():
        lines.append(f"  log           {log}")
    return lines
