"""Build defaults: the release that CI's workflow builds when it is only tried, kept the newest.

Changes of python/release-tools are tested by building that release; with an old one, what came
since (Android in 3.14) went untested. Source: f2ff07c, 3462306 and ffa7aef of that repository.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from doit_receipts.errors import BadVersion, StepFailed
from doit_receipts.probe import Probe, different, identical
from plugins.model.version import Version
from plugins.steps.pull_requests import branch_of, look_proposed

if TYPE_CHECKING:
    from plugins.model.release import Release
    from plugins.ports.github import Proposals
    from plugins.ports.progress import Progress

__all__ = ["WORKFLOW", "look_proposed_defaults", "propose"]

WORKFLOW: Final = ".github/workflows/build-release.yml"
_DEFAULT: Final = r"^(?P<before>\s+{}: \$\{{\{{[^'\n]*\|\| ')(?P<value>[^'\n]*)(?P<after>'[^\n]*)$"
_COMMIT: Final = re.compile(_DEFAULT.format("GIT_COMMIT"), re.MULTILINE)
_RELEASE: Final = re.compile(_DEFAULT.format("CPYTHON_RELEASE"), re.MULTILINE)


def look_proposed_defaults(release: Release, proposals: Proposals, commit: str) -> Probe:
    """Whether the workflow tries this release or a newer one, or a pull request asks for it."""
    try:
        content = _edited(release, proposals, commit)
    except StepFailed as error:
        by_hand = {"pull request": "none", "url": "changed by hand"}
        return different(f"{WORKFLOW} {error.problem}", error.remedy, (), adopted=by_hand)
    if content is None:
        return identical({"pull request": "none", "url": "a newer release is tried"})
    return look_proposed(release, proposals, WORKFLOW, content)


def propose(
    release: Release, proposals: Proposals, commit: str, progress: Progress
) -> dict[str, str]:
    """A pull request of two lines asks for this release as the one that is tried (NEW49)."""
    proposals = proposals.pinned()
    content = _edited(release, proposals, commit)
    if content is None:
        return {"pull request": "none", "url": "a newer release is tried"}
    progress.say(f"proposing {release.version} as what the workflow tries")
    title = f"Try Python {release.version} by default"
    made = proposals.propose(branch_of(release), {WORKFLOW: content}, title, "")
    return {"pull request": str(made.number), "url": made.url}


def _edited(release: Release, proposals: Proposals, commit: str) -> bytes | None:
    """The workflow with this release as its default; None if that is a newer one.

    Raises StepFailed where the two lines are not there, or not as they were.
    """
    text = (proposals.text(WORKFLOW) or b"").decode(errors="surrogateescape")
    commits, releases = list(_COMMIT.finditer(text)), list(_RELEASE.finditer(text))
    version = _version(releases[0]["value"]) if len(releases) == len(commits) == 1 else None
    if version is None:
        raise StepFailed(
            where=WORKFLOW,
            problem="does not have one line each with the default commit and release",
            remedy="change them by hand in python/release-tools, then run doit adopt "
            "propose_defaults",
        )
    if version > release.version:
        return None
    text = _COMMIT.sub(rf"\g<before>{commit}\g<after>", text)
    text = _RELEASE.sub(rf"\g<before>{release.version}\g<after>", text)
    return text.encode(errors="surrogateescape")


def _version(text: str) -> Version | None:
    try:
        return Version.parse(text)
    except BadVersion:
        return None
