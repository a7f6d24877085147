"""Branch end: the last state of a branch gets a name that stays, and the branch goes.

A branch X.Y that reached its end of life is recorded as a tag of the same name (devguide,
development-cycle.rst). The tag is pushed and read back before the branch is deleted: in the other
order a failure in between would leave commits that nobody can find.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from doit_receipts.durable import write_whole
from doit_receipts.errors import StepFailed
from doit_receipts.printable import counted
from doit_receipts.probe import Probe, absent, different, identical
from plugins.ports.git import RefUpdate
from plugins.steps.protection import deletable
from plugins.steps.tag import Named

if TYPE_CHECKING:
    from pathlib import Path

    from plugins.model.release import Release
    from plugins.ports.git import Base, Clone, Remote
    from plugins.ports.github import Protection
    from plugins.ports.progress import Progress
    from plugins.ports.schedules import Schedules

__all__ = [
    "HEAD",
    "UNRELEASED",
    "delete",
    "find_head",
    "look_deleted",
    "look_tagged",
    "named",
    "push_tag",
    "tag_file",
]

HEAD: Final = "head"
"""The name of the branch's last commit in the clone: ``refs/release/head``."""
UNRELEASED: Final = "unreleased.md"
"""The file below ``made/`` that lists what the branch has and no release."""


def named(release: Release) -> Named:
    """Name and message of the tag. Source: PEP 101 and the tags of ended branches."""
    series = release.version.series
    return Named(series, f"Final head of the former {series} branch")


def tag_file(release: Release) -> Path:
    """The file in the clone that names the tag."""
    return release.layout.clone / ".git" / "refs" / "tags" / release.version.series


def find_head(
    release: Release, clone: Clone, base: Base, remote: Remote, schedules: Schedules
) -> dict[str, str]:
    """The clone has the branch's head and last release, and ``made/`` what is between (L01, L04).

    Raises StepFailed if the branch is not there, or does not contain the last release.
    """
    series = release.version.series
    out = [each.version for each in schedules.schedule().stages.get(series, ()) if each.actual]
    if not out:
        raise StepFailed(
            where="python-releases.toml",
            problem=f"has no release of {series}",
            remedy="check version in release.toml",
        )
    last = max(out).tag
    branch, tag = f"refs/heads/{series}", f"refs/tags/{last}"
    missing = [ref for ref, there in remote.refs(branch, tag).items() if not there]
    if missing:
        raise StepFailed(
            where=remote.address,
            problem=f"has no {missing[0]}",
            remedy="check version in release.toml; if it is right, find out who deleted it",
        )
    clone.prepare(base.folder, ())
    remote.fetch(clone.folder, {branch: f"refs/upstream/{series}", tag: f"refs/upstream/{last}"})
    head = clone.resolve(f"refs/upstream/{series}^{{commit}}")
    released = clone.resolve(f"refs/upstream/{last}^{{commit}}")
    if not clone.follows(head, released):
        raise StepFailed(
            where=f"branch {series}",
            problem=f"its head {head[:12]} does not contain {last}, which was released",
            remedy=f"merge {last} into {series} first, or ask who set the branch back",
        )
    beyond = clone.beyond(head, released)
    lines = [
        f"# {counted(len(beyond), 'commit')} of {series} after {last}",
        "",
        *(f"- {one}" for one in beyond),
    ]
    write_whole(release.layout.made / UNRELEASED, ("\n".join(lines) + "\n").encode())
    clone.point(f"refs/release/{HEAD}", head)
    return {"head": head, "last release": last, "unreleased": str(len(beyond))}


def look_tagged(release: Release, remote: Remote, tag: str) -> Probe:
    """Whether upstream has this tag of the series' name (L06)."""
    ref = f"refs/tags/{release.version.series}"
    there = remote.refs(ref)[ref]
    if not there:
        return absent(f"{remote.address} has no tag {release.version.series} yet")
    if there != tag:
        return different(
            f"{remote.address} has a tag {release.version.series}, but not the one that was made",
            "a tag that others have seen is never moved: find out who made it; if it is right, run"
            " doit adopt",
            (f"found  {there}", f"wanted {tag}"),
            adopted={"tag": there},
        )
    return identical({"tag": there})


def push_tag(
    release: Release, clone: Clone, remote: Remote, progress: Progress, *, tag: str, head: str
) -> dict[str, str]:
    """Upstream has the tag that names the last state of the branch, for good (L06).

    If the branch has moved since its head was found, nothing is pushed: the next run finds it
    again, and asks again for the approval.
    """
    series = release.version.series
    branch, ref = f"refs/heads/{series}", f"refs/tags/{series}"
    there = remote.refs(branch)[branch]
    if there != head:
        clone.forget(f"refs/release/{HEAD}")
        raise StepFailed(
            where=f"branch {series}",
            problem="it has moved since its head was found, nothing was pushed",
            remedy="run the same command again: the new commits are listed, and to be approved",
            details=(f"was {head}", f"is  {there or 'not there'}"),
        )
    progress.say(f"pushing the tag {series}")
    remote.push(clone.folder, [RefUpdate(ref, tag)])
    return {"tag": tag}


def look_deleted(release: Release, remote: Remote, tag: str, head: str) -> Probe:
    """Whether upstream has the tag, and the branch no more (L07)."""
    series = release.version.series
    branch, ref = f"refs/heads/{series}", f"refs/tags/{series}"
    there = remote.refs(branch, ref)
    if there[ref] != tag:
        return different(
            f"{remote.address} does not have the tag {series}, so its branch has to stay",
            "find out who deleted or moved the tag; only then go on",
            (f"found  {there[ref] or 'nothing'}", f"wanted {tag}"),
        )
    if not there[branch]:
        return identical({"branch": "deleted", "tag": tag})
    if there[branch] != head:
        return different(
            f"{series} has commits that the tag {series} does not name",
            "ask who pushed them; the tag stays as it is, so they have to be in another branch or"
            " taken back before this one goes",
            (f"found  {there[branch]}", f"wanted {head}"),
        )
    return absent(f"the branch {series} is still there")


def delete(
    release: Release,
    clone: Clone,
    remote: Remote,
    protection: Protection,
    progress: Progress,
    *,
    tag: str,
    head: str,
) -> dict[str, str]:
    """Upstream has no branch of the series any more; its last commit is what the tag names (L07).

    The tag is looked for right before, and the branch goes only if it is at exactly that commit.
    """
    series = release.version.series
    branch, ref = f"refs/heads/{series}", f"refs/tags/{series}"
    if remote.refs(ref)[ref] != tag:
        raise StepFailed(
            where=remote.address,
            problem=f"does not have the tag {series} that was pushed, so nothing was deleted",
            remedy="find out who deleted or moved it, then run the same command again",
        )
    with deletable(protection, release.layout, series, progress):
        progress.say(f"deleting the branch {series}")
        remote.push(clone.folder, [RefUpdate(branch, "", head)])
    return {"branch": "deleted", "tag": tag}
