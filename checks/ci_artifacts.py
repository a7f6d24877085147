"""CI artifacts: whether GitHub's build of the tag gave the bytes that were made here (Z13)."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from checks.looking import judges
from doit_receipts.errors import StepFailed
from doit_receipts.finding import Finding, Severity

if TYPE_CHECKING:
    from pathlib import Path

    from plugins.model.release import Release

__all__ = ["ci_built_the_same"]


@judges("ci.differs", blind="ci.missing")
def ci_built_the_same(release: Release) -> tuple[Finding, ...]:
    """The source archives of CI are byte for byte those of ``doit export``.

    Two machines that agree are the best word there is that nothing of either got in.
    """
    found = []
    for mine in release.layout.tarballs:
        theirs = release.layout.ci / "source" / mine.name
        if not theirs.is_file():
            raise StepFailed(
                where="ci/source", problem=f"{mine.name} is not there",
                remedy="see whether CI's job build-source made it",
            )  # fmt: skip
        here, there = _digest(mine), _digest(theirs)
        if here != there:
            found.append(
                Finding(
                    "ci.differs",
                    Severity.BLOCK,
                    f"CI built other bytes: {there[:16]}, here {here[:16]}",
                    where=mine.name,
                    remedy=f"compare {mine} with {theirs}: diffoscope shows what differs",
                )
            )
    return tuple(found)


def _digest(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
