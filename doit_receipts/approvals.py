"""Approvals: green lights written with a key, and judged by the roster of who may give them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from doit_receipts.approval import Approval, BrokenApproval, Judgement, Validity
from doit_receipts.durable import write_whole
from doit_receipts.errors import SettingsError, Waiting
from doit_receipts.plain_file import read_plain

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from pathlib import Path

    from doit_receipts.approval import ApprovalKeys
    from doit_receipts.project import Project
    from doit_receipts.task import Task
    from doit_receipts.work_folder import WorkFolder

__all__ = ["beginning", "facts_of", "judge", "judge_again", "signature_of", "write"]

_MOST_BYTES: Final = 1 << 20
_BEGINNING: Final = 16
_SHOWN: Final = 24  # of a digest, or of a name


def beginning(subject: str) -> str:
    """As much of a digest as a person is shown, and gives back as what they looked at."""
    return subject[:_BEGINNING]


def write(folder: WorkFolder, approval: Approval, keys: ApprovalKeys, roster: Sequence[str]) -> str:
    """The approval and its signature are in ``approvals/``; gives the key that signed.

    An older pair is replaced, and stays as it was if no key can sign. A statement without its
    signature is never left where it counts.
    """
    statement = folder.approval(approval.task)
    raw = approval.to_bytes()
    fingerprint, signature = keys.sign(raw, roster)
    # The old pair is broken for a moment; a broken pair is a bad signature, never a good one.
    write_whole(signature_of(statement), signature)
    write_whole(statement, raw)
    return fingerprint


def judge(
    folder: WorkFolder, wanted: Approval, roster: Collection[str], keys: ApprovalKeys
) -> Judgement:
    """What the approval of a task is worth for what is ``wanted`` now.

    Task, version and subject have to be those wanted; ``by`` and ``note`` are the approver's own.
    The bytes that are judged are the bytes that were read, once.
    """
    statement = folder.approval(wanted.task)
    try:
        raw = read_plain(statement, _MOST_BYTES)
    except FileNotFoundError:
        return Judgement(Validity.ABSENT, "not approved yet")
    try:
        signature = read_plain(signature_of(statement), _MOST_BYTES)
    except FileNotFoundError:
        missing = f"its signature is missing: {signature_of(statement).name} is not there"
        return Judgement(Validity.BAD_SIGNATURE, missing)
    signed = keys.verify(raw, signature, roster)
    key = signed.fingerprint
    if signed.validity is not Validity.GOOD:
        return Judgement(signed.validity, f"its signature: {signed.problem}", key)
    try:
        found = Approval.from_bytes(raw, statement.name)
    except BrokenApproval as error:
        return Judgement(Validity.BAD_SIGNATURE, error.problem, key)
    for name, here, there in (
        ("task", found.task, wanted.task),
        ("version", found.version, wanted.version),
        ("bytes", found.subject, wanted.subject),
    ):
        if here != there:
            reason = f"{found.by} approved other {name}: {here[:_SHOWN]}, now {there[:_SHOWN]}"
            return Judgement(Validity.OTHER_BYTES, reason, key, found)
    note = f": {found.note}" if found.note else ""
    return Judgement(Validity.GOOD, f"approved by {found.by}{note}", key, found)


def facts_of(project: Project, folder: WorkFolder, task: Task, subject: str) -> dict[str, str]:
    """The facts of a good approval of the subject. Raises Waiting for anything else."""
    try:
        roster = project.roster(task.who)
    except SettingsError as error:
        # Everything that needs no approval goes on: this is a person who is waited for.
        raise Waiting(
            who=task.who, problem=f"{error.where}: {error.problem}", remedy=error.remedy
        ) from error
    wanted = Approval(task.name, project.version, subject, task.who)
    judgement = judge(folder, wanted, roster, project.approval_keys())
    if not judgement.is_good:
        raise Waiting(
            who=task.who,
            problem=judgement.reason,
            remedy=f"look, then {project.command('approve', task.name, beginning(subject))}",
        )
    approval = judgement.approval
    return {
        "by": approval.by if approval else task.who,
        "key": judgement.fingerprint,
        "note": approval.note if approval else "",
        "subject": subject,
    }


def judge_again(project: Project, folder: WorkFolder, task: Task, subject: str) -> None:
    """The approval that a receipt tells of is still there, and still signed by who may give it.

    A receipt is a file that anybody who can write here can make; only the signature is proof.
    Raises Waiting if it is gone, or is of something else than the receipt says.
    """
    try:
        facts_of(project, folder, task, subject)
    except Waiting as error:
        raise Waiting(
            who=error.who,
            problem=f"{task.name} was given according to its receipt, but {error.problem}",
            remedy=error.remedy,
        ) from error


def signature_of(statement: Path) -> Path:
    """Where the signature of a statement is."""
    return statement.with_name(statement.name + ".asc")
