"""Rebuilt archives: whether the tag alone, in an empty folder, gives the published bytes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from doit_receipts.artifact import sha256_of
from doit_receipts.errors import ReleaseError
from plugins.model.rules import breach

if TYPE_CHECKING:
    from collections.abc import Callable

    from doit_receipts.finding import Finding
    from plugins.model.release import Release

__all__ = ["rebuild_gives_the_same"]


def rebuild_gives_the_same(
    release: Release, inside: Release, make: Callable[[], object]
) -> tuple[Finding, ...]:
    """``make`` writes the archives of ``inside``, and they are those of ``release``."""
    for each in inside.layout.tarballs:
        each.unlink(missing_ok=True)
    try:
        make()
    except ReleaseError as error:
        return (breach("rebuild.failed", release.version.tag, str(error)),)
    found = []
    for mine, theirs in zip(inside.layout.tarballs, release.layout.tarballs, strict=True):
        made = sha256_of(mine)
        given = sha256_of(theirs) if theirs.is_file() else ""
        if made != given:
            problem = f"made again it is {made[:16]}…, found {given[:16] or 'none'}…"
            found.append(breach("rebuild.differs", theirs.name, problem))
    return tuple(found)
