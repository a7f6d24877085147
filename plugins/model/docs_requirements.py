"""Docs requirements: the files of a tree's Doc folder that say what its documentation needs."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["INCLUDES", "REQUIREMENTS", "gathered"]

REQUIREMENTS: Final = "requirements.txt"
INCLUDES: Final = re.compile(r"^\s*(?:-[rc]|--requirement|--constraint)[ =]*(\S+)", re.MULTILINE)
"""Another file that a requirements file names."""
_PLAIN: Final = re.compile(r"[\w.-]+")


def gathered(read: Callable[[str], str | None]) -> dict[str, bytes]:
    """requirements.txt and every file beside it that it names, by name; {} if it is not there.

    ``read`` gives the text of a file of the Doc folder, None for one that is missing; pip, or the
    step, says what is missing.
    """
    waiting, found = [REQUIREMENTS], {}
    while waiting:
        name = waiting.pop()
        if name in found:
            continue
        text = read(name)
        if text is not None:
            found[name] = text.encode()
            waiting += [each for each in INCLUDES.findall(text) if _PLAIN.fullmatch(each)]
    return found
