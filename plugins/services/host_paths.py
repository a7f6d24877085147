"""Host paths: the check of every name that is sent to a host, and the name of a partial upload."""

from __future__ import annotations

from typing import Final

from doit_receipts.errors import ServiceFailed

__all__ = ["PARTIAL", "checked", "partial_name"]

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
