"""The approve command: a person's signed green light, and what it is worth when a run asks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from doit.cmd_base import DoitCmdBase
from doit.exceptions import InvalidCommand

from plugins.flow.loading import book_of
from plugins.flow.opening import OPENED
from plugins.flow.performing import subject_of
from plugins.flow.standing import State, standings
from plugins.flow.task import Kind
from plugins.model.approval import Approval
from plugins.model.errors import ReleaseError, SettingsError, Waiting

if TYPE_CHECKING:
    from plugins.flow.book import Book
    from plugins.flow.task import Task
    from plugins.model.release import Release
    from plugins.model.settings import Settings

__all__ = ["Approve", "judge"]

_RM: Final = "RM"
_OPT_NOTE: Final = {
    "name": "note",
    "short": "m",
    "long": "note",
    "type": str,
    "default": "",
    "help": "a word that is signed with it, such as where the test report is",
}


class Approve(DoitCmdBase):
    """Sign a green light for exactly what is there now."""

    name = "approve"
    doc_purpose = "sign a green light for exactly what is there now"
    doc_usage = "TASK"
    doc_description = None
    cmd_options = (_OPT_NOTE,)

    def _execute(self, note: str, pos_args: Any) -> int:
        book = book_of(self)
        if len(pos_args) != 1:
            message = f"doit approve wants the name of one approval: {_names(book)}"
            raise InvalidCommand(message)
        task = book.tasks.get(pos_args[0])
        if task is None or task.kind is not Kind.APPROVAL:
            message = f"'{pos_args[0]}' is not an approval of this release: {_names(book)}"
            raise InvalidCommand(message)
        try:
            lines = _approve(book, task, note)
        except ReleaseError as error:
            self.outstream.write("\n".join((str(error), *error.details)) + "\n")
            return 1
        finally:
            book.state.close()
        self.outstream.write("\n".join(lines) + "\n")
        return 0


def judge(settings: Settings, release: Release, task: Task, subject: str) -> dict[str, str]:
    """The facts of a good approval of the subject. Raises Waiting for anything else."""
    from plugins.flow.green_lights import judge as judge_statement
    from plugins.services.gnupg_signer import GnupgKeyring

    roster = _roster(settings, task.who)
    wanted = Approval(task.name, str(release.version), subject, task.who)
    keyring = GnupgKeyring(_home(settings))
    judgement = judge_statement(release.layout, wanted, roster, keyring)
    if not judgement.is_good:
        raise Waiting(
            who=task.who,
            problem=judgement.reason,
            remedy=f"look, then doit approve {task.name}",
        )
    approval = judgement.approval
    return {
        "by": approval.by if approval else task.who,
        "key": judgement.fingerprint,
        "note": approval.note if approval else "",
        "subject": subject,
    }


def _approve(book: Book, task: Task, note: str) -> list[str]:
    from plugins.flow.green_lights import write
    from plugins.services.gnupg_signer import GnupgSigner

    opened = OPENED.get()
    found = standings(book)
    open_ = [name for name in task.after if found[name].state is not State.DONE]
    if open_:
        raise Waiting(
            who="the release",
            problem=f"{', '.join(open_)} not done, so there is nothing to approve yet",
            remedy="run doit export",
        )
    subject = subject_of(book.inputs(task))
    home = _home(opened.settings)
    roster = _roster(opened.settings, task.who)
    signer = GnupgSigner(home, _own_key(roster, GnupgSigner(home, roster[0])))
    approval = Approval(task.name, str(book.release.version), subject, task.who, note)
    write(book.release.layout, approval, signer)
    book.desk.journal.append("approved", sealed=True, task=task.name, subject=subject, note=note)
    book.state.keep_outcome(task.name, None)
    told = [f"{task.who} approves {task.name} of Python {book.release.version}: {task.title}"]
    for name in task.after:
        receipt = book.receipt(name)
        made = receipt.outputs if receipt else {}
        told.append(f"  {name}: result {book.result(name)[:16]}")
        told += [f"    {path} {digest[:16]}" for path, digest in sorted(made.items())]
    return [*told, f"signed by {signer.fingerprint}; if one of these changes, it is void"]


def _own_key(roster: tuple[str, ...], signer: Any) -> str:
    """The first key of the roster whose secret half is here."""
    here = {key.fingerprint for key in signer if key.secret}
    for fingerprint in roster:
        if fingerprint in here:
            return fingerprint
    return roster[0]


def _roster(settings: Settings, who: str) -> tuple[str, ...]:
    """The keys that may give this green light. Raises SettingsError if there are none."""
    if who == _RM:
        keys: tuple[str, ...] = (settings.signing.gpg_key,) if settings.signing.gpg_key else ()
        wanted = "[signing] gpg_key"
    else:
        keys = next((each.keys for each in settings.experts if each.role == who), ())
        wanted = f"[experts.{who}]"
    if not keys:
        raise SettingsError(
            where=settings.file.name,
            problem=f"{wanted} names no key that may approve",
            remedy=f"write the full fingerprint of the key of {who}",
        )
    return keys


def _home(settings: Settings) -> Any:
    from pathlib import Path

    return settings.signing.gnupg_home or Path("~/.gnupg").expanduser()


def _names(book: Book) -> str:
    return ", ".join(name for name, task in book.tasks.items() if task.kind is Kind.APPROVAL)
