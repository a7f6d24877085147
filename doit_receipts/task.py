"""Task: one obligation as the plan knows it, and the calls that fulfil it."""

from __future__ import annotations

from dataclasses import field
from enum import Enum
from typing import TYPE_CHECKING, Final

from doit_receipts.frozen import frozen

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from doit_receipts.calls import Call

__all__ = ["AMOUNTS", "Effect", "Kind", "Task"]

AMOUNTS: Final = ("cores", "memory_mb")
"""Of what a machine has so and so much: cores, and memory in units of 2**20 bytes."""


class Effect(Enum):
    """What a step changes, and with it what a retry may do."""

    LOCAL = "files under the work folder; repeatable"
    CLONE = "files or commits in a clone of the release's own; resettable"
    SHARED = "a remote thing that converges when done again"
    PUBLIC = "users see it; done once"


class Kind(Enum):
    """What a task is."""

    STEP = "step"
    GATE = "gate"
    APPROVAL = "approval"
    GROUP = "group"


@frozen
class Task:
    """One task: what it is, what it waits for, what it reads, makes and does.

    ``arguments`` is the digest of what the calls are given.

    ``after`` names tasks of this release only: one that the release lacks is replaced by its own
    needs. Of those that are in ``only_after`` too it takes nothing over, and its receipt does not
    name them. ``extra_inputs`` are calls whose text is an input beside files and results. A
    ``volatile`` gate or step judges something outside the receipts, so it is asked again until what
    stands behind it has happened. What is ``only_shown`` is there to be looked at for the approvals
    behind it, and nothing is made from it. ``who`` is the person that an approval needs. ``look``
    gives the call whose result is a Probe of the part of the world that the step changes, before
    it acts and after.
    One that ``asks_others`` has other machines do something for it, and changes nothing of theirs.
    What ``signs`` vouches for what it is made from: see ``is_final``.
    A gate ``of_published`` judges what users see already: see ``Plan.gate``.
    ``takes`` is how much of the machine it needs while others run (see ``AMOUNTS``).
    ``labels`` are words of the project by kind, such as ids of its obligations.
    """

    name: str
    kind: Kind
    title: str
    chapter: str
    calls: tuple[Call, ...] = ()
    arguments: str = ""
    effect: Effect | None = None
    after: tuple[str, ...] = ()
    reads: tuple[Path, ...] = ()
    writes: tuple[Path, ...] = ()
    extra_inputs: Mapping[str, Call] = field(default_factory=dict)
    look: Callable[[], Call] | None = None
    labels: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    volatile: bool = False
    only_shown: bool = False
    who: str = ""
    takes: Mapping[str, int] = field(default_factory=dict)
    only_after: tuple[str, ...] = ()
    signs: bool = False
    of_published: bool = False
    asks_others: bool = False

    @property
    def label(self) -> str:
        """The effect of a step, or the kind of anything else: one word for lists."""
        return self.effect.name if self.effect else self.kind.value

    @property
    def is_public(self) -> bool:
        """Whether users see its work, so that it is done once."""
        return self.effect is Effect.PUBLIC

    @property
    def is_final(self) -> bool:
        """Whether others will believe its work: users see it, or it has a signature."""
        return self.is_public or self.signs
