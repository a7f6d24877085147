"""Notifying: what a person would want to hear of a run that has ended, each thing told once."""

from __future__ import annotations

import re
from hashlib import sha256
from typing import TYPE_CHECKING, Final, NamedTuple

from doit_receipts.errors import ReleaseError
from doit_receipts.printable import printable
from doit_receipts.status import TaskState, is_first, statuses
from doit_receipts.task import Kind

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from doit_receipts.plan import Plan

__all__ = ["notify_of_run"]

_EVENT: Final = "notified"
_STOPS: Final = (TaskState.WAITING, TaskState.FAILED, TaskState.BLOCKED)
_MOST_LETTERS: Final = 300
_NUMBER: Final = re.compile(r"\d+")


class _News(NamedTuple):
    mark: str
    head: str
    line: str


def notify_of_run(plan: Plan, asked: Sequence[str], *, did_something: bool) -> list[str]:
    """Whoever is to hear of the release has heard what is new since they heard of it last.

    New is a task that waits or failed, with its inputs and words, and that all that was ``asked``
    for is done; another number in the words of a wait is not. It is in the journal before it is
    sent, so that it is sent once at most: what could not be sent is a line of what is returned, and
    is not sent again. Before the hour that the plan is held until nothing is sent; what stands then
    is new to the first run after it.
    """
    notify, hour = plan.context.notify, plan.held_until
    if notify is None or (hour is not None and plan.context.clock.now() < hour):
        return []
    try:
        told = {entry.get("what") for entry in plan.context.journal.latest_of(_EVENT)}
        fresh = [each for each in _news(plan, asked, did_something) if each.mark not in told]
        for each in fresh:
            plan.context.journal.append(_EVENT, sealed=True, what=each.mark, said=each.head)
    except (ReleaseError, OSError) as error:
        return [
            f"nobody was notified: {printable(str(error))}; doit list --status shows what waits"
        ]
    if not fresh:
        return []
    name = f"{plan.project.name} {plan.project.version}"
    subject = f"{name}{' REHEARSAL' if plan.project.rehearsal else ''}: {fresh[0].head}"
    subject += f" and {len(fresh) - 1} more" if fresh[1:] else ""
    return list(notify(printable(subject), "\n".join(each.line for each in fresh) + "\n"))


def _news(plan: Plan, asked: Sequence[str], did_something: bool) -> Iterator[_News]:
    found = statuses(plan)
    wanted = {name for each in asked if each in plan.tasks for name in _with_needs(plan, each)}
    for name, status in found.items():
        if name not in wanted or plan.tasks[name].kind is Kind.GROUP:
            continue
        if status.state in _STOPS and is_first(plan, name, found):
            outcome = plan.state.outcome(name)
            inputs = outcome.inputs if outcome else ""
            head = f"{name} {status.state.value}" + (f" for {status.who}" if status.who else "")
            line = printable(f"{head}: {status.why}")[:_MOST_LETTERS]
            # "2 of 3 have ended" tells nothing to who heard of 1.
            waits = status.state is TaskState.WAITING
            words = _NUMBER.sub("0", status.why) if waits else status.why
            yield _News(_mark(name, status.state.value, status.who, words, inputs), head, line)
    remains = any(not found[name].lets_on for name in wanted)
    if did_something and wanted and not remains:
        what = ", ".join(asked)
        yield _News(
            _mark("done", what), f"{what} done", f"{what}: all {len(wanted)} tasks are done"
        )


def _with_needs(plan: Plan, name: str) -> set[str]:
    needed = {*plan.needs(plan.tasks[name]), name}
    return {each for each in needed if plan.tasks[each].kind is not Kind.GROUP}


def _mark(*words: str) -> str:
    return sha256("\n".join(words).encode(errors="backslashreplace")).hexdigest()[:16]
