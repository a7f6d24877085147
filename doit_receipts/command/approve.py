"""The approve command: a person's signed green light for exactly what is there now."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from doit.exceptions import InvalidCommand

from doit_receipts.approval import Approval
from doit_receipts.approvals import write
from doit_receipts.command.command_line import OptionsAnywhere
from doit_receipts.command.option import option
from doit_receipts.errors import ReleaseError, Waiting
from doit_receipts.loader import plan_of
from doit_receipts.runner import subject_of
from doit_receipts.status import TaskState, statuses
from doit_receipts.task import Kind

if TYPE_CHECKING:
    from doit_receipts.plan import Plan
    from doit_receipts.task import Task

__all__ = ["Approve"]

_OPT_NOTE: Final = option(
    "note", "a word that is signed with it, such as where the test report is", default="", short="m"
)
_OPT_STATEMENT: Final = option(
    "statement", "only write what would be signed to standard output, to be signed elsewhere"
)


class Approve(OptionsAnywhere):
    """Sign a green light for exactly what is there now."""

    name = "approve"
    doc_purpose = "sign a green light for exactly what is there now"
    doc_usage = "TASK"
    example = 'doit approve approve_windows --note "installed it, and ran it"'
    doc_description = None
    cmd_options = (_OPT_NOTE, _OPT_STATEMENT)

    def _execute(self, note: str, statement: bool, pos_args: Any) -> int:
        plan = plan_of(self)
        if len(pos_args) != 1:
            message = f"doit approve wants the name of one approval: {_names(plan)}"
            raise InvalidCommand(message)
        task = plan.tasks.get(pos_args[0])
        if task is None or task.kind is not Kind.APPROVAL:
            message = f"'{pos_args[0]}' is not an approval of this release: {_names(plan)}"
            raise InvalidCommand(message)
        try:
            approval = _approval(plan, task, note)
            if statement:
                self.outstream.write(approval.to_bytes().decode())
                return 0
            lines = _approve(plan, task, approval)
        except ReleaseError as error:
            self.outstream.write("\n".join((str(error), *error.details)) + "\n")
            return 1
        finally:
            plan.state.close()
        self.outstream.write("\n".join(lines) + "\n")
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


def _approve(plan: Plan, task: Task, approval: Approval) -> list[str]:
    project = plan.project
    key = write(plan.folder, approval, project.approval_keys(), project.roster(task.who))
    plan.context.journal.append(
        "approved", sealed=True, task=task.name, subject=approval.subject, note=approval.note
    )
    plan.state.keep_outcome(task.name, None)
    lines = [f"{task.who} approves {task.name} of {project.name} {project.version}: {task.title}"]
    for name in task.after:
        receipt = plan.receipts.receipt(name)
        made = receipt.outputs if receipt else {}
        lines.append(f"  {name}: result {plan.receipts.result(name)[:16]}")
        lines += [f"    {path} {digest[:16]}" for path, digest in sorted(made.items())]
    return [*lines, f"signed by {key}; if one of these changes, it is void"]


def _names(plan: Plan) -> str:
    return ", ".join(name for name, task in plan.tasks.items() if task.kind is Kind.APPROVAL)
