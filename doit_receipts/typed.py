"""Typed: how a person types a command of doit for the release that is open now."""

from __future__ import annotations

import re
import shlex
from contextvars import ContextVar
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

__all__ = ["DODO", "completed", "started_in", "typed"]

DODO: ContextVar[tuple[Path, Path] | None] = ContextVar("DODO", default=None)
"""The dodo.py that ``-f`` named in another folder, and that folder; None where doit found it."""


def typed(*words: str) -> str:
    """The words to type for a command: ``doit why build``, with ``-f`` where that was needed."""
    given = DODO.get()
    named = () if given is None else ("-f", shlex.quote(str(given[0])))
    return " ".join(("doit", *named, *words))


_COMMANDS: Final = frozenset({
    "adopt", "approve", "board", "check", "forget", "graph", "list", "next", "plan", "report",
    "retry", "run", "verify", "why",
})  # fmt: skip
_OF_ONE_TASK: Final = frozenset({"adopt", "retry"})
# A command that names its release already is left as it is.
_SPOKEN: Final = r"\bdoit (?P<word>[a-z_]+)(?: (?P<name>[a-z_]+))?\b(?![^;:]* --release )"


def completed(
    text: str, command: Callable[..., str], tasks: Collection[str], task: str = ""
) -> str:
    """The text with each ``doit WORD`` in it as ``command`` spells that for the open release.

    ``doit adopt`` and ``doit retry`` get the name of ``task`` where they have none. Whoever finds
    out what a person has to do, a step or a rule, thus need not know how the release was opened.
    """

    def spelled(found: re.Match[str]) -> str:
        word, name = found["word"], found["name"]
        if word not in _COMMANDS and word not in tasks:
            return found[0]
        if name in tasks:
            return command(word, name)
        own = (task,) if task and word in _OF_ONE_TASK else ()
        return command(word, *own) + (f" {name}" if name else "")

    return re.sub(_SPOKEN, spelled, text)


def started_in() -> Path:
    """The folder in which the command was typed; relative paths of a person are below it.

    Right until dodo.py is read: doit changes to its folder then.
    """
    given = DODO.get()
    return Path.cwd() if given is None else given[1]
