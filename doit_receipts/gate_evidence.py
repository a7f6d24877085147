"""Gate evidence: whether a run judged what stands before an act, or a gate has to judge again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from doit_receipts.intents import receipts_left, seals
from doit_receipts.task import Kind

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from pathlib import Path

    from doit_receipts.plan import Plan
    from doit_receipts.task import Task

__all__ = ["doubt", "doubted"]

_UNTOLD: Final = "the journal does not tell of it"


def doubted(plan: Plan, act: Task) -> Iterator[tuple[Task, str]]:
    """Every gate before the act that has no receipt that a run left, by the journal; with why.

    Each is told when those before it have judged.

    Anybody who can write to the folder can write a receipt with a true seal, and a line of the
    journal with it. So before what others will believe (``Task.is_final``) no file counts: a gate
    whose answer is the same at any time has judged in this run, and what is there now. One that is
    ``of_published`` counts by its receipt and the journal, as one of what moves does.
    Gates of what users have seen are left as they are, and so are those that judge what moves,
    whose work is done where the journal was lost: the world may have gone on since, and they could
    stop nothing any more.
    """
    left = receipts_left(plan.context.journal)
    sealed = seals(plan.context.journal) if act.is_final else frozenset()
    anew: set[Path] = set()
    before = plan.needs(act)
    seen = {
        name
        for each in ([plan.tasks[name] for name in before] if act.is_final else plan.tasks.values())
        if plan.receipts.has_published(each)
        for name in plan.needs(each)
    }
    for name in before:
        gate = plan.tasks[name]
        if gate.kind is not Kind.GATE or name in seen or plan.receipts.receipt(name) is None:
            continue
        digest = plan.state.digest(plan.receipts.receipt_path(name))
        if act.is_final and not (gate.volatile or gate.of_published):
            if plan.seal_of(name, digest) not in sealed or not _judged_this(plan, gate, anew):
                yield gate, f"this run has not judged it, and {act.name} cannot be taken back"
            continue
        why = doubt(digest, left.get(name, ()))
        if why == _UNTOLD and _has_guarded(plan, name, left):
            plan.context.log.say(
                f"{name}: {why}, and what it guards is done: it does not judge again"
            )
        elif why:
            yield gate, why


def doubt(receipt: str, left: Collection[str]) -> str:
    """Why a receipt of this digest is not taken for a run's own; "" if it is.

    ``left`` are those that runs left of the gate, by the journal: see ``receipts_left``.
    """
    if not left:
        return _UNTOLD
    # Lines of earlier versions name no receipt.
    if receipt in left or set(left) == {""}:
        return ""
    return "its receipt is none that the journal names"


def _judged_this(plan: Plan, gate: Task, anew: set[Path]) -> bool:
    """Whether what the gate's receipt says that it judged is what is there now, read anew.

    Files that are in ``anew`` were read for another gate of the same act; the others come in.
    """
    for path in set(gate.reads) - anew:
        plan.state.forget(path)
        anew.add(path)
    receipt = plan.receipts.receipt(gate.name)
    now = plan.receipts.inputs(gate)
    return receipt is not None and now == {
        name: each for name, each in receipt.inputs.items() if not name.startswith("waiver ")
    }


def _has_guarded(plan: Plan, gate: str, left: Collection[str]) -> bool:
    """Whether the steps behind the gate are done, and the journal has lost one of them as well.

    One that tells of all of them is whole: then no run judged before them.
    """
    steps: set[str] = set()
    through = {gate}
    for name, task in plan.tasks.items():
        if not through.isdisjoint(task.after):
            (steps if task.kind is Kind.STEP else through).add(name)
    is_done = all(plan.receipts.receipt(each) is not None for each in steps)
    return is_done and not steps.issubset(left)
