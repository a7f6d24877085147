"""Disk: whether this machine has room for all that a release makes here."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

from checks.looking import judges
from doit_receipts.errors import StepFailed
from doit_receipts.finding import Finding, Severity

if TYPE_CHECKING:
    from plugins.model.release import Release

__all__ = ["work_folder_has_room"]

_GIB: Final = 1 << 30
_WANTED: Final = 6 * _GIB
"""Two trees that are built and tested, the documentation in four formats with its tools, the
release clone, a clone to merge in, and every file downloaded again. An estimate, with room."""
_LEAST: Final = _GIB
"""Less than this does not even hold the clone and one tree that is built."""


@judges(blind="work.space")
def work_folder_has_room(
    release: Release, wanted_bytes: int = _WANTED, least_bytes: int = _LEAST
) -> tuple[Finding, ...]:
    """The disk of the work folder has room for the release; it blocks where it is nearly full.

    What a release of before left there is counted as well: it is not made again. Of a rehearsal's
    toy a hundredth is asked.
    """
    folder = release.layout.work
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    try:
        found = os.statvfs(folder)
    except OSError as error:
        raise StepFailed(
            where=str(folder),
            problem=f"cannot be looked at: {error.strerror}",
            remedy="give yourself access to it, or write another [work] folder",
        ) from error
    free = found.f_bavail * found.f_frsize
    part = 100 if release.rehearsal else 1
    if free >= wanted_bytes // part:
        return ()
    severity = Severity.BLOCK if free < least_bytes // part else Severity.WARN
    return (
        Finding(
            "work.space",
            severity,
            f"has {free / _GIB:.1f} GiB free, and a release may take "
            f"{wanted_bytes // part / _GIB:.1f} GiB",
            where=str(folder),
            remedy="make room there, or write another [work] folder",
        ),
    )
