"""Invitation: a text by which others can be asked to test what CI built, before users get anything.

Our own files are hidden until they are final, so it names those of CI's run, which anybody with an
account at GitHub can fetch.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from doit_receipts.durable import write_whole
from doit_receipts.errors import StepFailed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from plugins.model.release import Release

__all__ = ["INVITATION", "write"]

INVITATION: Final = "invitation.md"
"""The file below ``made/``."""


def write(release: Release, fetched: Mapping[str, str], address: str) -> dict[str, str]:
    """``made/invitation.md`` names every file of CI's run, its sha256 and where to get it (U02).

    ``fetched`` has the digests by artifact and name; ``address`` is the run's page. Whether it is
    posted, and where, is the release manager's choice. Raises StepFailed if the run has no file.
    """
    files = {name: sha256 for name, sha256 in fetched.items() if "/" in name}
    if not files:
        raise StepFailed(
            where="ci",
            problem="CI's run has no file that anybody could test",
            remedy="doit forget fetch_build, then doit publish: its files are fetched again",
        )
    lines = [
        f"# Python {release.version} is about to be released: please test",
        "",
        f"CI has built Python {release.version} from the tag {release.version.tag}.",
        f"Its files are the artifacts of {address}:",
        "log in to GitHub and fetch them there. This is not the release yet: nothing is on",
        "python.org, and nothing is announced before the installers are there.",
        "",
        "If something is wrong, please open an issue at https://github.com/python/cpython/issues",
        "and say so here.",
        "",
        "| Artifact | File | sha256 |",
        "|---|---|---|",
    ]
    for name, sha256 in sorted(files.items()):
        artifact, _, file = name.partition("/")
        lines.append(f"| {artifact} | {file} | `{sha256}` |")
    write_whole(release.layout.made / INVITATION, ("\n".join(lines) + "\n").encode())
    return {"files": str(len(files)), "from": address}
