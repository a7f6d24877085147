"""Planned: what the next run would do outside, found by looking, with nothing sent.

Each act is run by the code that a run runs, after the same look and the same decision, and is
held back where it would leave this machine (``outside``). What stands behind something that is
not done yet is looked at as the world is now, and shown apart: it is so if nothing else happens.
What an earlier run left that must not be left is put right first, and nothing is done before.
Before the hour that the plan is held until, a run does none of it: all that would be done waits.
"""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager
from dataclasses import dataclass, replace
from enum import Enum
from typing import TYPE_CHECKING, Any, Final

from doit_receipts.acting import HOUR, decide, look, wait_for_the_hour
from doit_receipts.calls import resources_of
from doit_receipts.command.check import look_at
from doit_receipts.errors import ReleaseError, Waiting
from doit_receipts.finding import blocking
from doit_receipts.outside import Unanswered, heard_by
from doit_receipts.probe import RemoteState, absent
from doit_receipts.status import TaskState, approve_command, statuses
from doit_receipts.task import Kind
from doit_receipts.task_times import task_times, waits_since

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping
    from collections.abc import Set as AbstractSet

    from doit_receipts.calls import Call
    from doit_receipts.outside import Act
    from doit_receipts.plan import Plan
    from doit_receipts.status import Status
    from doit_receipts.task import Task
    from doit_receipts.work_folder import WorkFolder

__all__ = ["Foreseen", "Mend", "Planned", "mends", "planned"]

_WRITES: Final = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
_CHANGES: Final = frozenset({
    "os.remove", "os.rename", "os.rmdir", "os.mkdir", "os.truncate", "os.link", "os.symlink",
})  # fmt: skip


class Foreseen(Enum):
    """What can be said of a task; the value is the word of the JSON document."""

    NOW = "now"
    """The next run does it, unless the world changes before."""
    THERE = "there"
    """It is as wanted already: the next run takes it over, and sends nothing."""
    BEHIND = "behind"
    """It comes after something that the same run does or waits for."""
    LATER = "later"
    """It comes after something that a person does first, or that stops the run."""
    AWAITED = "awaited"
    """Others are at it; the next run looks whether they are done."""
    WAITS = "waits"
    """A person acts first, or the hour has to come that the plan is held until."""
    STOPS = "stops"
    """The next run would stop there, if it is not too early for it to look."""


_DOES: Final = (Foreseen.NOW, Foreseen.THERE, Foreseen.BEHIND)
"""What no run does before the hour."""


@dataclass(frozen=True, slots=True)
class Planned:
    """One task of the plan: its acts in their order, and in ``why`` what else there is to say.

    ``who`` is waited for, "" where nobody is: now, or once what it stands behind is done. Where
    that is the hour, the acts are those of the first run after it. Where the acts are not
    ``complete``, what comes after the last one depends on its answer, or none is known yet.
    """

    task: Task
    foreseen: Foreseen
    acts: tuple[Act, ...] = ()
    complete: bool = True
    why: str = ""
    who: str = ""


@dataclass(frozen=True, slots=True)
class Mend:
    """An alarm that the next run ends before anything else, and the acts by which it does.

    In ``stops`` is what is in the way; such a run does nothing else.
    """

    alarm: str
    acts: tuple[Act, ...]
    complete: bool
    stops: str = ""


def mends(plan: Plan) -> list[Mend]:
    """What the next run puts right first, since an earlier one left it."""
    found = []
    for alarm, mend in plan.to_be_mended():
        acts, complete, error = _acts(plan, (mend,))
        stops = "" if acts or error is None else plan.completed(str(error))
        found.append(Mend(plan.completed(alarm), acts, complete, stops))
    return found


def planned(plan: Plan, names: Collection[str], first: Collection[Mend] = ()) -> list[Planned]:
    """Every task among these that acts outside, waits for a person, or stops, in reading order.

    What is put right ``first`` is so by then: no task does it again.
    """
    found = statuses(plan)
    gates = _gates(plan, names, found)
    behind: dict[str, Foreseen] = {}
    steps = []
    for name, task in plan.tasks.items():
        if name not in names or found[name].state is TaskState.DONE:
            continue
        before = [each for each in task.after if each in behind]
        if name in gates and not gates[name] and not before:
            continue
        held = {behind[each] for each in before}
        # Waits is of the hour: all behind that waits for it too.
        order = (Foreseen.LATER, Foreseen.WAITS)
        later = next((each for each in order if each in held), Foreseen.BEHIND)
        step = _planned(plan, task, found[name], gates.get(name, ""), later, behind.keys())
        if step is not None:
            step = _after(first, step)
            steps.append(step)
        if step is not None and _needs_a_person(step):
            behind[name] = Foreseen.LATER
        elif step is not None and step.foreseen is Foreseen.WAITS:
            behind[name] = Foreseen.WAITS
        elif step is None or step.foreseen is not Foreseen.THERE:
            behind[name] = later
    return steps


