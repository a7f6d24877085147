"""Acting on the world: look, act only if nothing is there, look again.

Source: DESIGN rules 5 and 6. Whatever instant a run was killed at, the next one looks first, so
nothing is done twice; and what another run, or a person, did already is taken over as it is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from doit_receipts.errors import LetThrough, NothingDone, NotYet, StepFailed, Waiting
from doit_receipts.intents import (
    ACCEPTED,
    ADOPT,
    INTENT,
    RETRY,
    VOID,
    inputs_digest,
    intent_of,
    is_on_record,
    knows_all,
)
from doit_receipts.outside import heard_by
from doit_receipts.probe import Probe, RemoteState
from doit_receipts.task import Effect, Kind

if TYPE_CHECKING:
    from collections.abc import Mapping
    from contextlib import AbstractContextManager

    from doit_receipts.intents import Intent
    from doit_receipts.outside import Act
    from doit_receipts.plan import Plan
    from doit_receipts.task import Task

__all__ = ["HOUR", "acts_recorded", "change_world", "decide", "doubt", "look", "wait_for_the_hour"]

HOUR: Final = "the hour"
"""What is waited for before the moment that a plan is held until."""

_STOPPING: Final = {
    RemoteState.DIFFERENT: "something else exists there",
    RemoteState.UNKNOWN: "could not determine what is there",
}


def change_world(plan: Plan, task: Task, inputs: Mapping[str, str]) -> tuple[dict[str, str], bool]:
    """The world is as the step wants it; gives the facts, and whether it was so already.

    What an earlier run of this release began and did not finish counts as done by this one.
    Before the hour that the plan is held until, nothing is even looked at. Raises as ``decide``
    does.
    """
    wait_for_the_hour(plan)
    found, acts, adopted = decide(plan, task, inputs)
    if not acts:
        return dict(found.facts), adopted
    unseen = found.state is RemoteState.UNSEEN
    _act(plan, task, inputs_digest(inputs), blind=unseen or _may_miss(found))
    if unseen:
        return dict(found.facts), False
    after = look(plan, task)
    if after.state is not RemoteState.IDENTICAL:
        raise _stopped(task, after, "was done, but verification failed")
    return dict(after.facts), False


def decide(plan: Plan, task: Task, inputs: Mapping[str, str]) -> tuple[Probe, bool, bool]:
    """What a look found, whether the act follows, and if not, whether the result is adopted.

    Nothing is changed. Raises StepFailed if something else exists there or it cannot be told
    (unless a person adopted what the step says may be adopted),
    AlreadyPublished for a public step that was done from other inputs, and Waiting where only a
    person can tell.
    """
    digest = inputs_digest(inputs)
    last = intent_of(plan.context.journal, task.name)
    accepted = last is not None and (last.word, last.inputs) == (ADOPT, digest)
    if not accepted:
        plan.receipts.refuse_second_time(task, inputs)
    found = look(plan, task)
    unseen = found.state is RemoteState.UNSEEN
    vouched = accepted and (unseen or bool(found.facts))
    if found.state in _STOPPING and not vouched:
        raise _stopped(task, found, _STOPPING[found.state])
    if found.state is RemoteState.IDENTICAL or vouched:
        return found, False, last is None or accepted
    if found.state is RemoteState.ABSENT and last is not None:
        _heed(plan, task, found, last, adopted=accepted)
    if unseen or (_may_miss(found) and plan.receipts.receipt(task.name) is None):
        _ask_a_person(plan, task, found)
    if unseen:
        return found, True, False
    if plan.receipts.has_published(task):
        raise _stopped(task, found, "was published, but no longer exists")
    if found.who:
        raise Waiting(
            who=found.who, problem=found.problem, remedy=found.remedy, details=found.details
        )
    return found, True, False


def _heed(plan: Plan, task: Task, found: Probe, last: Intent, *, adopted: bool) -> None:
    """What was said of an act that a look does not see is heeded: it is not done behind it.

    Raises Waiting for what was accepted and is not let through yet, and StepFailed where a person
    ``adopted`` it as done, and the step does not say that such a word is enough.
    """
    if last.word == ACCEPTED:
        who, problem, remedy = last.waiting
        raise Waiting(who=who, problem=problem, remedy=remedy, details=found.details)
    if adopted and plan.receipts.receipt(task.name) is None:
        raise StepFailed(
            problem=f"it was adopted as done, but is not there: {found.problem}",
            remedy=f"if it was not done: {plan.project.command('retry', task.name)}",
            details=found.details,
        )


def _may_miss(found: Probe) -> bool:
    """Whether what was looked for may be there all the same, such as in somebody's queue."""
    return found.state is RemoteState.ABSENT and bool(found.facts)


