"""The approve command: a person's signed green light for exactly what is there now."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from doit.exceptions import InvalidCommand

from doit_receipts.approval import Approval
from doit_receipts.approvals import beginning, judge, write
from doit_receipts.command.advice import to_look_at
from doit_receipts.command.command_line import OptionsAnywhere
from doit_receipts.command.option import option
from doit_receipts.errors import ReleaseError, StepFailed, Waiting
from doit_receipts.intents import asked_for
from doit_receipts.loader import plan_of
from doit_receipts.printable import printable
from doit_receipts.runner import shown_subject, subject_of
from doit_receipts.status import TaskState, statuses
from doit_receipts.task import Kind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from doit_receipts.plan import Plan
    from doit_receipts.task import Task

__all__ = ["UNSEEN", "Approve"]

UNSEEN: Final = "nothing was signed"
"""What is said where something else was shown than what is there now."""

_OPT_NOTE: Final = option(
    "note", "a word that is signed with it, such as where the test report is", default="", short="m"
)
_OPT_STATEMENT: Final = option(
    "statement", "only write what would be signed to standard output, to be signed elsewhere"
)
_OPT_TRIAL: Final = option("trial", "only judge whether it could be signed now; nothing is signed")


class Approve(OptionsAnywhere):
    """Sign a green light for exactly what was shown, and is still there."""

    name = "approve"
    doc_purpose = "sign a green light for exactly what was shown, and is still there"
    doc_usage = "TASK [DIGEST]"
    example = 'doit approve approve_windows --note "installed it, and ran it"'
    doc_description = None
    cmd_options = (_OPT_NOTE, _OPT_STATEMENT, _OPT_TRIAL)

    def _execute(self, note: str, statement: bool, trial: bool, pos_args: Any) -> int:
        plan = plan_of(self)
        if not 1 <= len(pos_args) <= 2:
            message = f"doit approve wants the name of one approval: {_names(plan)}"
            raise InvalidCommand(message)
        task = plan.tasks.get(pos_args[0])
        if task is None or task.kind is not Kind.APPROVAL:
            message = f"'{pos_args[0]}' is not an approval of this release: {_names(plan)}"
            raise InvalidCommand(message)
        try:
            approval = _approval(plan, task, note)
            if trial or not statement or pos_args[1:]:
                _see_shown(plan, task, approval, *pos_args[1:])
            if statement:
                self.outstream.write(approval.to_bytes().decode())
                return 0
            if trial:
                plan.project.roster(task.who)
                lines = [f"{task.name}: could be signed; nothing was signed"]
            else:
                lines = _approve(plan, task, approval)
        except ReleaseError as error:
            self.outstream.write("\n".join((str(error), *error.details)) + "\n")
            return 1
        finally:
            plan.state.close()
        self.outstream.write("\n".join(map(printable, lines)) + "\n")
        return 0


def _approval(plan: Plan, task: Task, note: str) -> Approval:
    """What the person says. Raises Waiting while there is nothing to say it of."""
    found = statuses(plan)
    open_ = [name for name in task.after if found[name].state is not TaskState.DONE]
    if open_:
        raise Waiting(
            who="the release",
            problem=f"{', '.join(open_)} not done, so there is nothing to approve yet",
            remedy=f"run {plan.project.command(task.name)}",
        )
    subject = subject_of(plan.receipts.inputs(task))
    return Approval(task.name, plan.project.version, subject, task.who, note)


def _see_shown(plan: Plan, task: Task, approval: Approval, digest: str = "") -> None:
    """Raise StepFailed, and show what is there now, unless that is what was shown.

    ``digest`` is its beginning, as the person was given it. Without one, what counts is what the
    last run asked for, or what was approved and still is; and nothing else may ever have been asked
    for, since another run may have come after the one whose words the person read.
    """
    now = beginning(approval.subject)
    if digest:
        if len(digest) >= len(now) and approval.subject.startswith(digest.lower()):
            return
        problem = f"is about {now} now, and {digest} was looked at"
    else:
        shown = shown_subject(plan, task)
        others = sorted(asked_for(plan.context.journal, task.name) - {approval.subject})
        if _stands(plan, task, approval) or (shown == approval.subject and not others):
            return
        problem = f"is about {now} now, and " + (
            f"the last run showed {beginning(shown)}"
            if shown and shown != approval.subject
            else f"{beginning(others[-1])} was shown before"
            if others
            else "it is not known what was shown"
        )
    command = plan.project.command("approve", task.name, now)
    looks = [f"  look at  {each}" for each in to_look_at(plan, task.name)]
    raise StepFailed(
        where=task.name,
        problem=f"{problem}; {UNSEEN}",
        remedy=f"look at what is there now, then {command}",
        details=(*looks, *_made(plan, task)),
    )


def _stands(plan: Plan, task: Task, wanted: Approval) -> bool:
    """Whether exactly this is approved already, by its signature or by the task's receipt."""
    with suppress(ReleaseError):
        receipt = plan.receipts.receipt(task.name)
        if receipt is not None and receipt.facts.get("subject") == wanted.subject:
            return True
    project = plan.project
    return judge(plan.folder, wanted, project.roster(task.who), project.approval_keys()).is_good


def _made(plan: Plan, task: Task) -> Iterator[str]:
    """What the approval is about: each result, and its files with the beginning of their digest."""
    for name in task.after:
        receipt = plan.receipts.receipt(name)
        yield f"  {name}: result {plan.receipts.result(name)[:16]}"
        for path, digest in sorted(receipt.outputs.items() if receipt else ()):
            yield f"    {path} {digest[:16]}"


def _approve(plan: Plan, task: Task, approval: Approval) -> list[str]:
    project = plan.project
    key = write(plan.folder, approval, project.approval_keys(), project.roster(task.who))
    plan.context.journal.append(
        "approved", sealed=True, task=task.name, subject=approval.subject, note=approval.note
    )
    plan.state.keep_outcome(task.name, None)
    lines = [f"{task.who} approves {task.name} of {project.name} {project.version}: {task.title}"]
    return [*lines, *_made(plan, task), f"signed by {key}; if one of these changes, it is void"]


def _names(plan: Plan) -> str:
    return ", ".join(name for name, task in plan.tasks.items() if task.kind is Kind.APPROVAL)
