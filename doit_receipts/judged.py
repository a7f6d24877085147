"""Judged files: the bytes that the gates of this run judged, for whoever signs them.

Between its gate and its signature a file may be swapped, and put back right afterwards. So what
signs hands the bytes that it is about to sign to ``refuse_unjudged``, and signs those.
"""

from __future__ import annotations

import hashlib
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Final

from doit_receipts.calls import below
from doit_receipts.errors import StepFailed
from doit_receipts.intents import seals
from doit_receipts.task import Kind

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping
    from pathlib import Path

    from doit_receipts.plan import Plan
    from doit_receipts.task import Task

__all__ = ["held_to", "judged_files", "refuse_unjudged"]

_JUDGED: Final[ContextVar[Mapping[Path, Collection[str]] | None]] = ContextVar(
    "judged", default=None
)


def judged_files(plan: Plan, act: Task) -> dict[Path, set[str]]:
    """The sha256 of each file as the gates before the act judged it, each in this run.

    Only a receipt with this run's own seal tells, by its very bytes.
    """
    sealed = seals(plan.context.journal)
    judged: dict[Path, set[str]] = {}
    for name in plan.needs(act):
        gate = plan.tasks[name]
        receipt = plan.receipts.receipt(name) if gate.kind is Kind.GATE else None
        if receipt is None:
            continue
        digest = hashlib.sha256(receipt.to_bytes()).hexdigest()
        if plan.seal_of(name, digest) in sealed:
            for path in gate.reads:
                known = receipt.inputs[f"file {below(path, plan.folder.work)}"]
                judged.setdefault(path, set()).add(known)
    return judged


@contextmanager
def held_to(judged: Mapping[Path, Collection[str]]) -> Iterator[None]:
    """In the block these files are held to the sha256 with which gates judged them."""
    before = _JUDGED.set(judged)
    try:
        yield
    finally:
        _JUDGED.reset(before)


def refuse_unjudged(path: Path, content: bytes) -> None:
    """Raise StepFailed if a gate of this run judged the file, and not with this content.

    What no gate before the step judged passes, and so does all outside of a step that signs.
    """
    judged = (_JUDGED.get() or {}).get(path)
    if judged is None:
        return
    sha256 = hashlib.sha256(content).hexdigest()
    if set(judged) != {sha256}:
        raise StepFailed(
            where=path.name,
            problem=f"is not as it was judged in this run: sha256 is {sha256[:16]}…,"
            f" judged was {' and '.join(f'{each[:16]}…' for each in sorted(judged))}",
            remedy="find out what writes there, then run the same command again",
        )
