"""Typed: how a person types a command of doit for the release that is open now."""

from __future__ import annotations

import shlex
from contextvars import ContextVar
from pathlib import Path

__all__ = ["DODO", "started_in", "typed"]

DODO: ContextVar[tuple[Path, Path] | None] = ContextVar("DODO", default=None)
"""The dodo.py that ``-f`` named in another folder, and that folder; None where doit found it."""


def typed(*words: str) -> str:
    """The words to type for a command: ``doit why build``, with ``-f`` where that was needed."""
    given = DODO.get()
    named = () if given is None else ("-f", shlex.quote(str(given[0])))
    return " ".join(("doit", *named, *words))


def started_in() -> Path:
    """The folder in which the command was typed; relative paths of a person are below it.

    Right until dodo.py is read: doit changes to its folder then.
    """
    given = DODO.get()
    return Path.cwd() if given is None else given[1]
