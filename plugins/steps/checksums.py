"""Checksums: the list of sha256 sums beside the source archives."""

from __future__ import annotations

from typing import TYPE_CHECKING

from doit_receipts.artifact import sha256_of
from doit_receipts.durable import PARTIAL, write_whole
from doit_receipts.errors import StepFailed

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from plugins.model.release import Release

__all__ = ["write"]


def write(release: Release, files: Iterable[Path]) -> dict[str, str]:
    """SHA256SUMS lists these files, which are all that ``src`` holds, as sha256sum -c reads it.

    Raises StepFailed if one is missing, or if ``src`` holds a file that no task made: the
    folder is published as it is.
    """
    layout = release.layout
    listed = sorted(set(files), key=lambda path: path.name)
    for path in listed:
        if path.parent != layout.src or not path.is_file():
            raise StepFailed(
                where=f"src/{path.name}",
                problem="does not exist, so its checksum cannot be listed",
                remedy="run doit export",
            )
    for path in sorted(layout.src.iterdir()):
        ours = path in listed or path == layout.checksums
        if not ours and not path.name.startswith(".") and not path.name.endswith(PARTIAL):
            raise StepFailed(
                where=f"src/{path.name}",
                problem="no task of this release made it, and every file in src is published",
                remedy="move it away, then run the same command again",
            )
    lines = [f"{sha256_of(path)}  {path.name}\n" for path in listed]
    write_whole(layout.checksums, "".join(lines).encode())
    return {"files": str(len(listed))}