def _needs_a_person(step: Planned) -> bool:
    """Whether nothing behind it is done before a person acted, or mended what stops it."""
    if step.foreseen in (Foreseen.BEHIND, Foreseen.LATER):
        return bool(step.who)
    return step.foreseen in (Foreseen.WAITS, Foreseen.STOPS) and step.who != HOUR


def _after(first: Collection[Mend], step: Planned) -> Planned:
    """The step once that was put right: it does not do the same again, nor anything before it."""
    if any(each.stops for each in first):
        return step if step.task.kind is Kind.APPROVAL else _unreached(step)
    mended = {act for each in first for act in each.acts}
    if not step.complete or not step.acts or not mended.issuperset(step.acts):
        return step
    now = step.foreseen is Foreseen.NOW
    return replace(step, foreseen=Foreseen.THERE if now else step.foreseen, acts=())


def _unreached(step: Planned) -> Planned:
    """The same where the run stops before all tasks: it neither stops nor waits there."""
    goes_on = step.foreseen in (*_DOES, Foreseen.LATER)
    return replace(
        step,
        foreseen=Foreseen.LATER,
        complete=step.complete and step.foreseen is not Foreseen.STOPS,
        why=step.why if goes_on else "",
        who="" if step.who == HOUR else step.who,
    )


def _planned(
    plan: Plan,
    task: Task,
    status: Status,
    blocked: str,
    foreseen: Foreseen,
    behind: AbstractSet[str],
) -> Planned | None:
    """What can be said of the task; None of one that is not seen outside and awaits nobody.

    Of the tasks before it those ``behind`` are open.
    """
    if task.kind is Kind.APPROVAL and status.state is not TaskState.READY:
        is_asked = status.state is TaskState.WAITING
        command = plan.project.command("approve", task.name)
        why = approve_command(plan, task.name) if is_asked else command
        return Planned(task, Foreseen.WAITS, why=why, who=task.who)
    if blocked:
        return Planned(task, Foreseen.STOPS, why=blocked)
    if task.look is None and status.state is TaskState.WAITING:
        at = task_times(plan.folder, plan.state).since.get(task.name, "")
        now = plan.context.clock.now()
        why = waits_since(status.who, status.why, at, now)
        return Planned(task, Foreseen.AWAITED, why=why, who=status.who)
    if task.look is None and not task.asks_others:
        return None
    waits = foreseen is Foreseen.WAITS
    known = Foreseen.BEHIND if waits else foreseen
    is_behind = not behind.isdisjoint(task.after)
    step = _behind(plan, task, known, behind) if is_behind else _first(plan, task)
    return _held(plan, step) if waits or task.look is not None else step


def _held(plan: Plan, step: Planned) -> Planned:
    """The same at any time, but that before the hour what would be done waits for it."""
    try:
        wait_for_the_hour(plan)
    except Waiting as hour:
        if step.who and step.foreseen is Foreseen.BEHIND:
            return replace(step, foreseen=Foreseen.LATER)
        if step.foreseen in _DOES:
            return replace(step, foreseen=Foreseen.WAITS, why=hour.problem, who=hour.who)
    return step


def _first(plan: Plan, task: Task) -> Planned:
    """A task that nothing open stands before: decided as a run decides."""
    try:
        acts = task.look is None or decide(plan, task, plan.receipts.inputs(task))[1]
    except ReleaseError as error:
        return _ended(plan, task, error)
    if not acts:
        return Planned(task, Foreseen.THERE)
    told, complete, ended = _acts(plan, task.calls)
    if not told and ended is not None:
        return _ended(plan, task, ended)
    return Planned(task, Foreseen.NOW, told, complete)


