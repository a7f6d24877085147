"""The adopt and retry commands: what a person says of an act that no look can tell of."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Final

from doit.exceptions import InvalidCommand

from doit_receipts.acting import doubt
from doit_receipts.command.command_line import OptionsAnywhere, no_such_task
from doit_receipts.errors import AlreadyPublished, StepFailed
from doit_receipts.intents import ADOPT, RETRY, inputs_digest
from doit_receipts.loader import plan_of

if TYPE_CHECKING:
    from doit_receipts.plan import Plan
    from doit_receipts.task import Task

__all__ = ["NOTHING_TO_DECIDE", "Adopt", "Retry"]

NOTHING_TO_DECIDE: Final = "there is nothing to decide about it"
"""What is wrong with a word that would change nothing."""


class _Decide(OptionsAnywhere):
    """Put one word about one task into the journal; the next run acts on it."""

    doc_usage = "TASK"
    doc_description = None
    cmd_options = ()
    word: ClassVar[str]
    then: ClassVar[str]

    def _execute(self, pos_args: Any) -> int:
        plan = plan_of(self)
        if len(pos_args) != 1:
            message = f"doit {self.name} wants the name of one task; doit next shows which"
            raise InvalidCommand(message)
        name = pos_args[0]
        if name not in plan.tasks:
            raise no_such_task(name, plan.tasks)
        task = plan.tasks[name]
        inputs = plan.receipts.inputs(task)
        if not self.is_open(plan, task):
            raise StepFailed(
                where=name,
                problem=NOTHING_TO_DECIDE,
                remedy=f"see {plan.project.command('why', name)}",
            )
        plan.context.journal.append(self.word, sealed=True, task=name, inputs=inputs_digest(inputs))
        plan.state.keep_outcome(name, None)
        self.outstream.write(f"noted: {self.then}\nnext: {plan.project.command(name)}\n")
        plan.state.close()
        return 0

    def is_open(self, plan: Plan, task: Task) -> bool:
        """Whether the word would change anything."""
        raise NotImplementedError


class Adopt(_Decide):
    """Say that what a step was to do is done, and is right as users see it."""

    name = "adopt"
    doc_purpose = "say that a step's work is done and right as users see it"
    example = "doit adopt mail_announce"
    word = ADOPT
    then = "the next run adopts it as it is and does nothing"

    def is_open(self, plan: Plan, task: Task) -> bool:
        """Begun and without a receipt, published from other inputs, or told in the last run."""
        return _is_in_doubt(plan, task) or _was_published(plan, task) or _was_told(plan, task)


class Retry(_Decide):
    """Say that what a step was about to do was not done, so that it is done now."""

    name = "retry"
    doc_purpose = "say that a step's work was not done, and have it done"
    example = "doit retry mail_announce"
    word = RETRY
    then = "the next run does it"

    def is_open(self, plan: Plan, task: Task) -> bool:
        """Begun, as far as anybody knows, and without a receipt."""
        return _is_in_doubt(plan, task)


def _is_in_doubt(plan: Plan, task: Task) -> bool:
    return (
        task.look is not None
        and plan.receipts.receipt(task.name) is None
        and doubt(plan, task) != ""
    )


def _was_told(plan: Plan, task: Task) -> bool:
    """Whether the last run said that the task may be adopted as it stands."""
    ended = plan.state.outcome(task.name)
    return task.look is not None and ended is not None and f"doit {Adopt.name}" in ended.message


def _was_published(plan: Plan, task: Task) -> bool:
    try:
        plan.receipts.refuse_second_time(task, plan.receipts.inputs(task))
    except AlreadyPublished:
        return True
    return False
