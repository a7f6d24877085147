"""Schedule PEPs: the lists of releases in the text of a release PEP, between their markers.

Source: ``update_pep`` in release_management/update_release_schedules.py of python/peps.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

    from plugins.model.schedule import Stage

__all__ = ["lists_as_released", "only_lists_differ", "pep_path"]

_BEGINS: Final = ".. release schedule: "
_ENDS: Final = ".. release schedule: ends"
_LINE: Final = re.compile(r"(?:|Actual:|Expected:|- [^\n]*|  \([^\n]*\))")


def pep_path(number: int) -> str:
    """Where python/peps keeps the PEP of this number."""
    return f"peps/pep-{number:04}.rst"


def lists_as_released(text: str, stage: Stage) -> bool:
    """Whether a list of the PEP says that this release is out on its day."""
    heading = ""
    for is_listed, line in _lines(text):
        if not is_listed:
            heading = ""
        elif line in ("Actual:", "Expected:"):
            heading = line
        elif line == stage.bullet and heading != "Expected:":
            return True
    return False


def only_lists_differ(before: str, after: str) -> bool:
    """Whether two texts of a PEP are equal but for its lists, and the lists are lists."""
    same = [line for is_listed, line in _lines(before) if not is_listed] == [
        line for is_listed, line in _lines(after) if not is_listed
    ]
    return same and all(_LINE.fullmatch(line) for is_listed, line in _lines(after) if is_listed)


def _lines(text: str) -> Iterator[tuple[bool, str]]:
    """Each line, and whether it is between the markers of a list."""
    is_listed = False
    for line in text.splitlines():
        if is_listed and line == _ENDS:
            is_listed = False
        yield is_listed, line
        if line.startswith(_BEGINS) and line != _ENDS:
            is_listed = True
