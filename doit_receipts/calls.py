"""Calls: what a task does, with values that are known only when it runs.

A call is part of a task's identity by its *arguments* alone. Neither the name of the function nor
its module is told, nor the name of a class that carries values: they may be renamed and moved in
the middle of a release, and no finished task becomes stale by that.
"""

from __future__ import annotations

import dataclasses
import hashlib
import os
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from contextlib import suppress
from datetime import date
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NoReturn, ParamSpec, TypeVar, cast

from doit_receipts.frozen import frozen
from doit_receipts.late import LateFunction

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

__all__ = [
    "BadArgument",
    "Call",
    "Deferred",
    "Fact",
    "NotKnownYet",
    "below",
    "call",
    "deferred",
    "digest_of",
    "resources_of",
]

_P = ParamSpec("_P")
_Given = TypeVar("_Given")


_DESCRIBED: Final[dict[int, tuple[object, Path, str]]] = {}
"""Values that cannot change, by identity: the same release stands in hundreds of calls."""


class BadArgument(TypeError):
    """A value that cannot stand in a call: it cannot tell itself, or nobody would resolve it."""


class NotKnownYet(TypeError):
    """A deferred value was used while the tasks are still declared."""


@frozen
class Call:
    """A function and all that it can touch, to be called when its task runs."""

    function: Callable[..., Any]
    arguments: tuple[Any, ...]
    named: tuple[tuple[str, Any], ...] = ()

    def describe(self, work: Path) -> str:
        """The arguments in words that are equal on every machine, with no secret in them.

        Paths below the work folder are told relative to it; services tell their own name.
        Raises BadArgument.
        """
        words = [_argument(each, work) for each in self.arguments]
        words += [f"{name}={_argument(each, work)}" for name, each in self.named]
        return f"({', '.join(words)})"

    @property
    def is_late(self) -> bool:
        """Whether a function of it is not imported yet."""
        return any(isinstance(each, LateFunction) for each in self.functions())

    def functions(self) -> Iterator[Callable[..., Any]]:
        """Its function, and those that its deferred arguments will come from."""
        yield self.function
        for value in (*self.arguments, *(value for _, value in self.named)):
            if isinstance(value, Deferred):
                yield from value.functions()

    def perform(self, fact_text: Callable[[Fact], str]) -> Any:
        """Do it, with each deferred argument replaced by what it gives now."""
        return self.with_arguments(fact_text, self.function)

    def given(self) -> tuple[Any, ...]:
        """All that the function is given."""
        return (*self.arguments, *(value for _, value in self.named))

    def with_arguments(self, fact_text: Callable[[Fact], str], function: Callable[..., Any]) -> Any:
        """Call another function with the same arguments."""

        def known(value: Any) -> Any:
            return value.resolve(fact_text) if isinstance(value, Deferred) else value

        named = {name: known(value) for name, value in self.named}
        return function(*(known(value) for value in self.arguments), **named)


@frozen
class Fact:
    """A fact of the receipt that another task will leave."""

    task: str
    name: str


class Deferred:
    """A value that is known when a task runs: a fact of an earlier receipt, or a call's result.

    It can only be an argument of a call. Whatever would need the value now (text, comparison,
    truth, length, an attribute) raises NotKnownYet, and so shows a mistake of the declaration.
    """

    __slots__ = ("_source",)

    def __init__(self, source: Call | Fact) -> None:
        self._source = source

    def __repr__(self) -> str:
        return f"<deferred {self._name()}>"

    def describe(self, work: Path) -> str:
        """The source in words; see ``Call.describe``."""
        source = self._source
        if isinstance(source, Fact):
            return f"{source.name} of {source.task}"
        return f"result of {source.describe(work)}"

    def given(self) -> tuple[Any, ...]:
        """The values that it is made from."""
        return () if isinstance(self._source, Fact) else self._source.given()

    def functions(self) -> Iterator[Callable[..., Any]]:
        """What will be called for it; see ``Call.functions``."""
        if isinstance(self._source, Call):
            yield from self._source.functions()

    def resolve(self, fact_text: Callable[[Fact], str]) -> Any:
        """The resolved value; errors raised while it is resolved pass through."""
        source = self._source
        return fact_text(source) if isinstance(source, Fact) else source.perform(fact_text)

    def _name(self) -> str:
        source = self._source
        if isinstance(source, Fact):
            return f"{source.name} of {source.task}"
        return f"result of {getattr(source.function, '__qualname__', 'a call')}"

    def _early(self, *_: object) -> NoReturn:
        message = (
            f"{self!r} is known only when its task runs: hand it to call() or deferred() as an"
            " argument of its own"
        )
        raise NotKnownYet(message)

    __str__ = __format__ = __bool__ = __eq__ = __ne__ = __hash__ = _early
    __lt__ = __le__ = __gt__ = __ge__ = __len__ = __iter__ = __contains__ = _early
    __add__ = __radd__ = __mod__ = __truediv__ = __rtruediv__ = __int__ = __float__ = _early
    __getitem__ = __call__ = __fspath__ = __index__ = _early

    def __getattr__(self, name: str) -> NoReturn:
        if name.startswith("__"):
            raise AttributeError(name)
        self._early()


