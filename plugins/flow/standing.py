"""The standing of every task, from done to failed, judged together.

doit asks each task alone; here a task counts as done only if everything before it is.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from plugins.flow.book import LOOKS_AGAIN, NOT_DONE
from plugins.flow.performing import situation
from plugins.flow.task import Kind

if TYPE_CHECKING:
    from collections.abc import Mapping

    from plugins.flow.book import Book
    from plugins.flow.task import Task

__all__ = ["Standing", "State", "is_first", "standings"]


class State(Enum):
    """Where a task stands; the value is the word that people read."""

    DONE = "done"
    STALE = "stale"
    READY = "ready"
    LATER = "later"
    """Behind a task that is not done."""
    WAITING = "waiting"
    """For a person, or for something outside."""
    BLOCKED = "blocked"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Standing:
    """A task's state and, in a few words, why; ``who`` is the person who has to act.

    A gate that ``passed`` and looks again in every run is not done, and holds nothing up.
    """

    state: State
    why: str = ""
    who: str = ""
    passed: bool = False

    @property
    def lets_on(self) -> bool:
        """Whether what stands behind the task need not wait for it."""
        return self.state is State.DONE or self.passed


def standings(book: Book) -> dict[str, Standing]:
    """The standing of every task of the book, in its order."""
    found: dict[str, Standing] = {}
    for name, task in book.tasks.items():
        open_ = [each for each in task.after if not found[each].lets_on]
        found[name] = (
            _group(book, task, found) if task.kind is Kind.GROUP else _one(book, task, open_)
        )
    return found


def is_first(book: Book, name: str, found: Mapping[str, Standing]) -> bool:
    """Whether nothing before the task is open."""
    return all(found[each].lets_on for each in book.tasks[name].after)


def _group(book: Book, task: Task, found: dict[str, Standing]) -> Standing:
    """Where the least of all that the group needs stands."""
    needed = [name for name in book.needs(task) if book.tasks[name].kind is not Kind.GROUP]
    open_ = [name for name in needed if found[name].state is not State.DONE]
    if not open_:
        return Standing(State.DONE)
    left = f"{len(open_)} of {len(needed)} left"
    for state in (State.FAILED, State.BLOCKED):
        for name in open_:
            if found[name].state is state:
                return Standing(state, f"{left}; {name} {state.value}")
    able = [name for name in open_ if found[name].state in (State.READY, State.STALE)]
    people = sorted({found[name].who for name in open_ if found[name].who})
    if people and not any(is_first(book, name, found) for name in able):
        return Standing(State.WAITING, f"{left}, for {', '.join(people)}")
    stale = any(found[name].state is State.STALE for name in open_)
    return Standing(State.STALE if stale else State.READY, left)


def _one(book: Book, task: Task, open_: list[str]) -> Standing:
    reasons = book.reasons(task)
    done_before = reasons != (NOT_DONE,)
    if open_:
        if done_before:
            return Standing(State.STALE, f"behind {open_[0]}")
        return Standing(State.LATER, f"after {open_[0]}" + _more(open_))
    if not reasons:
        return Standing(State.DONE)
    if task.kind is Kind.APPROVAL:
        fresh = Standing(State.WAITING, f"doit approve {task.name}", task.who)
    elif reasons == (LOOKS_AGAIN,):
        fresh = Standing(State.READY, "passed; looks again in every run", passed=True)
    elif done_before:
        fresh = Standing(State.STALE, reasons[0])
    else:
        fresh = Standing(State.READY)
    return _last_word(book, task) or fresh


def _last_word(book: Book, task: Task) -> Standing | None:
    """What the task said when it was last tried, if it was tried with what is there now."""
    outcome = book.state.outcome(task.name)
    if outcome is None:
        return None
    if situation(book, task) != outcome.inputs:
        return None
    kind, _, who = outcome.kind.partition(" ")
    return Standing(State(kind), outcome.message, who)


def _more(names: list[str]) -> str:
    return f" and {len(names) - 1} more" if len(names) > 1 else ""
