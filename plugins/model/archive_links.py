"""Archive links: where the symbolic links of an archive lead once they are all unpacked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["leads_out"]

_MOST_LINKS: Final = 40
"""That a system follows on the way to one file; what needs more is not found by anything."""


def leads_out(name: str, links: Mapping[str, str], root: str) -> bool:
    """Whether a link, followed as a system does, leaves the folder ``root`` on its way.

    ``links`` are the targets of all links of the archive by their names: ``..`` behind one of them
    goes up from where that leads, not from where it is. One that leads round leads nowhere.
    """
    here: list[str] = []
    left = list(reversed(name.split("/")))
    followed = 0
    while left:
        part = left.pop()
        if part == "..":
            here = here[:-1]
        elif part not in ("", "."):
            here.append(part)
        if here[:1] != [root]:
            return True
        target = links.get("/".join(here)) if part not in ("", ".", "..") else None
        if target is None:
            continue
        if target.startswith("/") or not target:
            return True
        followed += 1
        if followed > _MOST_LINKS:
            return False
        here.pop()
        left += reversed(target.split("/"))
        if not here:  # a link in place of the folder itself
            return True
    return False
