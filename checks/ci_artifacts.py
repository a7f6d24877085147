"""CI artifacts: GitHub's build of the tag gave the bytes that were made here, and no file that
nobody knows (Z13).
"""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING, Final

from checks.looking import judges
from doit_receipts.errors import StepFailed
from doit_receipts.finding import Finding, Severity

if TYPE_CHECKING:
    from pathlib import Path

    from plugins.model.contract import Contract
    from plugins.model.release import Release

__all__ = ["FETCH_AGAIN", "ci_built_the_same", "ci_files_are_known"]

FETCH_AGAIN: Final = "once it is there, run doit forget fetch_build, then the same command again"
"""How what CI built anew is seen: what was fetched is known by its digests of then."""

_DOCS: Final = re.compile(r"-docs[.-]")


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
                remedy=f"see whether CI's job build-source made it; {FETCH_AGAIN}",
            )  # fmt: skip
        here, there = _digest(mine), _digest(theirs)
        if here != there:
            found.append(
                Finding(
                    "ci.differs",
                    Severity.BLOCK,
                    f"CI built other bytes: {there[:16]}, here {here[:16]}",
                    where=mine.name,
                    remedy=f"compare {mine} with {theirs}: diffoscope shows what differs; then "
                    "have the wrong one built again: here by doit forget build_tarballs and the "
                    f"same command, there by its job; {FETCH_AGAIN}",
                )
            )
    return tuple(found)


@judges("ci.unknown", blind="ci.missing")
def ci_files_are_known(release: Release, contract: Contract) -> tuple[Finding, ...]:
    """Every file that CI built is one that the release publishes, or documentation.

    A package of a new platform would otherwise be left out without a word: what is published
    is taken from the contract by name, and nothing else is looked at.
    """
    promised = {file.name for file in contract.files}
    version = str(release.version)
    found = []
    for path in sorted(release.layout.ci.glob("*/**/*")):
        name = path.name
        is_docs = name.startswith(f"python-{version}") and _DOCS.search(name) is not None
        if not path.is_file() or name in promised or is_docs:
            continue
        shown = name if name.isprintable() else ascii(name)
        found.append(
            Finding(
                "ci.unknown",
                Severity.BLOCK,
                f"CI built a file that Python {version} does not publish",
                where=f"{path.relative_to(release.layout.ci).parts[0]}/{shown}",
                remedy="if it belongs to the release, add its line to plugins/model/binaries.py; "
                "if not, waive ci.unknown",
            )
        )
    return tuple(found)


def _digest(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