def _behind(plan: Plan, task: Task, foreseen: Foreseen, behind: AbstractSet[str]) -> Planned:
    """A task behind others, as far as it can be known before those are done."""
    why = f"after {', '.join(each for each in task.after if each in behind)}"
    try:
        found = absent() if task.look is None else look(plan, task)
    except (ReleaseError, OSError, LookupError, ValueError):
        return Planned(task, foreseen, complete=False, why=why)
    if found.who:
        return Planned(task, foreseen, why=why, who=found.who)
    if found.state is RemoteState.IDENTICAL:
        may_change = _is_acted_on(plan, task, behind)
        return Planned(task, foreseen, complete=not may_change, why=why)
    told, complete, ended = _acts(plan, task.calls)
    if not told and isinstance(ended, Waiting) and ended.who == plan.project.releaser:
        # What is asked of the releaser does not come about by what the run does before.
        return Planned(task, foreseen, why=why, who=ended.who)
    return Planned(task, foreseen, told, complete and bool(told), why)


def _is_acted_on(plan: Plan, task: Task, behind: AbstractSet[str]) -> bool:
    """Whether an act before the task is on what the task is given, and so may change it.

    A reservation that is to be lifted is not there before it was made.
    """
    given = resources_of(task.calls)
    acts = [plan.tasks[each] for each in plan.needs(task) if each in behind]
    return any(
        is_changed and name in given
        for each in acts
        if each.look is not None
        for name, is_changed in resources_of(each.calls).items()
    )


def _ended(plan: Plan, task: Task, error: Exception) -> Planned:
    """A task that acts no further than this error: it waits for somebody, or it stops."""
    if isinstance(error, Waiting):
        why = plan.completed(error.what, task.name)
        return Planned(task, Foreseen.WAITS, why=why, who=error.who)
    return Planned(task, Foreseen.STOPS, why=plan.completed(str(error), task.name))


def _acts(plan: Plan, calls: Iterable[Call]) -> tuple[tuple[Act, ...], bool, Exception | None]:
    """The acts of these calls, whether they are all, and the error that ended them before."""
    told: list[Act] = []

    def hold_back(act: Act) -> bool:
        if act in told:
            # Done again, since it cannot see that it was done.
            raise Unanswered
        told.append(act)
        return False

    with heard_by(hold_back, held=True), _nothing_changed(plan.folder):
        try:
            for each in calls:
                each.perform(plan.receipts.fact_text)
        except Unanswered:
            return tuple(told), False, None
        except (ReleaseError, OSError, LookupError, ValueError) as error:
            return tuple(told), False, error
    return tuple(told), True, None


def _gates(plan: Plan, names: Collection[str], found: Mapping[str, Status]) -> dict[str, str]:
    """What each gate that can be judged now says: "" if it lets on, else what stops there."""
    open_ = [
        name
        for name, task in plan.tasks.items()
        if task.kind is Kind.GATE
        and name in names
        and found[name].state is not TaskState.DONE
        and all(found[each].lets_on for each in task.after)
    ]
    said = {}
    for looked in look_at(plan, open_):
        stopping = blocking(looked.findings, plan.receipts.covering_waivers())
        lines = [*map(str, looked.errors), *map(str, stopping)]
        said[looked.gate.name] = plan.completed(lines[0]) if lines else ""
    return said


# ── nothing of this machine is changed ─────────────────────────────────────────────────────


class _Kept:
    """Below which folder nothing may be changed, but for ``scratch``; None where anything may."""

    below: str | None = None
    scratch = ""
    is_watched = False


@contextmanager
def _nothing_changed(folder: WorkFolder) -> Iterator[None]:
    """In the block, whatever would change something below the work folder raises Unanswered.

    What is scratch may be changed: nobody needs it afterwards.
    """
    if not _Kept.is_watched:
        sys.addaudithook(_refuse_change)
        _Kept.is_watched = True
    _Kept.scratch = os.path.realpath(folder.scratch)
    _Kept.below = f"{os.path.realpath(folder.work)}{os.sep}"
    try:
        yield
    finally:
        _Kept.below = None


def _refuse_change(event: str, arguments: tuple[Any, ...]) -> None:
    below = _Kept.below
    if below is None or (event != "open" and event not in _CHANGES):
        return
    path = arguments[0]
    if event == "open" and not (arguments[2] or 0) & _WRITES:
        return
    if not isinstance(path, (str, bytes, os.PathLike)):
        return
    place = os.path.realpath(os.fsdecode(path))
    if place.startswith(below) and not place.startswith(_Kept.scratch):
        raise Unanswered