def look(plan: Plan, task: Task) -> Probe:
    """What the task's look finds in the world now."""
    assert task.look is not None  # noqa: S101 - for the type checker
    found = task.look().perform(plan.receipts.fact_text)
    if not isinstance(found, Probe):
        message = f"{task.name} looked and gave {found!r} where a Probe is wanted"
        raise TypeError(message)
    return found


def wait_for_the_hour(plan: Plan) -> None:
    """Raise Waiting before the moment that was declared."""
    hour = plan.held_until
    if hour is not None and plan.context.clock.now() < hour:
        raise Waiting(
            who=HOUR,
            problem=f"nothing leaves this machine before {hour:%Y-%m-%d %H:%M:%S} UTC",
            remedy="run the same command again then, or add --wait",
        )


def _act(plan: Plan, task: Task, digest: str, *, blind: bool) -> None:
    journal = plan.context.journal
    plan.context.see_lock()
    # What every look sees needs no power-proof word; the world itself tells.
    sealed = blind or task.effect is Effect.PUBLIC
    journal.append(INTENT, sealed=sealed, task=task.name, inputs=digest)

    try:
        with acts_recorded(plan):
            for each in task.calls:
                each.perform(plan.receipts.fact_text)
    except (NothingDone, NotYet):
        journal.append(VOID, task=task.name, inputs=digest)
        raise
    except LetThrough as error:
        journal.append(
            ACCEPTED,
            sealed=sealed,
            task=task.name,
            inputs=digest,
            who=error.who,
            problem=error.problem,
            remedy=error.remedy,
        )
        raise


def acts_recorded(plan: Plan) -> AbstractContextManager[None]:
    """In the block each act that leaves this machine is in the task's log."""

    def let_go(act: Act) -> bool:
        plan.context.log.record(f"outside: {act}")
        return True

    return heard_by(let_go)


def doubt(plan: Plan, task: Task) -> str:
    """Why it is not certain that the act was never begun; "" if it is certain.

    A person who said that it is to be done again takes the doubt away.
    """
    last = intent_of(plan.context.journal, task.name)
    if last is not None and last.word != RETRY:
        return "an earlier run started it and left no receipt"
    if is_on_record(plan.context.journal, task.name):
        return "the journal says that it was done, and its receipt is gone"
    if last is not None:
        return ""
    if behind := next(plan.receipts.left_behind(task), ""):
        return f"{behind} was done after it, and its own receipt is gone"
    before = [name for name in task.after if plan.tasks[name].kind is not Kind.GROUP]
    if knows_all(
        plan.context.journal, [name for name in before if plan.receipts.receipt(name) is not None]
    ):
        return ""
    return "the journal is incomplete, so it cannot say whether this was done"


def _ask_a_person(plan: Plan, task: Task, found: Probe) -> None:
    """Raise Waiting if there is a doubt."""
    problem = doubt(plan, task)
    if not problem:
        return
    raise Waiting(
        who=plan.project.releaser,
        problem=problem,
        remedy=f"{found.remedy or found.problem}; if it was done:"
        f" {plan.project.command('adopt', task.name)},"
        f" if not: {plan.project.command('retry', task.name)}",
        details=found.details,
    )


def _stopped(task: Task, found: Probe, problem: str) -> StepFailed:
    return StepFailed(
        problem=f"{problem}: {found.problem}" if found.problem else problem,
        remedy=found.remedy or f"see doit why {task.name}",
        details=found.details,
    )
