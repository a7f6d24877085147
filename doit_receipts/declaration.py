"""Declarations: a task as it is written, before all that it names is known, and what is wrong."""

from __future__ import annotations

from inspect import signature
from pathlib import Path
from typing import TYPE_CHECKING, Any

from doit_receipts.calls import Call

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType

    from doit_receipts.task import Task

__all__ = ["Declared", "arguments_for", "declaration_error", "place_of"]


class Declared:
    """A declared task: what ``after=`` names, and what gives its facts to others.

    ``task`` is None for one that this release lacks; ``place`` is the file and line.
    """

    __slots__ = ("after", "name", "place", "task")

    def __init__(
        self, name: str, place: str, task: Task | None, after: tuple[Declared | str, ...]
    ) -> None:
        self.name = name
        self.place = place
        self.task = task
        self.after = after

    def __repr__(self) -> str:
        return f"<task {self.name}>"


def place_of(source: Callable[..., Any] | FrameType) -> str:
    """``dodo.py:12``: where a function begins, or the line that is being executed."""
    code = getattr(source, "f_code", None) or getattr(source, "__code__", None)
    if code is None:
        return "dodo.py"
    line = getattr(source, "f_lineno", code.co_firstlineno)
    path = Path(code.co_filename)
    # A chapter is named with its folder: several projects have a build.py.
    shown = path.name if path.name == "dodo.py" else f"{path.parent.name}/{path.name}"
    return f"{shown}:{line}"


def declaration_error(place: str, problem: str, remedy: str) -> Exception:
    """What to raise for a declaration that makes no sense; doit shows it as one line."""
    # late: doit loads 70 ms of modules, and a receipt can be read without it
    from doit.exceptions import InvalidDodoFile

    error: Exception = InvalidDodoFile(f"{place}: {problem}; {remedy}")
    return error


def arguments_for(look: Callable[..., Any], calls: tuple[Call, ...], place: str, name: str) -> Call:
    """A call of ``look`` with those arguments of the act that it names itself.

    So a look cannot be at something else than what the act changes. Raises InvalidDodoFile if the
    step does not do exactly one call, or its act has no argument of a name that the look needs.
    """
    if len(calls) != 1:
        raise declaration_error(
            place, f"{name} has a look and {len(calls)} calls", "return exactly one call"
        )
    act = calls[0]
    names = signature(act.function).parameters
    given = dict(zip(names, act.arguments, strict=False)) | dict(act.named)
    wanted = signature(look).parameters
    missing = [
        each.name
        for each in wanted.values()
        if each.name not in given and each.default is each.empty
    ]
    if missing:
        raise declaration_error(
            place,
            f"{name} looks by {look.__name__}, which needs {', '.join(missing)}, and its act"
            f" {act.function.__name__} has no argument of that name",
            "call the argument the same in both",
        )
    return Call(look, (), tuple((each, given[each]) for each in sorted(wanted) if each in given))