def call(function: Callable[_P, Any], *arguments: _P.args, **named: _P.kwargs) -> Call:
    """Say what a task does: the right-hand side names everything that it can touch."""
    return Call(function, arguments, tuple(sorted(named.items())))


def deferred(function: Callable[_P, _Given], *arguments: _P.args, **named: _P.kwargs) -> _Given:
    """What the function will give when the task runs; stands as an argument in a ``call``.

    To the type checker it is given already, so that the wiring of a release is checked.
    """
    return cast("_Given", Deferred(call(function, *arguments, **named)))


def below(path: Path, work: Path) -> str:
    """The path, relative to the work folder if it is below it."""
    # Of hundreds of paths in a listing, pathlib's own relative_to takes a tenth of its time.
    text, folder = str(path), str(work)
    if text == folder:
        return "."
    return text[len(folder) + 1 :] if text.startswith(f"{folder}{os.sep}") else text


def digest_of(calls: Iterable[Call], work: Path) -> str:
    """What the calls of a task are given, in one digest: a part of what it is made from.

    Raises BadArgument.
    """
    described = "\n".join(each.describe(work) for each in calls)
    return hashlib.sha256(described.encode()).hexdigest()


def resources_of(calls: Iterable[Call]) -> dict[str, bool]:
    """What the calls are given that tasks share: of each value with a ``resource``, its name.

    Beside it, whether they may change it; they only read what is ``only_read``.
    """
    found: dict[str, bool] = {}
    open_ = [value for each in calls for value in each.given()]
    while open_:
        value = open_.pop()
        if isinstance(value, Deferred):
            open_ += value.given()
        elif isinstance(value, Mapping):
            open_ += value.values()
        elif isinstance(value, (list, tuple, set, frozenset)):
            open_ += value
        elif hasattr(type(value), "resource"):
            only_read = hasattr(type(value), "only_read") and value.only_read
            found[value.resource] = found.get(value.resource, False) or not only_read
    return found


def _argument(value: Any, work: Path) -> str:
    """An argument of a call, where a deferred value is resolved when the call is made."""
    return value.describe(work) if isinstance(value, Deferred) else _describe(value, work)


def _describe(value: Any, work: Path) -> str:  # noqa: C901, PLR0911 - one line for each shape a value can have
    match value:
        case Path():
            return below(value, work)
        case _ if dataclasses.is_dataclass(value) and not isinstance(value, type | Call):
            return _fields(value, work)
        case Enum():
            return value.name
        case str() | bytes() | int() | float() | bool() | None | date():
            return repr(value)
        case Deferred():
            message = f"{value!r} stands within another value, and is resolved only on its own"
            raise BadArgument(message)
        case Call():
            message = "a call() nested in another one would never run: use deferred()"
            raise BadArgument(message)
        case Mapping():
            inner = sorted(f"{key!r}: {_describe(each, work)}" for key, each in value.items())
            return "{" + ", ".join(inner) + "}"
        case AbstractSet():
            return "{" + ", ".join(sorted(_describe(each, work) for each in value)) + "}"
        case Sequence():
            return "(" + ", ".join(_describe(each, work) for each in value) + ")"
        case _ if callable(value) and hasattr(value, "__qualname__"):
            return "a function"
        case _ if cast("object", type(value).__repr__) is object.__repr__:
            # It would tell an address in memory, and no receipt would ever hold again.
            message = f"{type(value).__name__} stands in a call and has no __repr__ of its own"
            raise BadArgument(message)
        case _:
            return repr(value)


def _fields(value: Any, work: Path) -> str:
    kept = _DESCRIBED.get(id(value))
    if kept is not None and kept[1] == work:
        return kept[2]
    inner = [
        f"{field.name}={_describe(getattr(value, field.name), work)}"
        for field in dataclasses.fields(value)
        if field.repr
    ]
    described = f"({', '.join(inner)})"
    with suppress(TypeError):
        hash(value)  # only what cannot change has one
        _DESCRIBED[id(value)] = (value, work, described)
    return described
