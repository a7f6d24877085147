"""Host paths: the check of every name that is sent to a host, and the name of a partial upload.

Whoever may write in a folder may put a link there, under a name that we use next: what is said of
that is here too, the same for every kind of host.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from doit_receipts.errors import ServiceFailed

if TYPE_CHECKING:
    from plugins.ports.host import Entry

__all__ = ["PARTIAL", "checked", "objection", "partial_name"]

PARTIAL: Final = ".partial"
"""What the name of a partial file ends with."""


def checked(path: str) -> str:
    """The path itself, if it stays below the root and holds nothing that a program could take
    for anything but a name.

    Raises ServiceFailed for one that does not.
    """
    parts = path.split("/")
    if (
        all(part not in ("", ".", "..") for part in parts)
        and path.isprintable()
        and "\\" not in path
    ):
        return path
    raise ServiceFailed(
        service="host",
        action=ascii(path),
        problem="is not the name of a file below the root",
        remedy="rename or remove it there, or have the archive made again that holds it; "
        "then run the same command again",
    )


def partial_name(path: str) -> str:
    """The name of a file while it is being sent."""
    return f"{path}{PARTIAL}"


def objection(found: Entry, wanted: str) -> tuple[str, str]:
    """What is said, problem and remedy, of something else that has a name which is to be ours."""
    remedy = (
        f"ask {found.owner} or the host's administrators what it is, and to move it away; then "
        "run the same command again"
    )
    return f"is a {found.kind.value} of {found.owner}, wanted {wanted}", remedy
