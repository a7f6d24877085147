"""Host paths: the border that every name crosses on its way to a host, and the half upload's."""

from __future__ import annotations

from typing import Final

from doit_receipts.errors import ServiceFailed

__all__ = ["HALF", "checked", "half"]

HALF: Final = ".partial"
"""What the name of a half upload ends with."""


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
        service="host", action=ascii(path), problem="is not the name of a file below the root"
    )


def half(path: str) -> str:
    """The name of a file while it is being sent."""
    return f"{path}{HALF}"
