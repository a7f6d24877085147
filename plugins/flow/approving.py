"""The approve command: a person's signed green light for exactly what is there now."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from doit.exceptions import InvalidCommand

from plugins.flow.command_line import OptionsAnywhere
from plugins.flow.judging import home_of, roster_of
from plugins.flow.loading import book_of
from plugins.flow.opening import OPENED
from plugins.flow.performing import subject_of
from plugins.flow.standing import State, standings
from plugins.flow.task import Kind
from plugins.model.approval import Approval
from plugins.model.errors import ReleaseError, Waiting

if TYPE_CHECKING:
    from collections.abc import Iterable

    from plugins.flow.book import Book
    from plugins.flow.task import Task
    from plugins.ports.signing import Key

__all__ = ["Approve"]

_OPT_NOTE: Final = {
    "name": "note",
    "short": "m",
    "long": "note",
    "type": str,
    "default": "",
    "help": "a word that is signed with it, such as where the test report is",
}
_OPT_STATEMENT: Final = {
    "name": "statement",
    "short": "",
    "long": "statement",
    "type": bool,
    "default": False,
    "help": "only write what would be signed to standard output, to be signed elsewhere",
}


class Approve(OptionsAnywhere):
    """Sign a green light for exactly what is there now."""

    name = "approve"
    doc_purpose = "sign a green light for exactly what is there now"
    doc_usage = "TASK"
    doc_description = None
    cmd_options = (_OPT_NOTE, _OPT_STATEMENT)

    def _execute(self, note: str, statement: bool, pos_args: Any) -> int:
        book = book_of(self)
        if len(pos_args) != 1:
            message = f"doit approve wants the name of one approval: {_names(book)}"
            raise InvalidCommand(message)
        task = book.tasks.get(pos_args[0])
        if task is None or task.kind is not Kind.APPROVAL:
            message = f"'{pos_args[0]}' is not an approval of this release: {_names(book)}"
            raise InvalidCommand(message)
        try:
            approval = _approval(book, task, note)
            if statement:
                self.outstream.write(approval.to_bytes().decode())
                return 0
            lines = _approve(book, task, approval)
        except ReleaseError as error:
            self.outstream.write("\n".join((str(error), *error.details)) + "\n")
            return 1
        finally:
            book.state.close()
        self.outstream.write("\n".join(lines) + "\n")
        return 0


def _approval(book: Book, task: Task, note: str) -> Approval:
    """What the person says. Raises Waiting while there is nothing to say it of."""
    found = standings(book)
    open_ = [name for name in task.after if found[name].state is not State.DONE]
    if open_:
        raise Waiting(
            who="the release",
            problem=f"{', '.join(open_)} not done, so there is nothing to approve yet",
            remedy="run doit export",
        )
    subject = subject_of(book.inputs(task))
    return Approval(task.name, str(book.release.version), subject, task.who, note)


def _approve(book: Book, task: Task, approval: Approval) -> list[str]:
    from plugins.flow.green_lights import write
    from plugins.services.gnupg_signer import GnupgKeyring, GnupgSigner

    opened = OPENED.get()
    home = home_of(opened.settings)
    roster = roster_of(opened.settings, task.who)
    signer = GnupgSigner(home, _own_key(roster, GnupgKeyring(home).keys()))
    write(book.release.layout, approval, signer)
    book.desk.journal.append(
        "approved", sealed=True, task=task.name, subject=approval.subject, note=approval.note
    )
    book.state.keep_outcome(task.name, None)
    told = [f"{task.who} approves {task.name} of Python {book.release.version}: {task.title}"]
    for name in task.after:
        receipt = book.receipt(name)
        made = receipt.outputs if receipt else {}
        told.append(f"  {name}: result {book.result(name)[:16]}")
        told += [f"    {path} {digest[:16]}" for path, digest in sorted(made.items())]
    return [*told, f"signed by {signer.fingerprint}; if one of these changes, it is void"]


def _own_key(roster: tuple[str, ...], keys: Iterable[Key]) -> str:
    """The first key of the roster whose secret half is here."""
    here = {key.fingerprint for key in keys if key.secret}
    for fingerprint in roster:
        if fingerprint in here:
            return fingerprint
    return roster[0]


def _names(book: Book) -> str:
    return ", ".join(name for name, task in book.tasks.items() if task.kind is Kind.APPROVAL)
