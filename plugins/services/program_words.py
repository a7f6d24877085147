"""Program words: by which name people know a program, and what it was asked to do."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["program_and_act"]

_PYTHON: Final = r"(?:python|pypy)[\d.]*t?(?:\.exe)?"
_OPTIONS: Final = {
    "python": ("-X", "-W"),
    "pip": ("--python",),
    "git": ("-c", "-C"),
    "make": ("-C", "-f"),
}
"""Of programs whose options come before what they are asked: those that another word belongs to."""
_ACT: Final = r"[a-z][a-z_-]*"


def program_and_act(words: Sequence[str]) -> tuple[str, str]:
    """The program and the word for what it does; ``run`` where it has none.

    A module that Python runs is known by its own name: ``python -I -m pip --python PATH install``
    is pip, which installs. Of Python with lines of ours which Python it is counts, by its path.
    """
    name, rest = Path(words[0]).name, list(words[1:])
    if re.fullmatch(_PYTHON, name):
        rest = _behind_options("python", rest)
        if not rest or rest[0] == "-c":
            return words[0], "run"
        if rest[0] == "-m" and len(rest) > 1:
            name, rest = rest[1] if rest[1] == "pip" else f"python -m {rest[1]}", rest[2:]
        else:
            name, rest = Path(rest[0]).name, rest[1:]
    if name in _OPTIONS:
        rest = _behind_options(name, rest)
    return name, rest[0] if rest and re.fullmatch(_ACT, rest[0]) else "run"


def _behind_options(program: str, words: Sequence[str]) -> list[str]:
    last = ("-c", "-m") if program == "python" else ()
    rest = list(words)
    while rest and rest[0].startswith("-") and rest[0] not in last:
        del rest[: 2 if rest[0] in _OPTIONS[program] else 1]
    return rest
