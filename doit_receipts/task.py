"""Task: one obligation as the plan knows it, and the call that fulfils it."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import date
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar, cast

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Call", "Effect", "Fact", "Kind", "Task", "call", "value"]

_P = ParamSpec("_P")
_Given = TypeVar("_Given")


class Effect(Enum):
    """What a step changes, and with it what a retry may do."""

    LOCAL = "files under the work folder; repeatable"
    CLONE = "files or commits in the release clone; resettable"
    SHARED = "a remote thing that converges when done again"
    PUBLIC = "users see it; done once"


class Kind(Enum):
    """What a task is, in the words of the design."""

    STEP = "step"
    GATE = "gate"
    APPROVAL = "approval"
    GROUP = "group"


@dataclass(frozen=True, slots=True)
class Fact:
    """A fact that another task's receipt will hold: stands in a call until that task is done."""

    task: str
    name: str


@dataclass(frozen=True, slots=True)
class Call:
    """A function and all that it can touch, to be called when its task runs."""

    function: Callable[..., Any]
    arguments: tuple[Any, ...]
    named: tuple[tuple[str, Any], ...] = ()

    def describe(self, work: Path) -> str:
        """The call in words that are equal on every machine, with no secret in them.

        Paths below the work folder are told relative to it; services tell their own name.
        """
        words = [_describe(each, work) for each in self.arguments]
        words += [f"{name}={_describe(each, work)}" for name, each in self.named]
        return f"{self.function.__module__}.{self.function.__qualname__}({', '.join(words)})"

    def perform(self, resolve: Callable[[Fact], str]) -> Any:
        """Do it, with each Fact replaced by its text and each inner call by what it gives."""

        def known(value: Any) -> Any:
            if isinstance(value, Call):
                return value.perform(resolve)
            return resolve(value) if isinstance(value, Fact) else value

        named = {name: known(value) for name, value in self.named}
        return self.function(*(known(value) for value in self.arguments), **named)


def call(function: Callable[_P, Any], *arguments: _P.args, **named: _P.kwargs) -> Call:
    """Say what a task does: the right-hand side names everything that it can touch."""
    return Call(function, arguments, tuple(sorted(named.items())))


def value(function: Callable[_P, _Given], *arguments: _P.args, **named: _P.kwargs) -> _Given:
    """What the function will give when the task runs; stands as an argument in a ``call``.

    To the type checker it is given already, so that the wiring of dodo.py is checked.
    """
    return cast("_Given", call(function, *arguments, **named))


@dataclass(frozen=True, slots=True)
class Task:
    """One task: what it is, what it waits for, what it reads, makes and does.

    ``after`` names tasks of this release only: one that the release type lacks is replaced by
    its own needs. A ``volatile`` gate judges something outside the receipts, so it looks again
    until what stands behind it has happened. ``who`` is the person an approval needs.
    ``probe`` looks at the part of the world that the step changes, before it acts and after.
    """

    name: str
    kind: Kind
    title: str
    chapter: int
    calls: tuple[Call, ...] = ()
    effect: Effect | None = None
    after: tuple[str, ...] = ()
    reads: tuple[Path, ...] = ()
    writes: tuple[Path, ...] = ()
    looks: tuple[Call, ...] = ()
    probe: Call | None = None
    pep: tuple[str, ...] = ()
    volatile: bool = False
    who: str = ""

    @property
    def label(self) -> str:
        """The effect of a step, or the kind of anything else: one word for lists."""
        return self.effect.name if self.effect else self.kind.value


def _describe(value: Any, work: Path) -> str:  # noqa: C901, PLR0911 - one line for each shape a value can have
    match value:
        case Path():
            return str(value.relative_to(work)) if value.is_relative_to(work) else str(value)
        case Enum():
            return f"{type(value).__name__}.{value.name}"
        case str() | bytes() | int() | float() | bool() | None | date():
            return repr(value)
        case Fact():
            return f"{value.task}.{value.name}"
        case Call():
            return value.describe(work)
        case Mapping():
            inner = sorted(f"{key!r}: {_describe(each, work)}" for key, each in value.items())
            return "{" + ", ".join(inner) + "}"
        case AbstractSet():
            return "{" + ", ".join(sorted(_describe(each, work) for each in value)) + "}"
        case Sequence():
            return "(" + ", ".join(_describe(each, work) for each in value) + ")"
        case _ if callable(value) and hasattr(value, "__qualname__"):
            return f"{value.__module__}.{value.__qualname__}"
        case _ if dataclasses.is_dataclass(value):
            inner = [
                f"{field.name}={_describe(getattr(value, field.name), work)}"
                for field in dataclasses.fields(value)
                if field.repr
            ]
            return f"{type(value).__name__}({', '.join(inner)})"
        case _ if cast("object", type(value).__repr__) is object.__repr__:
            # It would tell an address in memory, and no receipt would ever hold again.
            message = f"{type(value).__name__} stands in a call and has no __repr__ of its own"
            raise TypeError(message)
        case _:
            return repr(value)
